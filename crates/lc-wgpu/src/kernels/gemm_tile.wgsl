// Which tile a workgroup computes, and how tiles of the operands reach workgroup memory. A kernel after this says with
// `ROWS` and `COLUMNS` how many results one thread computes. There are as many threads as blocks of four by four in the two
// tiles of the operands: TK = 8 T / (ROWS COLUMNS).
//
// A tile of the result is T by T; tiles of the operands are TK deep and kept with k outermost, so that both are read in
// vectors. Half of the threads load blocks of four by four of A, the others of B: a block that is dense along k is turned
// over in registers. While the sums of one tile run, the next one is on its way in registers, and workgroup memory holds
// two: one barrier a tile.

override T: u32 = 128u;
override TK: u32 = 16u;
// Threads beside each other along n among 32.
override LANES: u32 = 8u;

// Threads down and across.
override DOWN: u32 = T / ROWS;
override ACROSS: u32 = T / COLUMNS;
override THREADS: u32 = DOWN * ACROSS;
override WIDTH: u32 = T / 4u;
override TILE: u32 = TK * WIDTH;

var<workgroup> tile_a: array<vec4<f32>, 2u * TILE>;
var<workgroup> tile_b: array<vec4<f32>, 2u * TILE>;

fn add_product(x: f32, y: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
    return fma(vec4<f32>(x), y, sum);
}

fn keep_a(at: u32, block: mat4x4<f32>) {
    tile_a[at] = block[0];
    tile_a[at + WIDTH] = block[1];
    tile_a[at + 2u * WIDTH] = block[2];
    tile_a[at + 3u * WIDTH] = block[3];
}

fn keep_b(at: u32, block: mat4x4<f32>) {
    tile_b[at] = block[0];
    tile_b[at + WIDTH] = block[1];
    tile_b[at + 2u * WIDTH] = block[2];
    tile_b[at + 3u * WIDTH] = block[3];
}

// The part of loading that one thread has: a block of one of the operands in each tile.
struct Loader {
    // Whether the block is of A.
    of_a: bool,
    // Where it lies in workgroup memory.
    slot: u32,
    // Its first k within the tile.
    k: u32,
    // Where it comes from, and how far the next tile's lies from there.
    at: vec4<u32>,
    step: u32,
}

fn loader(lane: u32, origin: Origin, corner: vec2<u32>, k_first: u32) -> Loader {
    var l: Loader;
    l.of_a = lane < THREADS / 2u;
    let number = lane % (THREADS / 2u);
    let along_k = select(B_ALONG_K, A_ALONG_K, l.of_a);
    // Eight blocks side by side, then along k: rows in workgroup memory are written without conflicts, and dense runs of
    // the operand are read whole.
    var row = number % WIDTH;
    l.k = number / WIDTH * 4u;
    if along_k {
        row = number / (2u * TK) * 8u + number % 8u;
        l.k = number / 8u % (TK / 4u) * 4u;
    }
    l.slot = l.k * WIDTH + row;
    if l.of_a {
        l.at = block_offsets(A_ALONG_K, origin.a, corner.x + row * 4u, p.m, p.a_m, k_first + l.k, p.a_k);
        l.step = TK * p.a_k;
    } else {
        l.at = block_offsets(B_ALONG_K, origin.b, corner.y + row * 4u, p.n, p.b_n, k_first + l.k, p.b_k);
        l.step = TK * p.b_k;
    }
    return l;
}

fn fetch(l: Loader, k: u32, k_end: u32) -> mat4x4<f32> {
    let left = k_end - min(k + l.k, k_end);
    if l.of_a {
        return block_a(l.at, left);
    }
    return block_b(l.at, left);
}

fn keep(l: Loader, buffer: u32, block: mat4x4<f32>) {
    if l.of_a {
        keep_a(buffer * TILE + l.slot, block);
    } else {
        keep_b(buffer * TILE + l.slot, block);
    }
}

// Position of a thread among the DOWN by ACROSS of its workgroup: 32 neighbours form a block LANES wide.
fn position(lane: u32) -> vec2<u32> {
    let across = ACROSS / LANES;
    let block = lane / 32u;
    let within = lane % 32u;
    return vec2<u32>(block / across * (32u / LANES) + within / LANES, block % across * LANES + within % LANES);
}
