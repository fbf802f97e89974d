// Results in vectors of four, and which way operands in vectors are dense.

@group(0) @binding(4) var<storage, read_write> out: array<vec4<Element>>;
@group(0) @binding(5) var<storage, read_write> partial: array<vec4<f32>>;

// Whether the dense dimension of the operand is k.
override A_ALONG_K: bool = true;
override B_ALONG_K: bool = false;

// The result's rows are dense and multiples of four long.
fn store(origin: Origin, i: u32, j: u32, x: vec4<f32>) {
    if i < p.m && j < p.n {
        out[(origin.out + i * p.n + j) >> 2u] = vec4<Element>(x);
    }
}

fn store_partial(first: u32, i: u32, j: u32, x: vec4<f32>) {
    if i < p.m && j < p.n {
        partial[(first + i * p.n + j) >> 2u] = x;
    }
}
