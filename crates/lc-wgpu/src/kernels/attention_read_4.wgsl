// Operands of an attention read four elements at a time: extents and addresses are multiples of four.

@group(0) @binding(0) var<storage, read_write> q: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read_write> k: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4<Element>>;

// Four elements, or zeros where none are left: without a branch, so that several reads are under way at once.
fn read_q(at: u32, left: u32) -> vec4<f32> {
    let x = vec4<f32>(q[select(0u, at / 4u, left > 0u)]);
    return select(vec4<f32>(0.0), x, left > 0u);
}

fn read_k(at: u32, left: u32) -> vec4<f32> {
    let x = vec4<f32>(k[select(0u, at / 4u, left > 0u)]);
    return select(vec4<f32>(0.0), x, left > 0u);
}

fn read_v(at: u32, left: u32) -> vec4<f32> {
    let x = vec4<f32>(v[select(0u, at / 4u, left > 0u)]);
    return select(vec4<f32>(0.0), x, left > 0u);
}
