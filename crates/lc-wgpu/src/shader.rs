//! Kernels in source form.

use wgpu::Features;

/// A WGSL source with one entry point, `main`.
///
/// Bindings are `@group(0) @binding(i) var<storage, read_write>` for `i` from 0 on: all of them writable, since a plan's
/// arena may hold operands and results of one dispatch in one buffer, and a buffer has one kind of use in a dispatch.
/// Parameters are one `var<immediate>` struct of 32-bit words, at most [`MAX_PARAMS`] of them. Tile sizes and switches are
/// `override` constants.
#[derive(Debug)]
pub struct Shader {
    /// Name in labels and error texts; unique.
    pub name: &'static str,
    /// Whole files, one after the other: preludes such as the element type, then the kernel.
    pub source: &'static str,
    /// How many storage bindings it has.
    pub bindings: u32,
    /// How many words of parameters.
    pub params: u32,
    /// Features of the adapter beyond those that every one of ours has.
    pub needs: Features,
}

/// The most words of parameters: 128 bytes, which every Vulkan driver has.
pub const MAX_PARAMS: usize = 32;
/// The most storage bindings of a shader.
pub const MAX_BINDINGS: usize = 8;

/// Shaders are told apart by identity.
impl PartialEq for Shader {
    fn eq(&self, other: &Shader) -> bool {
        std::ptr::eq(self, other)
    }
}
