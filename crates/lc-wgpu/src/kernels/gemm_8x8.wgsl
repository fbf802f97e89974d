// out = act(A·B + bias + residual) in float32: eight rows by eight columns of results a thread, in blocks of four by four.

const ROWS: u32 = 8u;
const COLUMNS: u32 = 8u;

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
        // Eight steps written out: compilers keep this loop as it is, and an H100 then loses a quarter. TK is a
        // multiple of eight.
        for (var step = 0u; step < TK; step += 8u) {
            {
                let row = first + step * WIDTH;
                let a0 = tile_a[row + place.x];
                let a1 = tile_a[row + 1u * DOWN + place.x];
                let b0 = tile_b[row + place.y];
                let b1 = tile_b[row + ACROSS + place.y];
                c0l = add_product(a0.x, b0, c0l);
                c0h = add_product(a0.x, b1, c0h);
                c1l = add_product(a0.y, b0, c1l);
                c1h = add_product(a0.y, b1, c1h);
                c2l = add_product(a0.z, b0, c2l);
                c2h = add_product(a0.z, b1, c2h);
                c3l = add_product(a0.w, b0, c3l);
                c3h = add_product(a0.w, b1, c3h);
                c4l = add_product(a1.x, b0, c4l);
                c4h = add_product(a1.x, b1, c4h);
                c5l = add_product(a1.y, b0, c5l);
                c5h = add_product(a1.y, b1, c5h);
                c6l = add_product(a1.z, b0, c6l);
                c6h = add_product(a1.z, b1, c6h);
                c7l = add_product(a1.w, b0, c7l);
                c7h = add_product(a1.w, b1, c7h);
            }
            {
                let row = first + (step + 1u) * WIDTH;
                let a0 = tile_a[row + place.x];
                let a1 = tile_a[row + 1u * DOWN + place.x];
                let b0 = tile_b[row + place.y];
                let b1 = tile_b[row + ACROSS + place.y];
                c0l = add_product(a0.x, b0, c0l);
                c0h = add_product(a0.x, b1, c0h);
                c1l = add_product(a0.y, b0, c1l);
                c1h = add_product(a0.y, b1, c1h);
                c2l = add_product(a0.z, b0, c2l);
                c2h = add_product(a0.z, b1, c2h);
                c3l = add_product(a0.w, b0, c3l);
                c3h = add_product(a0.w, b1, c3h);
                c4l = add_product(a1.x, b0, c4l);
                c4h = add_product(a1.x, b1, c4h);
                c5l = add_product(a1.y, b0, c5l);
                c5h = add_product(a1.y, b1, c5h);
                c6l = add_product(a1.z, b0, c6l);
                c6h = add_product(a1.z, b1, c6h);
                c7l = add_product(a1.w, b0, c7l);
                c7h = add_product(a1.w, b1, c7h);
            }
            {
                let row = first + (step + 2u) * WIDTH;
                let a0 = tile_a[row + place.x];
                let a1 = tile_a[row + 1u * DOWN + place.x];
                let b0 = tile_b[row + place.y];
                let b1 = tile_b[row + ACROSS + place.y];
                c0l = add_product(a0.x, b0, c0l);
                c0h = add_product(a0.x, b1, c0h);
                c1l = add_product(a0.y, b0, c1l);
                c1h = add_product(a0.y, b1, c1h);
                c2l = add_product(a0.z, b0, c2l);
                c2h = add_product(a0.z, b1, c2h);
                c3l = add_product(a0.w, b0, c3l);
                c3h = add_product(a0.w, b1, c3h);
                c4l = add_product(a1.x, b0, c4l);
                c4h = add_product(a1.x, b1, c4h);
                c5l = add_product(a1.y, b0, c5l);
                c5h = add_product(a1.y, b1, c5h);
                c6l = add_product(a1.z, b0, c6l);
                c6h = add_product(a1.z, b1, c6h);
                c7l = add_product(a1.w, b0, c7l);
                c7h = add_product(a1.w, b1, c7h);
            }
            {
                let row = first + (step + 3u) * WIDTH;
                let a0 = tile_a[row + place.x];
                let a1 = tile_a[row + 1u * DOWN + place.x];
                let b0 = tile_b[row + place.y];
                let b1 = tile_b[row + ACROSS + place.y];
                c0l = add_product(a0.x, b0, c0l);
                c0h = add_product(a0.x, b1, c0h);
                c1l = add_product(a0.y, b0, c1l);
                c1h = add_product(a0.y, b1, c1h);
                c2l = add_product(a0.z, b0, c2l);
                c2h = add_product(a0.z, b1, c2h);
                c3l = add_product(a0.w, b0, c3l);
                c3h = add_product(a0.w, b1, c3h);
                c4l = add_product(a1.x, b0, c4l);
                c4h = add_product(a1.x, b1, c4h);
                c5l = add_product(a1.y, b0, c5l);
                c5h = add_product(a1.y, b1, c5h);
                c6l = add_product(a1.z, b0, c6l);
                c6h = add_product(a1.z, b1, c6h);
                c7l = add_product(a1.w, b0, c7l);
                c7h = add_product(a1.w, b1, c7h);
            }
            {
                let row = first + (step + 4u) * WIDTH;
                let a0 = tile_a[row + place.x];
                let a1 = tile_a[row + 1u * DOWN + place.x];
                let b0 = tile_b[row + place.y];
                let b1 = tile_b[row + ACROSS + place.y];
                c0l = add_product(a0.x, b0, c0l);
                c0h = add_product(a0.x, b1, c0h);
                c1l = add_product(a0.y, b0, c1l);
                c1h = add_product(a0.y, b1, c1h);
                c2l = add_product(a0.z, b0, c2l);
                c2h = add_product(a0.z, b1, c2h);
                c3l = add_product(a0.w, b0, c3l);
                c3h = add_product(a0.w, b1, c3h);
                c4l = add_product(a1.x, b0, c4l);
                c4h = add_product(a1.x, b1, c4h);
                c5l = add_product(a1.y, b0, c5l);
                c5h = add_product(a1.y, b1, c5h);
                c6l = add_product(a1.z, b0, c6l);
                c6h = add_product(a1.z, b1, c6h);
                c7l = add_product(a1.w, b0, c7l);
                c7h = add_product(a1.w, b1, c7h);
            }
            {
                let row = first + (step + 5u) * WIDTH;
                let a0 = tile_a[row + place.x];
                let a1 = tile_a[row + 1u * DOWN + place.x];
                let b0 = tile_b[row + place.y];
                let b1 = tile_b[row + ACROSS + place.y];
                c0l = add_product(a0.x, b0, c0l);
                c0h = add_product(a0.x, b1, c0h);
                c1l = add_product(a0.y, b0, c1l);
                c1h = add_product(a0.y, b1, c1h);
                c2l = add_product(a0.z, b0, c2l);
                c2h = add_product(a0.z, b1, c2h);
                c3l = add_product(a0.w, b0, c3l);
                c3h = add_product(a0.w, b1, c3h);
                c4l = add_product(a1.x, b0, c4l);
                c4h = add_product(a1.x, b1, c4h);
                c5l = add_product(a1.y, b0, c5l);
                c5h = add_product(a1.y, b1, c5h);
                c6l = add_product(a1.z, b0, c6l);
                c6h = add_product(a1.z, b1, c6h);
                c7l = add_product(a1.w, b0, c7l);
                c7h = add_product(a1.w, b1, c7h);
            }
            {
                let row = first + (step + 6u) * WIDTH;
                let a0 = tile_a[row + place.x];
                let a1 = tile_a[row + 1u * DOWN + place.x];
                let b0 = tile_b[row + place.y];
                let b1 = tile_b[row + ACROSS + place.y];
                c0l = add_product(a0.x, b0, c0l);
                c0h = add_product(a0.x, b1, c0h);
                c1l = add_product(a0.y, b0, c1l);
                c1h = add_product(a0.y, b1, c1h);
                c2l = add_product(a0.z, b0, c2l);
                c2h = add_product(a0.z, b1, c2h);
                c3l = add_product(a0.w, b0, c3l);
                c3h = add_product(a0.w, b1, c3h);
                c4l = add_product(a1.x, b0, c4l);
                c4h = add_product(a1.x, b1, c4h);
                c5l = add_product(a1.y, b0, c5l);
                c5h = add_product(a1.y, b1, c5h);
                c6l = add_product(a1.z, b0, c6l);
                c6h = add_product(a1.z, b1, c6h);
                c7l = add_product(a1.w, b0, c7l);
                c7h = add_product(a1.w, b1, c7h);
            }
            {
                let row = first + (step + 7u) * WIDTH;
                let a0 = tile_a[row + place.x];
                let a1 = tile_a[row + 1u * DOWN + place.x];
                let b0 = tile_b[row + place.y];
                let b1 = tile_b[row + ACROSS + place.y];
                c0l = add_product(a0.x, b0, c0l);
                c0h = add_product(a0.x, b1, c0h);
                c1l = add_product(a0.y, b0, c1l);
                c1h = add_product(a0.y, b1, c1h);
                c2l = add_product(a0.z, b0, c2l);
                c2h = add_product(a0.z, b1, c2h);
                c3l = add_product(a0.w, b0, c3l);
                c3h = add_product(a0.w, b1, c3h);
                c4l = add_product(a1.x, b0, c4l);
                c4h = add_product(a1.x, b1, c4h);
                c5l = add_product(a1.y, b0, c5l);
                c5h = add_product(a1.y, b1, c5h);
                c6l = add_product(a1.z, b0, c6l);
                c6h = add_product(a1.z, b1, c6h);
                c7l = add_product(a1.w, b0, c7l);
                c7h = add_product(a1.w, b1, c7h);
            }
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
        store(origin, i, j, c0l);
        store(origin, i, j + 4u * ACROSS, c0h);
        store(origin, i + 1u, j, c1l);
        store(origin, i + 1u, j + 4u * ACROSS, c1h);
        store(origin, i + 2u, j, c2l);
        store(origin, i + 2u, j + 4u * ACROSS, c2h);
        store(origin, i + 3u, j, c3l);
        store(origin, i + 3u, j + 4u * ACROSS, c3h);
        store(origin, i + 4u * DOWN, j, c4l);
        store(origin, i + 4u * DOWN, j + 4u * ACROSS, c4h);
        store(origin, i + 4u * DOWN + 1u, j, c5l);
        store(origin, i + 4u * DOWN + 1u, j + 4u * ACROSS, c5h);
        store(origin, i + 4u * DOWN + 2u, j, c6l);
        store(origin, i + 4u * DOWN + 2u, j + 4u * ACROSS, c6h);
        store(origin, i + 4u * DOWN + 3u, j, c7l);
        store(origin, i + 4u * DOWN + 3u, j + 4u * ACROSS, c7h);
    } else if MODE == 2u {
        let part = group.z * p.m * p.n;
        store_partial(part, i, j, c0l);
        store_partial(part, i, j + 4u * ACROSS, c0h);
        store_partial(part, i + 1u, j, c1l);
        store_partial(part, i + 1u, j + 4u * ACROSS, c1h);
        store_partial(part, i + 2u, j, c2l);
        store_partial(part, i + 2u, j + 4u * ACROSS, c2h);
        store_partial(part, i + 3u, j, c3l);
        store_partial(part, i + 3u, j + 4u * ACROSS, c3h);
        store_partial(part, i + 4u * DOWN, j, c4l);
        store_partial(part, i + 4u * DOWN, j + 4u * ACROSS, c4h);
        store_partial(part, i + 4u * DOWN + 1u, j, c5l);
        store_partial(part, i + 4u * DOWN + 1u, j + 4u * ACROSS, c5h);
        store_partial(part, i + 4u * DOWN + 2u, j, c6l);
        store_partial(part, i + 4u * DOWN + 2u, j + 4u * ACROSS, c6h);
        store_partial(part, i + 4u * DOWN + 3u, j, c7l);
        store_partial(part, i + 4u * DOWN + 3u, j + 4u * ACROSS, c7h);
    } else {
        // A loop: the activations are long, and 16 copies would take the compiler long.
        var sums = array<vec4<f32>, 16>(
            c0l, c0h, c1l, c1h, c2l, c2h, c3l, c3h,
            c4l, c4h, c5l, c5h, c6l, c6h, c7l, c7h,
        );
        for (var s = 0u; s < 16u; s++) {
            let down = s / 2u % 4u + s / 8u * 4u * DOWN;
            finish4(origin, i + down, j + s % 2u * 4u * ACROSS, sums[s]);
        }
    }
}
