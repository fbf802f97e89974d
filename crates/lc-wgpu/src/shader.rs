//! Kernels in source form.

use wgpu::Features;

/// A WGSL source with one entry point, `main`.
///
/// Bindings are `@group(0) @binding(i) var<storage, read_write>` for `i` from 0 on: writable, since a plan's arena may hold
/// operands and results of one dispatch in one buffer, and a buffer has one kind of use in a dispatch. Those of a kernel
/// that is chosen only where they share no buffer with what is written may be `var<storage, read>`.
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

impl Shader {
    /// A bit for each binding that the source only reads.
    pub fn only_read(&self) -> u32 {
        let bindings = self.source.split("@binding(").skip(1).filter_map(|text| {
            let (number, declaration) = text.split_once(')')?;
            let only_read = declaration.trim_start().starts_with("var<storage, read>");
            number.parse::<u32>().ok().filter(|_| only_read)
        });
        bindings.fold(0, |bits, binding| bits | 1 << binding)
    }
}

/// Shaders are told apart by identity.
impl PartialEq for Shader {
    fn eq(&self, other: &Shader) -> bool {
        std::ptr::eq(self, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_declared_so_is_only_read() {
        let source = "@group(0) @binding(0) var<storage, read_write> a: array<f32>;
            @group(0) @binding(2) var<storage, read> b: array<f32>;
            fn main(@builtin(workgroup_id) group: vec3<u32>) {}";
        let shader = Shader { name: "", source, bindings: 3, params: 0, needs: Features::empty() };
        assert_eq!(shader.only_read(), 0b100);
    }
}
