// B element by element, with any strides.

@group(0) @binding(3) var<storage, read_write> b: array<Element>;

// Four elements of B, `step` apart, of which `left` are there; the rest is zero.
fn four_b(at: u32, step: u32, left: u32) -> vec4<f32> {
    var x = vec4<f32>(f32(b[at]), 0.0, 0.0, 0.0);
    if left > 1u { x.y = f32(b[at + step]); }
    if left > 2u { x.z = f32(b[at + 2u * step]); }
    if left > 3u { x.w = f32(b[at + 3u * step]); }
    return x;
}
