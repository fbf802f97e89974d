// Operands sixteen bytes at a time, four elements: along one of its dimensions each operand is dense, a multiple of four long
// and aligned, and its other strides are multiples of four.
alias Wide = vec4<f32>;
const WIDE: u32 = 4u;
// Rows of a tile of results: what is read for each is twice as much as of float16.
const TM: u32 = 256u;

@group(0) @binding(2) var<storage, read_write> a: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> b: array<vec4<f32>>;

fn keep_a(at: u32, x: Wide) {
    put_a(at, vec4<f16>(x));
}

fn keep_b(at: u32, x: Wide) {
    put_b(at, vec4<f16>(x));
}
