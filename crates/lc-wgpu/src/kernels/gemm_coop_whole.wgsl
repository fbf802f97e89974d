// out = act(A·B + bias + residual) with operands rounded to float16 and sums in float32, on matrix units of 16, four by four of
// them a subgroup. Every tile is whole: of m and n at least a tile is there, and tiles at the last rows and columns are moved
// inwards, where they compute some results for a second time, to the same bits. Where k is no multiple of a tile's depth, the
// first tile is the part of one, with zeros before its first k.
//
// What an H100 asked for (docs/perf/gpu.md): loads of sixteen bytes, nothing between those of the next tile and their stores but
// two barriers, and one tile of each operand, which leaves room for two workgroups.

const T: u32 = 128u;
const TN: u32 = 128u;
const TK: u32 = 32u;
const THREADS: u32 = TM;
// One matrix a subgroup: past 24 KiB of workgroup memory an H100 runs one workgroup a unit, not two.
const STAGE: u32 = TM / 32u * S * S;

override TILE_A: u32 = select(TK, TM, A_ALONG_K) * A_STEP;
override TILE_B: u32 = select(TK, TN, B_ALONG_K) * B_STEP;

var<workgroup> tile_a: array<Slot, TILE_A>;
var<workgroup> tile_b: array<Slot, TILE_B>;

// A thread's part of a tile: 32 / WIDE vectors of A, and four of B.
struct Part {
    // The first vector in memory, and how far the second and the next tile's first lie from there; in vectors.
    at: u32,
    step: u32,
    next: u32,
    // The first in workgroup memory, and how far the second lies from there; in slots.
    slot: u32,
    slot_step: u32,
    // The first one's k within the tile, and how far the second one's is from there.
    k: u32,
    k_step: u32,
}

// Row and vector of a thread's first vector where rows are `TK` long and neighbours have 32 of them: those that write together
// take rows four apart, which share no bank.
fn along_k(lane: u32) -> vec2<u32> {
    if WIDE == 8u {
        return vec2<u32>((lane >> 2u & 1u) * 4u + (lane >> 3u & 3u) + (lane >> 5u) * 8u, lane & 3u);
    }
    let row = (lane >> 3u & 1u) * 4u + (lane >> 4u & 1u) + (lane >> 5u & 1u) * 2u + (lane >> 6u) * 8u;
    return vec2<u32>(row, lane & 7u);
}

// A part of an operand that begins at `first` with its k `k_first`; `before` elements of k are missing from the first tile.
// `stride` is that of its rows along k, else that of its k; `width` is the extent of a tile across k, `rows` how many of k
// neighbours have together.
fn part(dense: bool, lane: u32, first: u32, stride: u32, before: u32, width: u32, rows: u32, slots: u32) -> Part {
    let far = stride / WIDE;
    if dense {
        let place = along_k(lane);
        let at = first / WIDE + place.x * far + place.y - before / WIDE;
        return Part(at, 32u * far, TK / WIDE, place.x * slots + place.y * WIDE / SLOT, 32u * slots, place.y * WIDE, 0u);
    }
    let row = lane / (width / WIDE);
    let column = lane % (width / WIDE);
    let at = first / WIDE + row * far + column - before * far;
    return Part(at, rows * far, TK * far, row * slots + column * WIDE / SLOT, rows * slots, row, rows);
}

// First row and column of a tile, in an order that walks bands of tiles column by column.
fn whole_corner(number: u32) -> vec2<u32> {
    let down = (p.m + TM - 1u) / TM;
    let across = (p.n + TN - 1u) / TN;
    let band = number / (BAND * across);
    let rest = number % (BAND * across);
    let height = min(down - band * BAND, BAND);
    let corner = vec2<u32>((band * BAND + rest % height) * TM, rest / height * TN);
    return min(corner, vec2<u32>(p.m - TM, p.n - TN));
}

fn first_a(part: Part, i: u32, before: u32) -> Wide {
    if part.k + i * part.k_step >= before {
        return a[part.at + i * part.step];
    }
    return Wide();
}

