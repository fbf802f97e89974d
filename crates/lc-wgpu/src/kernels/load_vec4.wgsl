// Operands in vectors of four: along one of its dimensions each operand is dense, a multiple of four long and aligned, and
// its other strides are multiples of four.

// Offsets of four vectors of a block, four along k and four along the other dimension, whose corner is at (row, k).
// Rows past the end are read from the last ones: their sums are never stored.
fn block_offsets(along_k: bool, first: u32, row: u32, rows: u32, row_stride: u32, k: u32, k_stride: u32) -> vec4<u32> {
    if along_k {
        let r = min(vec4<u32>(row) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(rows - 1u));
        return vec4<u32>(first) + r * row_stride + vec4<u32>(k);
    }
    let r = min(row, rows - 4u);
    return vec4<u32>(first + r) + (vec4<u32>(k) + vec4<u32>(0u, 1u, 2u, 3u)) * k_stride;
}

fn vector_a(at: u32) -> vec4<Work> {
    return vec4<Work>(a[at >> 2u]);
}

fn vector_b(at: u32) -> vec4<Work> {
    return vec4<Work>(b[at >> 2u]);
}

// A block as it lies in memory, its columns dense. `left` elements of k are left; the rest is zero.
fn dense_a(at: vec4<u32>, left: u32) -> mat4x4<Work> {
    var block = mat4x4<Work>();
    if left >= 4u {
        block = mat4x4<Work>(vector_a(at.x), vector_a(at.y), vector_a(at.z), vector_a(at.w));
    } else if !A_ALONG_K {
        if left > 0u { block[0] = vector_a(at.x); }
        if left > 1u { block[1] = vector_a(at.y); }
        if left > 2u { block[2] = vector_a(at.z); }
    }
    return block;
}

fn dense_b(at: vec4<u32>, left: u32) -> mat4x4<Work> {
    var block = mat4x4<Work>();
    if left >= 4u {
        block = mat4x4<Work>(vector_b(at.x), vector_b(at.y), vector_b(at.z), vector_b(at.w));
    } else if !B_ALONG_K {
        if left > 0u { block[0] = vector_b(at.x); }
        if left > 1u { block[1] = vector_b(at.y); }
        if left > 2u { block[2] = vector_b(at.z); }
    }
    return block;
}

// A block with k across its columns and rows down each.
fn block_a(at: vec4<u32>, left: u32) -> mat4x4<Work> {
    let block = dense_a(at, left);
    if A_ALONG_K {
        return transpose(block);
    }
    return block;
}

fn block_b(at: vec4<u32>, left: u32) -> mat4x4<Work> {
    let block = dense_b(at, left);
    if B_ALONG_K {
        return transpose(block);
    }
    return block;
}
