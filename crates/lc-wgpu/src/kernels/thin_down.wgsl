// B is read along n: a thread sums four columns over every eighth k, a workgroup 128 columns.

const THREADS: u32 = 256u;
const STEP: u32 = 32u;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = (group.y * groups.x + group.x) * STEP * 4u;
    if first >= p.n {
        return;
    }
    let j = first + lane % STEP * 4u;
    let origin = origin_of(group.z / p.splits);
    let k_first = group.z % p.splits * p.chunk;
    let k_end = min(k_first + p.chunk, p.k);
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    if j < p.n {
        for (var k = k_first + lane / STEP; k < k_end; k += THREADS / STEP) {
            let x = four_b(origin.b + k * p.b_k + j * p.b_n, p.b_n, p.n - j);
            let row = origin.a + k * p.a_k;
            sum0 += f32(a[row]) * x;
            if M > 1u { sum1 += f32(a[row + p.a_m]) * x; }
            if M > 2u { sum2 += f32(a[row + 2u * p.a_m]) * x; }
            if M > 3u { sum3 += f32(a[row + 3u * p.a_m]) * x; }
        }
    }
    for (var i = 0u; i < M; i++) {
        var own = sum0;
        switch i {
            case 0u: {}
            case 1u: { own = sum1; }
            case 2u: { own = sum2; }
            default: { own = sum3; }
        }
        let all = gather(lane, own);
        if lane < STEP {
            put(origin, group.z, i, j, all);
        }
    }
}
