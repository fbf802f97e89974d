// Tiles for matrix units. Subgroups of 32, two down and `ACROSS` across, compute four by `COLUMNS` matrices each. Workgroup
// memory holds two tiles of each operand: one barrier a tile.

const T: u32 = 8u * S;
const TM: u32 = T;
const TN: u32 = T;
const TK: u32 = 32u;
const ACROSS: u32 = 8u / COLUMNS;
const SUBGROUPS: u32 = 2u * ACROSS;
const THREADS: u32 = 32u * SUBGROUPS;
// One matrix a subgroup.
const STAGE: u32 = SUBGROUPS * S * S;
const BLOCKS: u32 = T / 4u * (TK / 4u);
// Blocks of four by four that a thread loads of each operand.
const SHARE: u32 = BLOCKS / THREADS;

const TILE: u32 = T * (TK + 8u) / SLOT;

var<workgroup> tile_a: array<Slot, 2u * TILE>;
var<workgroup> tile_b: array<Slot, 2u * TILE>;

// Where one block comes from and where it goes.
struct Path {
    at: vec4<u32>,
    slot: u32,
    k: u32,
}

// Row and k of the corner of a block within its tile: along the dense dimension first.
fn block_place(number: u32, along_k: bool) -> vec2<u32> {
    if along_k {
        return vec2<u32>(number / (TK / 4u), number % (TK / 4u)) * 4u;
    }
    return vec2<u32>(number % (T / 4u), number / (T / 4u)) * 4u;
}

fn path_a(number: u32, origin: Origin, corner: vec2<u32>, k_first: u32) -> Path {
    let place = block_place(number, A_ALONG_K);
    let at = block_offsets(A_ALONG_K, origin.a, corner.x + place.x, p.m, p.a_m, k_first + place.y, p.a_k);
    return Path(at, slot_a(place.x, place.y), place.y);
}

fn path_b(number: u32, origin: Origin, corner: vec2<u32>, k_first: u32) -> Path {
    let place = block_place(number, B_ALONG_K);
    let at = block_offsets(B_ALONG_K, origin.b, corner.y + place.x, p.n, p.b_n, k_first + place.y, p.b_k);
    return Path(at, slot_b(place.x, place.y), place.y);
}

fn keep_a(at: u32, block: mat4x4<f16>) {
    put_a(at, block[0]);
    put_a(at + A_STEP, block[1]);
    put_a(at + 2u * A_STEP, block[2]);
    put_a(at + 3u * A_STEP, block[3]);
}

fn keep_b(at: u32, block: mat4x4<f16>) {
    put_b(at, block[0]);
    put_b(at + B_STEP, block[1]);
    put_b(at + 2u * B_STEP, block[2]);
    put_b(at + 3u * B_STEP, block[3]);
}

fn left_of(k: u32, k_end: u32) -> u32 {
    return k_end - min(k, k_end);
}

// Results from the stage to memory: four beside each other a thread.
fn drain(origin: Origin, part: u32, i: u32, j: u32, subgroup: u32, lane: u32) {
    for (var e = lane * 4u; e < S * S; e += 128u) {
        write4(origin, part, i + e / S, j + e % S, subgroup * S * S + e);
    }
}
