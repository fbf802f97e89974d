// out = act(A·B + bias + residual) in float32: eight rows by four columns of results a thread, in blocks of four by four.

const ROWS: u32 = 8u;
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
    var l = loader(lane, origin, corner, k_first);
    let place = position(lane);
    var c0 = vec4<f32>();
    var c1 = vec4<f32>();
    var c2 = vec4<f32>();
    var c3 = vec4<f32>();
    var c4 = vec4<f32>();
    var c5 = vec4<f32>();
    var c6 = vec4<f32>();
    var c7 = vec4<f32>();

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
            let a0 = tile_a[row + place.x];
            let a1 = tile_a[row + 1u * DOWN + place.x];
            let b0 = tile_b[row + place.y];
            c0 = add_product(a0.x, b0, c0);
            c1 = add_product(a0.y, b0, c1);
            c2 = add_product(a0.z, b0, c2);
            c3 = add_product(a0.w, b0, c3);
            c4 = add_product(a1.x, b0, c4);
            c5 = add_product(a1.y, b0, c5);
            c6 = add_product(a1.z, b0, c6);
            c7 = add_product(a1.w, b0, c7);
        }
        if next < k_end {
            buffer = 1u - buffer;
            keep(l, buffer, block);
        }
        workgroupBarrier();
    }

    let i = corner.x + 4u * place.x;
    let j = corner.y + 4u * place.y;
    if MODE == 0u {
        store(origin, i, j, c0);
        store(origin, i + 1u, j, c1);
        store(origin, i + 2u, j, c2);
        store(origin, i + 3u, j, c3);
        store(origin, i + 4u * DOWN, j, c4);
        store(origin, i + 4u * DOWN + 1u, j, c5);
        store(origin, i + 4u * DOWN + 2u, j, c6);
        store(origin, i + 4u * DOWN + 3u, j, c7);
    } else if MODE == 2u {
        let part = group.z * p.m * p.n;
        store_partial(part, i, j, c0);
        store_partial(part, i + 1u, j, c1);
        store_partial(part, i + 2u, j, c2);
        store_partial(part, i + 3u, j, c3);
        store_partial(part, i + 4u * DOWN, j, c4);
        store_partial(part, i + 4u * DOWN + 1u, j, c5);
        store_partial(part, i + 4u * DOWN + 2u, j, c6);
        store_partial(part, i + 4u * DOWN + 3u, j, c7);
    } else {
        // A loop: the activations are long, and 8 copies would take the compiler long.
        var sums = array<vec4<f32>, 8>(
            c0, c1, c2, c3, c4, c5, c6, c7,
        );
        for (var s = 0u; s < 8u; s++) {
            finish4(origin, i + s % 4u + s / 4u * 4u * DOWN, j, sums[s]);
        }
    }
}
