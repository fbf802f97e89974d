// out = act(A·B + bias + residual) with operands rounded to float16 and sums in float32, on matrix units: four by two
// matrices a subgroup.

const COLUMNS: u32 = 2u;

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
    var c00: MatrixC; var c01: MatrixC;
    var c10: MatrixC; var c11: MatrixC;
    var c20: MatrixC; var c21: MatrixC;
    var c30: MatrixC; var c31: MatrixC;

    var a_0: mat4x4<f16>;
    var b_0: mat4x4<f16>;
    a_0 = dense_a(path_a0.at, left_of(k_first + path_a0.k, k_end));
    b_0 = dense_b(path_b0.at, left_of(k_first + path_b0.k, k_end));
    keep_a(path_a0.slot, a_0);
    keep_b(path_b0.slot, b_0);
    workgroupBarrier();
    var first = 0u;
    for (var k = k_first; k < k_end; k += TK) {
        let next = k + TK;
        if next < k_end {
            path_a0.at += vec4<u32>(TK * p.a_k);
            path_b0.at += vec4<u32>(TK * p.b_k);
            a_0 = dense_a(path_a0.at, left_of(next + path_a0.k, k_end));
            b_0 = dense_b(path_b0.at, left_of(next + path_b0.k, k_end));
        }
        for (var step = 0u; step < TK; step += S) {
            let a0 = load_a(first + slot_a(down + 0u * S, step));
            let a1 = load_a(first + slot_a(down + 1u * S, step));
            let a2 = load_a(first + slot_a(down + 2u * S, step));
            let a3 = load_a(first + slot_a(down + 3u * S, step));
            let b0 = load_b(first + slot_b(along + 0u * S, step));
            let b1 = load_b(first + slot_b(along + 1u * S, step));
            c00 = coopMultiplyAdd(a0, b0, c00);
            c01 = coopMultiplyAdd(a0, b1, c01);
            c10 = coopMultiplyAdd(a1, b0, c10);
            c11 = coopMultiplyAdd(a1, b1, c11);
            c20 = coopMultiplyAdd(a2, b0, c20);
            c21 = coopMultiplyAdd(a2, b1, c21);
            c30 = coopMultiplyAdd(a3, b0, c30);
            c31 = coopMultiplyAdd(a3, b1, c31);
        }
        if next < k_end {
            first = TILE - first;
            keep_a(first + path_a0.slot, a_0);
            keep_b(first + path_b0.slot, b_0);
        }
        workgroupBarrier();
    }

    let part = group.z * p.m * p.n;
    let own = subgroup * S * S;
    for (var c = 0u; c < 4u * COLUMNS; c++) {
        switch c {
            case 0u: { coopStoreT(c00, &stage[own], S); }
            case 1u: { coopStoreT(c01, &stage[own], S); }
            case 2u: { coopStoreT(c10, &stage[own], S); }
            case 3u: { coopStoreT(c11, &stage[own], S); }
            case 4u: { coopStoreT(c20, &stage[own], S); }
            case 5u: { coopStoreT(c21, &stage[own], S); }
            case 6u: { coopStoreT(c30, &stage[own], S); }
            default: { coopStoreT(c31, &stage[own], S); }
        }
        workgroupBarrier();
        let i = corner.x + down + c / COLUMNS * S;
        let j = corner.y + along + c % COLUMNS * S;
        drain(origin, part, i, j, subgroup, lane % 32u);
        workgroupBarrier();
    }
}
