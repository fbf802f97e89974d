// out = act(A·B + bias + residual) in float32: 8 by 8 results a thread, in four blocks of four by four.

// Rows and columns of the result that one thread computes.
const R: u32 = 8u;

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
    var l = loader(lane, origin, corner, k_first);
    let place = position(lane);
    var c0l = vec4<f32>(); var c0h = vec4<f32>();
    var c1l = vec4<f32>(); var c1h = vec4<f32>();
    var c2l = vec4<f32>(); var c2h = vec4<f32>();
    var c3l = vec4<f32>(); var c3h = vec4<f32>();
    var c4l = vec4<f32>(); var c4h = vec4<f32>();
    var c5l = vec4<f32>(); var c5h = vec4<f32>();
    var c6l = vec4<f32>(); var c6h = vec4<f32>();
    var c7l = vec4<f32>(); var c7h = vec4<f32>();

    keep(l, 0u, fetch(l, k_first, k_end));
    workgroupBarrier();
    var buffer = 0u;
    for (var k = k_first; k < k_end; k += TK) {
        let next = k + TK;
        var block: mat4x4<f32>;
        if next < k_end {
            l.at += vec4<u32>(l.step);
            block = fetch(l, next, k_end);
        }
        let first = buffer * TILE;
        for (var step = 0u; step < TK; step++) {
            let row = first + step * WIDTH;
            let a_low = tile_a[row + place.x];
            let a_high = tile_a[row + SIDE + place.x];
            let b_low = tile_b[row + place.y];
            let b_high = tile_b[row + SIDE + place.y];
            c0l = fma(vec4<f32>(a_low.x), b_low, c0l);
            c0h = fma(vec4<f32>(a_low.x), b_high, c0h);
            c1l = fma(vec4<f32>(a_low.y), b_low, c1l);
            c1h = fma(vec4<f32>(a_low.y), b_high, c1h);
            c2l = fma(vec4<f32>(a_low.z), b_low, c2l);
            c2h = fma(vec4<f32>(a_low.z), b_high, c2h);
            c3l = fma(vec4<f32>(a_low.w), b_low, c3l);
            c3h = fma(vec4<f32>(a_low.w), b_high, c3h);
            c4l = fma(vec4<f32>(a_high.x), b_low, c4l);
            c4h = fma(vec4<f32>(a_high.x), b_high, c4h);
            c5l = fma(vec4<f32>(a_high.y), b_low, c5l);
            c5h = fma(vec4<f32>(a_high.y), b_high, c5h);
            c6l = fma(vec4<f32>(a_high.z), b_low, c6l);
            c6h = fma(vec4<f32>(a_high.z), b_high, c6h);
            c7l = fma(vec4<f32>(a_high.w), b_low, c7l);
            c7h = fma(vec4<f32>(a_high.w), b_high, c7h);
        }
        if next < k_end {
            buffer = 1u - buffer;
            keep(l, buffer, block);
        }
        workgroupBarrier();
    }

    let i = corner.x + 4u * place.x;
    let j = corner.y + 4u * place.y;
    let half = 4u * SIDE;
    if MODE == 0u {
        store(origin, i, j, c0l);
        store(origin, i, j + half, c0h);
        store(origin, i + 1u, j, c1l);
        store(origin, i + 1u, j + half, c1h);
        store(origin, i + 2u, j, c2l);
        store(origin, i + 2u, j + half, c2h);
        store(origin, i + 3u, j, c3l);
        store(origin, i + 3u, j + half, c3h);
        store(origin, i + half, j, c4l);
        store(origin, i + half, j + half, c4h);
        store(origin, i + half + 1u, j, c5l);
        store(origin, i + half + 1u, j + half, c5h);
        store(origin, i + half + 2u, j, c6l);
        store(origin, i + half + 2u, j + half, c6h);
        store(origin, i + half + 3u, j, c7l);
        store(origin, i + half + 3u, j + half, c7h);
    } else if MODE == 2u {
        let part = group.z * p.m * p.n;
        store_partial(part, i, j, c0l);
        store_partial(part, i, j + half, c0h);
        store_partial(part, i + 1u, j, c1l);
        store_partial(part, i + 1u, j + half, c1h);
        store_partial(part, i + 2u, j, c2l);
        store_partial(part, i + 2u, j + half, c2h);
        store_partial(part, i + 3u, j, c3l);
        store_partial(part, i + 3u, j + half, c3h);
        store_partial(part, i + half, j, c4l);
        store_partial(part, i + half, j + half, c4h);
        store_partial(part, i + half + 1u, j, c5l);
        store_partial(part, i + half + 1u, j + half, c5h);
        store_partial(part, i + half + 2u, j, c6l);
        store_partial(part, i + half + 2u, j + half, c6h);
        store_partial(part, i + half + 3u, j, c7l);
        store_partial(part, i + half + 3u, j + half, c7h);
    } else {
        // A loop: the activations are long, and sixteen copies would take the compiler long.
        var sums = array<vec4<f32>, 16>(
            c0l, c0h, c1l, c1h, c2l, c2h, c3l, c3h,
            c4l, c4h, c5l, c5h, c6l, c6h, c7l, c7h,
        );
        for (var s = 0u; s < 16u; s++) {
            let down = s / 2u % 4u + select(0u, half, s >= 8u);
            finish4(origin, i + down, j + s % 2u * half, sums[s]);
        }
    }
}
