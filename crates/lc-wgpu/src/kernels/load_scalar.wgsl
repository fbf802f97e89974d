// Operands element by element, with any strides.

@group(0) @binding(2) var<storage, read_write> a: array<Element>;
@group(0) @binding(3) var<storage, read_write> b: array<Element>;
@group(0) @binding(4) var<storage, read_write> out: array<Element>;
@group(0) @binding(5) var<storage, read_write> partial: array<f32>;

// Whether neighbouring threads read neighbours along k.
override A_ALONG_K: bool = true;
override B_ALONG_K: bool = false;

// Offsets of four rows of a block, four along k and four along the other dimension, whose corner is at (row, k). Rows past
// the end are read from the last one: their sums are never stored.
fn block_offsets(along_k: bool, first: u32, row: u32, rows: u32, row_stride: u32, k: u32, k_stride: u32) -> vec4<u32> {
    let r = min(vec4<u32>(row) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(rows - 1u));
    return vec4<u32>(first + k * k_stride) + r * row_stride;
}

fn column_a(at: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(f32(a[at.x]), f32(a[at.y]), f32(a[at.z]), f32(a[at.w]));
}

fn column_b(at: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(f32(b[at.x]), f32(b[at.y]), f32(b[at.z]), f32(b[at.w]));
}

// A block with k across its columns and rows down each. `left` elements of k are left; the rest is zero.
fn block_a(at: vec4<u32>, left: u32) -> mat4x4<f32> {
    let step = vec4<u32>(p.a_k);
    var block = mat4x4<f32>();
    if left > 0u { block[0] = column_a(at); }
    if left > 1u { block[1] = column_a(at + step); }
    if left > 2u { block[2] = column_a(at + 2u * step); }
    if left > 3u { block[3] = column_a(at + 3u * step); }
    return block;
}

fn block_b(at: vec4<u32>, left: u32) -> mat4x4<f32> {
    let step = vec4<u32>(p.b_k);
    var block = mat4x4<f32>();
    if left > 0u { block[0] = column_b(at); }
    if left > 1u { block[1] = column_b(at + step); }
    if left > 2u { block[2] = column_b(at + 2u * step); }
    if left > 3u { block[3] = column_b(at + 3u * step); }
    return block;
}

fn store(origin: Origin, i: u32, j: u32, x: vec4<f32>) {
    if i >= p.m { return; }
    let at = origin.out + i * p.n + j;
    if j < p.n { out[at] = Element(x.x); }
    if j + 1u < p.n { out[at + 1u] = Element(x.y); }
    if j + 2u < p.n { out[at + 2u] = Element(x.z); }
    if j + 3u < p.n { out[at + 3u] = Element(x.w); }
}

fn store_partial(first: u32, i: u32, j: u32, x: vec4<f32>) {
    if i >= p.m { return; }
    let at = first + i * p.n + j;
    if j < p.n { partial[at] = x.x; }
    if j + 1u < p.n { partial[at + 1u] = x.y; }
    if j + 2u < p.n { partial[at + 2u] = x.z; }
    if j + 3u < p.n { partial[at + 3u] = x.w; }
}
