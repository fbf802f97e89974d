// What every kernel of attention is told, and the operands that all of them read or write alike.

struct Params {
    rows: u32,
    keys: u32,
    dim: u32,
    value_dim: u32,
    // Heads of all batches, heads of one, and how many of them share a key head.
    all_heads: u32,
    heads: u32,
    sharing: u32,
    // Keys of one part: with several, a multiple of what a workgroup takes at a time.
    part: u32,
    // First element, then strides of batch, head and row.
    q: vec4<u32>,
    k: vec4<u32>,
    v: vec4<u32>,
    // Strides of batch, head, row and key.
    mask: vec4<u32>,
    first_mask: u32,
    first_out: u32,
    // Bit 0: causal; bit 1: a mask; bit 2: rectify.
    flags: u32,
    scale: f32,
    output_scale: f32,
    output_bias: f32,
}

const LOWEST = -3.4028234663852886e38;
const CAUSAL = 1u;
const MASKED = 2u;
const RECTIFY = 4u;

@group(0) @binding(3) var<storage, read_write> mask: array<Element>;
@group(0) @binding(4) var<storage, read_write> out: array<Element>;
@group(0) @binding(5) var<storage, read_write> stats: array<f32>;
var<immediate> params: Params;
