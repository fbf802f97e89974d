// Tiles of the operands in workgroup memory, and how matrix units read them: in the order that they have in memory, rounded to
// float16, with eight elements of padding a row against conflicts of banks. A kernel after this says with `TM`, `TN` and `TK`
// how large they are, declares `tile_a` and `tile_b`, and counts with `STAGE` the results on their way.

override A_STEP: u32 = select(TM + 8u, TK + 8u, A_ALONG_K) / SLOT;
override B_STEP: u32 = select(TN + 8u, TK + 8u, B_ALONG_K) / SLOT;

// Results on their way to memory.
var<workgroup> stage: array<f32, STAGE>;

fn slot_a(row: u32, k: u32) -> u32 {
    if A_ALONG_K {
        return row * A_STEP + k / SLOT;
    }
    return k * A_STEP + row / SLOT;
}

fn slot_b(column: u32, k: u32) -> u32 {
    if B_ALONG_K {
        return column * B_STEP + k / SLOT;
    }
    return k * B_STEP + column / SLOT;
}

fn load_a(at: u32) -> MatrixA {
    if A_ALONG_K {
        return coopLoadT<MatrixA>(&tile_a[at], A_STEP);
    }
    return coopLoad<MatrixA>(&tile_a[at], A_STEP);
}

fn load_b(at: u32) -> MatrixB {
    if B_ALONG_K {
        return coopLoad<MatrixB>(&tile_b[at], B_STEP);
    }
    return coopLoadT<MatrixB>(&tile_b[at], B_STEP);
}

// Four results beside each other from the stage to memory.
fn write4(origin: Origin, part: u32, i: u32, j: u32, at: u32) {
    let x = vec4<f32>(stage[at], stage[at + 1u], stage[at + 2u], stage[at + 3u]);
    if MODE == 0u {
        store(origin, i, j, x);
    } else if MODE == 2u {
        store_partial(part, i, j, x);
    } else {
        finish4(origin, i, j, x);
    }
}
