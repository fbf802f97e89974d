// Operands of an attention read one element at a time: of any extents and addresses.

@group(0) @binding(0) var<storage, read_write> q: array<Element>;
@group(0) @binding(1) var<storage, read_write> k: array<Element>;
@group(0) @binding(2) var<storage, read_write> v: array<Element>;

// Up to four elements, and zeros from the `left`th on.
fn read_q(at: u32, left: u32) -> vec4<f32> {
    var x = vec4<f32>(0.0);
    if left > 0u { x.x = f32(q[at]); }
    if left > 1u { x.y = f32(q[at + 1u]); }
    if left > 2u { x.z = f32(q[at + 2u]); }
    if left > 3u { x.w = f32(q[at + 3u]); }
    return x;
}

fn read_k(at: u32, left: u32) -> vec4<f32> {
    var x = vec4<f32>(0.0);
    if left > 0u { x.x = f32(k[at]); }
    if left > 1u { x.y = f32(k[at + 1u]); }
    if left > 2u { x.z = f32(k[at + 2u]); }
    if left > 3u { x.w = f32(k[at + 3u]); }
    return x;
}

fn read_v(at: u32, left: u32) -> vec4<f32> {
    var x = vec4<f32>(0.0);
    if left > 0u { x.x = f32(v[at]); }
    if left > 1u { x.y = f32(v[at + 1u]); }
    if left > 2u { x.z = f32(v[at + 2u]); }
    if left > 3u { x.w = f32(v[at + 3u]); }
    return x;
}
