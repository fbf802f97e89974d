// out = act(A·B + bias + residual) with operands rounded to float16 and sums in float32, on matrix units: four by four
// matrices a subgroup.

const COLUMNS: u32 = 4u;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = group.y * groups.x + group.x;
    if number >= ((p.m + T - 1u) / T) * ((p.n + T - 1u) / T) {
        return;
    }
    let corner = corner_of(number);
    let split = group.z % p.splits;
    let origin = origin_of(group.z / p.splits);
    let k_first = split * p.chunk;
    let k_end = min(k_first + p.chunk, p.k);
    let subgroup = lane / 32u;
    // First row and column of the subgroup's results within the tile.
    let down = subgroup / ACROSS * 4u * S;
    let along = subgroup % ACROSS * COLUMNS * S;
    var path_a0 = path_a(lane, origin, corner, k_first);
    var path_b0 = path_b(lane, origin, corner, k_first);
    // Where a thread has one block only, the second is not used.
    var path_a1 = path_a((lane + THREADS) % BLOCKS, origin, corner, k_first);
    var path_b1 = path_b((lane + THREADS) % BLOCKS, origin, corner, k_first);
    var c00: MatrixC; var c01: MatrixC; var c02: MatrixC; var c03: MatrixC;
    var c10: MatrixC; var c11: MatrixC; var c12: MatrixC; var c13: MatrixC;
    var c20: MatrixC; var c21: MatrixC; var c22: MatrixC; var c23: MatrixC;
    var c30: MatrixC; var c31: MatrixC; var c32: MatrixC; var c33: MatrixC;

    var a_0: mat4x4<f16>;
    var a_1: mat4x4<f16>;
    var b_0: mat4x4<f16>;
    var b_1: mat4x4<f16>;
    a_0 = dense_a(path_a0.at, left_of(k_first + path_a0.k, k_end));
    b_0 = dense_b(path_b0.at, left_of(k_first + path_b0.k, k_end));
    if SHARE == 2u {
        a_1 = dense_a(path_a1.at, left_of(k_first + path_a1.k, k_end));
        b_1 = dense_b(path_b1.at, left_of(k_first + path_b1.k, k_end));
    }
    keep_a(path_a0.slot, a_0);
    keep_b(path_b0.slot, b_0);
    if SHARE == 2u {
        keep_a(path_a1.slot, a_1);
        keep_b(path_b1.slot, b_1);
    }
    workgroupBarrier();
    var first = 0u;
    for (var k = k_first; k < k_end; k += TK) {
        let next = k + TK;
        if next < k_end {
            path_a0.at += vec4<u32>(TK * p.a_k);
            path_a1.at += vec4<u32>(TK * p.a_k);
            path_b0.at += vec4<u32>(TK * p.b_k);
            path_b1.at += vec4<u32>(TK * p.b_k);
            a_0 = dense_a(path_a0.at, left_of(next + path_a0.k, k_end));
            b_0 = dense_b(path_b0.at, left_of(next + path_b0.k, k_end));
            if SHARE == 2u {
                a_1 = dense_a(path_a1.at, left_of(next + path_a1.k, k_end));
                b_1 = dense_b(path_b1.at, left_of(next + path_b1.k, k_end));
            }
        }
        for (var step = 0u; step < TK; step += S) {
            let a0 = load_a(first + slot_a(down + 0u * S, step));
            let a1 = load_a(first + slot_a(down + 1u * S, step));
            let a2 = load_a(first + slot_a(down + 2u * S, step));
            let a3 = load_a(first + slot_a(down + 3u * S, step));
            let b0 = load_b(first + slot_b(along + 0u * S, step));
            let b1 = load_b(first + slot_b(along + 1u * S, step));
            let b2 = load_b(first + slot_b(along + 2u * S, step));
            let b3 = load_b(first + slot_b(along + 3u * S, step));
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
        if next < k_end {
            first = TILE - first;
            keep_a(first + path_a0.slot, a_0);
            keep_b(first + path_b0.slot, b_0);
            if SHARE == 2u {
                keep_a(first + path_a1.slot, a_1);
                keep_b(first + path_b1.slot, b_1);
            }
        }
        workgroupBarrier();
    }

    let part = group.z * p.m * p.n;
    let own = subgroup * S * S;
    for (var c = 0u; c < 4u * COLUMNS; c++) {
        switch c {
            case 0u: { coopStoreT(c00, &stage[own], S); }
            case 1u: { coopStoreT(c01, &stage[own], S); }
            case 2u: { coopStoreT(c02, &stage[own], S); }
            case 3u: { coopStoreT(c03, &stage[own], S); }
            case 4u: { coopStoreT(c10, &stage[own], S); }
            case 5u: { coopStoreT(c11, &stage[own], S); }
            case 6u: { coopStoreT(c12, &stage[own], S); }
            case 7u: { coopStoreT(c13, &stage[own], S); }
            case 8u: { coopStoreT(c20, &stage[own], S); }
            case 9u: { coopStoreT(c21, &stage[own], S); }
            case 10u: { coopStoreT(c22, &stage[own], S); }
            case 11u: { coopStoreT(c23, &stage[own], S); }
            case 12u: { coopStoreT(c30, &stage[own], S); }
            case 13u: { coopStoreT(c31, &stage[own], S); }
            case 14u: { coopStoreT(c32, &stage[own], S); }
            default: { coopStoreT(c33, &stage[own], S); }
        }
        workgroupBarrier();
        let i = corner.x + down + c / COLUMNS * S;
        let j = corner.y + along + c % COLUMNS * S;
        drain(origin, part, i, j, subgroup, lane % 32u);
        workgroupBarrier();
    }
}
