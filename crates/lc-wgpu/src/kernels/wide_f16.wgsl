// Operands sixteen bytes at a time, eight elements: along one of its dimensions each operand is dense, a multiple of eight long
// and aligned, and its other strides are multiples of eight. Bits go to float16 through float32, which compilers leave out;
// loads of halves they split at eight bytes.
alias Wide = vec4<u32>;
const WIDE: u32 = 8u;
// Rows of a tile of results.
const TM: u32 = 128u;

@group(0) @binding(2) var<storage, read_write> a: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> b: array<vec4<u32>>;

fn halves(x: u32, y: u32) -> vec4<f16> {
    return vec4<f16>(vec4<f32>(unpack2x16float(x), unpack2x16float(y)));
}

fn keep_a(at: u32, x: Wide) {
    put_a(at, halves(x.x, x.y));
    put_a(at + 4u / SLOT, halves(x.z, x.w));
}

fn keep_b(at: u32, x: Wide) {
    put_b(at, halves(x.x, x.y));
    put_b(at + 4u / SLOT, halves(x.z, x.w));
}
