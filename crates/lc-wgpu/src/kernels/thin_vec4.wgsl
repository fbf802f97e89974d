// B in vectors of four: dense along one dimension, a multiple of four long and aligned, its other strides multiples of four.

@group(0) @binding(3) var<storage, read_write> b: array<vec4<Element>>;

// Four elements of B, `step` apart, of which `left` are there; the rest is zero.
fn four_b(at: u32, step: u32, left: u32) -> vec4<f32> {
    return vec4<f32>(b[at >> 2u]);
}
