// What every kernel of out = act(A·B + bias + residual) shares: parameters, and where the parts of one product of a batch
// begin. A is [m, k], B [k, n]; every operand has a stride for each of its dimensions, so that a transposed one needs no
// copy. Strides and offsets count elements.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    // The part of k that one of `splits` sums: a multiple of the depth of a tile.
    chunk: u32,
    splits: u32,
    batch_inner: u32,
    batch_first: u32,
    // Activation in the low eight bits, then one for the bias, then one for the residual.
    flags: u32,
    first_a: u32,
    a_m: u32,
    a_k: u32,
    a_outer: u32,
    a_inner: u32,
    first_b: u32,
    b_k: u32,
    b_n: u32,
    b_outer: u32,
    b_inner: u32,
    first_out: u32,
    out_m: u32,
    out_n: u32,
    first_bias: u32,
    bias_m: u32,
    bias_n: u32,
    first_residual: u32,
    residual_m: u32,
    residual_n: u32,
    residual_outer: u32,
    residual_inner: u32,
}

const HAS_BIAS: u32 = 256u;
const HAS_RESIDUAL: u32 = 512u;

var<immediate> p: Params;

@group(0) @binding(0) var<storage, read_write> bias: array<Element>;
@group(0) @binding(1) var<storage, read_write> residual: array<Element>;

// Where one product of the batch begins in each operand.
struct Origin {
    a: u32,
    b: u32,
    out: u32,
    residual: u32,
}

fn origin_of(index: u32) -> Origin {
    let batch = p.batch_first + index;
    let outer = batch / p.batch_inner;
    let inner = batch % p.batch_inner;
    return Origin(
        p.first_a + outer * p.a_outer + inner * p.a_inner,
        p.first_b + outer * p.b_outer + inner * p.b_inner,
        p.first_out + batch * p.m * p.n,
        p.first_residual + outer * p.residual_outer + inner * p.residual_inner,
    );
}

// What becomes of the sum at row i and column j.
fn finish(sum: f32, origin: Origin, i: u32, j: u32) -> f32 {
    var x = sum;
    if (p.flags & HAS_BIAS) != 0u {
        x += f32(bias[p.first_bias + i * p.bias_m + j * p.bias_n]);
    }
    if (p.flags & HAS_RESIDUAL) != 0u {
        x += f32(residual[origin.residual + i * p.residual_m + j * p.residual_n]);
    }
    return activate(p.flags & 255u, x);
}
