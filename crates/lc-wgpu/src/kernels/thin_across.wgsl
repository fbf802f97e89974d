// B is read along k: a workgroup computes four columns, each thread every fourth of 128 parts of k.

const THREADS: u32 = 128u;
const STEP: u32 = 1u;

fn four_a(at: u32, left: u32) -> vec4<f32> {
    var x = vec4<f32>(f32(a[at]), 0.0, 0.0, 0.0);
    if left > 1u { x.y = f32(a[at + p.a_k]); }
    if left > 2u { x.z = f32(a[at + 2u * p.a_k]); }
    if left > 3u { x.w = f32(a[at + 3u * p.a_k]); }
    return x;
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let j = (group.y * groups.x + group.x) * 4u;
    if j >= p.n {
        return;
    }
    let origin = origin_of(group.z / p.splits);
    let k_first = group.z % p.splits * p.chunk;
    let k_end = min(k_first + p.chunk, p.k);
    // Columns past the end are read from the last one: their sums are never stored.
    let columns = origin.b + min(vec4<u32>(j) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n - 1u)) * p.b_n;
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var k = k_first + lane * 4u; k < k_end; k += THREADS * 4u) {
        let left = k_end - k;
        let at = columns + vec4<u32>(k * p.b_k);
        let b0 = four_b(at.x, p.b_k, left);
        let b1 = four_b(at.y, p.b_k, left);
        let b2 = four_b(at.z, p.b_k, left);
        let b3 = four_b(at.w, p.b_k, left);
        let row = origin.a + k * p.a_k;
        let a0 = four_a(row, left);
        sum0 += vec4<f32>(dot(a0, b0), dot(a0, b1), dot(a0, b2), dot(a0, b3));
        if M > 1u {
            let a1 = four_a(row + p.a_m, left);
            sum1 += vec4<f32>(dot(a1, b0), dot(a1, b1), dot(a1, b2), dot(a1, b3));
        }
        if M > 2u {
            let a2 = four_a(row + 2u * p.a_m, left);
            sum2 += vec4<f32>(dot(a2, b0), dot(a2, b1), dot(a2, b2), dot(a2, b3));
        }
        if M > 3u {
            let a3 = four_a(row + 3u * p.a_m, left);
            sum3 += vec4<f32>(dot(a3, b0), dot(a3, b1), dot(a3, b2), dot(a3, b3));
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
        if lane == 0u {
            put(origin, group.z, i, j, all);
        }
    }
}