fn first_b(part: Part, i: u32, before: u32) -> Wide {
    if part.k + i * part.k_step >= before {
        return b[part.at + i * part.step];
    }
    return Wide();
}

// A matrix of results to memory, through the stage.
fn write_matrix(c: MatrixC, origin: Origin, part: u32, i: u32, j: u32, lane: u32) {
    let own = lane / 32u * S * S;
    coopStoreT(c, &stage[own], S);
    workgroupBarrier();
    for (var e = lane % 32u * 4u; e < S * S; e += 128u) {
        write4(origin, part, i + e / S, j + e % S, own + e);
    }
    workgroupBarrier();
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = group.y * groups.x + group.x;
    if number >= ((p.m + TM - 1u) / TM) * ((p.n + TN - 1u) / TN) {
        return;
    }
    let corner = whole_corner(number);
    let split = group.z % p.splits;
    let origin = origin_of(group.z / p.splits);
    let k_first = split * p.chunk;
    let depth = min(k_first + p.chunk, p.k) - k_first;
    let tiles = (depth + TK - 1u) / TK;
    let before = tiles * TK - depth;
    let subgroup = lane / 32u;
    // First row and column of the subgroup's results within the tile.
    let down = subgroup / 2u * 64u;
    let along = subgroup % 2u * 64u;
    let first_of_a = origin.a + corner.x * p.a_m + k_first * p.a_k;
    let first_of_b = origin.b + corner.y * p.b_n + k_first * p.b_k;
    var pa = part(A_ALONG_K, lane, first_of_a, select(p.a_k, p.a_m, A_ALONG_K), before, TM, WIDE, A_STEP);
    var pb = part(B_ALONG_K, lane, first_of_b, select(p.b_k, p.b_n, B_ALONG_K), before, TN, 8u, B_STEP);
    var c00: MatrixC; var c01: MatrixC; var c02: MatrixC; var c03: MatrixC;
    var c10: MatrixC; var c11: MatrixC; var c12: MatrixC; var c13: MatrixC;
    var c20: MatrixC; var c21: MatrixC; var c22: MatrixC; var c23: MatrixC;
    var c30: MatrixC; var c31: MatrixC; var c32: MatrixC; var c33: MatrixC;

    var x0 = first_a(pa, 0u, before);
    var x1 = first_a(pa, 1u, before);
    var x2 = first_a(pa, 2u, before);
    var x3 = first_a(pa, 3u, before);
    var x4: Wide;
    var x5: Wide;
    var x6: Wide;
    var x7: Wide;
    if WIDE == 4u {
        x4 = first_a(pa, 4u, before);
        x5 = first_a(pa, 5u, before);
        x6 = first_a(pa, 6u, before);
        x7 = first_a(pa, 7u, before);
    }
    var y0 = first_b(pb, 0u, before);
    var y1 = first_b(pb, 1u, before);
    var y2 = first_b(pb, 2u, before);
    var y3 = first_b(pb, 3u, before);
    for (var tile = 1u; tile <= tiles; tile++) {
        workgroupBarrier();
        keep_a(pa.slot + 0u * pa.slot_step, x0);
        keep_a(pa.slot + 1u * pa.slot_step, x1);
        keep_a(pa.slot + 2u * pa.slot_step, x2);
        keep_a(pa.slot + 3u * pa.slot_step, x3);
        if WIDE == 4u {
            keep_a(pa.slot + 4u * pa.slot_step, x4);
            keep_a(pa.slot + 5u * pa.slot_step, x5);
            keep_a(pa.slot + 6u * pa.slot_step, x6);
            keep_a(pa.slot + 7u * pa.slot_step, x7);
        }
        keep_b(pb.slot + 0u * pb.slot_step, y0);
        keep_b(pb.slot + 1u * pb.slot_step, y1);
        keep_b(pb.slot + 2u * pb.slot_step, y2);
        keep_b(pb.slot + 3u * pb.slot_step, y3);
        workgroupBarrier();
        // After the last tile it is loaded again, for nothing: a branch here would hold up the products.
        let more = select(0u, 1u, tile < tiles);
        pa.at += more * pa.next;
        pb.at += more * pb.next;
        x0 = a[pa.at + 0u * pa.step];
        x1 = a[pa.at + 1u * pa.step];
        x2 = a[pa.at + 2u * pa.step];
        x3 = a[pa.at + 3u * pa.step];
        if WIDE == 4u {
            x4 = a[pa.at + 4u * pa.step];
            x5 = a[pa.at + 5u * pa.step];
            x6 = a[pa.at + 6u * pa.step];
            x7 = a[pa.at + 7u * pa.step];
        }
        y0 = b[pb.at + 0u * pb.step];
        y1 = b[pb.at + 1u * pb.step];
        y2 = b[pb.at + 2u * pb.step];
        y3 = b[pb.at + 3u * pb.step];
        for (var step = 0u; step < TK; step += S) {
            let a0 = load_a(slot_a(down + 0u * S, step));
            let a1 = load_a(slot_a(down + 1u * S, step));
            let a2 = load_a(slot_a(down + 2u * S, step));
            let a3 = load_a(slot_a(down + 3u * S, step));
            let b0 = load_b(slot_b(along + 0u * S, step));
            let b1 = load_b(slot_b(along + 1u * S, step));
            let b2 = load_b(slot_b(along + 2u * S, step));
            let b3 = load_b(slot_b(along + 3u * S, step));
            c00 = coopMultiplyAdd(a0, b0, c00);
            c01 = coopMultiplyAdd(a0, b1, c01);
            c02 = coopMultiplyAdd(a0, b2, c02);
            c03 = coopMultiplyAdd(a0, b3, c03);
            c10 = coopMultiplyAdd(a1, b0, c10);
            c11 = coopMultiplyAdd(a1, b1, c11);
            c12 = coopMultiplyAdd(a1, b2, c12);
            c13 = coopMultiplyAdd(a1, b3, c13);
            c20 = coopMultiplyAdd(a2, b0, c20);
            c21 = coopMultiplyAdd(a2, b1, c21);
            c22 = coopMultiplyAdd(a2, b2, c22);
            c23 = coopMultiplyAdd(a2, b3, c23);
            c30 = coopMultiplyAdd(a3, b0, c30);
            c31 = coopMultiplyAdd(a3, b1, c31);
            c32 = coopMultiplyAdd(a3, b2, c32);
            c33 = coopMultiplyAdd(a3, b3, c33);
        }
    }

    let out_part = group.z * p.m * p.n;
    let i = corner.x + down;
    let j = corner.y + along;
    write_matrix(c00, origin, out_part, i, j, lane);
    write_matrix(c01, origin, out_part, i, j + 1u * S, lane);
    write_matrix(c02, origin, out_part, i, j + 2u * S, lane);
    write_matrix(c03, origin, out_part, i, j + 3u * S, lane);
    write_matrix(c10, origin, out_part, i + 1u * S, j, lane);
    write_matrix(c11, origin, out_part, i + 1u * S, j + 1u * S, lane);
    write_matrix(c12, origin, out_part, i + 1u * S, j + 2u * S, lane);
    write_matrix(c13, origin, out_part, i + 1u * S, j + 3u * S, lane);
    write_matrix(c20, origin, out_part, i + 2u * S, j, lane);
    write_matrix(c21, origin, out_part, i + 2u * S, j + 1u * S, lane);
    write_matrix(c22, origin, out_part, i + 2u * S, j + 2u * S, lane);
    write_matrix(c23, origin, out_part, i + 2u * S, j + 3u * S, lane);
    write_matrix(c30, origin, out_part, i + 3u * S, j, lane);
    write_matrix(c31, origin, out_part, i + 3u * S, j + 1u * S, lane);
    write_matrix(c32, origin, out_part, i + 3u * S, j + 2u * S, lane);
    write_matrix(c33, origin, out_part, i + 3u * S, j + 3u * S, lane);
}
