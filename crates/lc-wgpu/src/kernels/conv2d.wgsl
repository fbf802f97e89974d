// A convolution as a matrix product whose second operand is gathered from the image: no copy of it is ever made.
//
// A workgroup computes 8·DOWN channels of 4·ACROSS pixels, a thread eight channels of four neighbouring pixels. Tiles are
// 2·DOWN products deep, so that every thread gathers eight elements of each. Where those lie from a filter's corner is
// worked out once for a tile, for the tile after the one that is being loaded.

override DOWN: u32 = 8u;
override ACROSS: u32 = 32u;
override THREADS: u32 = DOWN * ACROSS;
override DEPTH: u32 = 2u * DOWN;
// Vectors of a row of weights, and one so that rows begin in different banks.
override LINE: u32 = 2u * DOWN + 1u;
// Weights that a thread loads of a tile.
override WEIGHTS: u32 = 16u * DOWN / ACROSS;

var<workgroup> weights: array<vec4<f32>, DEPTH * LINE>;
var<workgroup> image: array<vec4<f32>, DEPTH * ACROSS>;
var<workgroup> taps: array<Corner, 2u * DEPTH>;

fn gather(corner: Corner, live: bool, tap: Corner) -> f32 {
    var value = 0.0;
    if live && corner.y + tap.y < params.height && corner.x + tap.x < params.width {
        value = f32(x[corner.at + tap.at]);
    }
    return value;
}

fn weight(start: u32, channel0: u32, k0: u32, number: u32) -> f32 {
    let channel = channel0 + number / DEPTH;
    let k = k0 + number % DEPTH;
    var value = 0.0;
    if number < 8u * DOWN * DEPTH && channel < params.channels && k < params.depth {
        value = f32(w[start + channel * params.depth + k]);
    }
    return value;
}

// Four of a thread's weights of a tile.
fn weigh_tile(start: u32, channel0: u32, k0: u32, number: u32) -> vec4<f32> {
    return vec4<f32>(
        weight(start, channel0, k0, number),
        weight(start, channel0, k0, number + THREADS),
        weight(start, channel0, k0, number + 2u * THREADS),
        weight(start, channel0, k0, number + 3u * THREADS),
    );
}

fn keep_weight(number: u32, value: f32) {
    if number < 8u * DOWN * DEPTH {
        let channel = number / DEPTH;
        weights[number % DEPTH * LINE + channel / 4u][channel % 4u] = value;
    }
}

fn keep_weights(number: u32, values: vec4<f32>) {
    keep_weight(number, values.x);
    keep_weight(number + THREADS, values.y);
    keep_weight(number + 2u * THREADS, values.z);
    keep_weight(number + 3u * THREADS, values.w);
}

// A thread's eight elements of a tile.
struct Gathered {
    low: vec4<f32>,
    high: vec4<f32>,
}

fn gather_tile(corner: Corner, live: bool, slot: u32, step: u32) -> Gathered {
    return Gathered(
        vec4<f32>(
            gather(corner, live, taps[slot]),
            gather(corner, live, taps[slot + step]),
            gather(corner, live, taps[slot + 2u * step]),
            gather(corner, live, taps[slot + 3u * step]),
        ),
        vec4<f32>(
            gather(corner, live, taps[slot + 4u * step]),
            gather(corner, live, taps[slot + 5u * step]),
            gather(corner, live, taps[slot + 6u * step]),
            gather(corner, live, taps[slot + 7u * step]),
        ),
    );
}

fn keep_pixel(number: u32, value: f32) {
    let pixel = number % (4u * ACROSS);
    image[number / (4u * ACROSS) * ACROSS + pixel / 4u][pixel % 4u] = value;
}

fn put4(group: u32, channel: u32, pixel: u32, sums: vec4<f32>) {
    for (var i = 0u; i < 4u; i++) {
        put(group, channel, pixel + i, sums[i]);
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    // Channels are the innermost, so that neighbours read the same part of the image.
    let down = (params.channels + 8u * DOWN - 1u) / (8u * DOWN);
    let across = (params.pixels + 4u * ACROSS - 1u) / (4u * ACROSS);
    let id = group.y * groups.x + group.x;
    let channel0 = id % down * 8u * DOWN;
    let pixel0 = id / down % across * 4u * ACROSS;
    let own = id / down / across;
    if own >= params.groups {
        return;
    }
    let start = params.first_w + own * params.channels * params.depth;

    // A thread gathers for one pixel, or for a few that are THREADS apart, which is a multiple of a row of pixels.
    let pixel = pixel0 + lane % (4u * ACROSS);
    let live = pixel < params.pixels;
    let corner = corner_of(own, min(pixel, params.pixels - 1u));
    let first_tap = lane / (4u * ACROSS);
    let tap_step = THREADS / (4u * ACROSS);

    let thread_down = lane / ACROSS;
    let thread_across = lane % ACROSS;
    var c0 = vec4<f32>(0.0);
    var c1 = vec4<f32>(0.0);
    var c2 = vec4<f32>(0.0);
    var c3 = vec4<f32>(0.0);
    var c4 = vec4<f32>(0.0);
    var c5 = vec4<f32>(0.0);
    var c6 = vec4<f32>(0.0);
    var c7 = vec4<f32>(0.0);

    if lane < DEPTH {
        taps[lane] = tap_of(lane);
    }
    workgroupBarrier();
    var gathered: Gathered;
    var w_low: vec4<f32>;
    var w_high: vec4<f32>;
    gathered = gather_tile(corner, live, first_tap, tap_step);
    w_low = weigh_tile(start, channel0, 0u, lane);
    if WEIGHTS > 4u {
        w_high = weigh_tile(start, channel0, 0u, lane + 4u * THREADS);
    }
    for (var k0 = 0u; k0 < params.depth; k0 += DEPTH) {
        // Everybody is done with the tile before.
        workgroupBarrier();
        keep_pixel(lane, gathered.low.x);
        keep_pixel(lane + THREADS, gathered.low.y);
        keep_pixel(lane + 2u * THREADS, gathered.low.z);
        keep_pixel(lane + 3u * THREADS, gathered.low.w);
        keep_pixel(lane + 4u * THREADS, gathered.high.x);
        keep_pixel(lane + 5u * THREADS, gathered.high.y);
        keep_pixel(lane + 6u * THREADS, gathered.high.z);
        keep_pixel(lane + 7u * THREADS, gathered.high.w);
        keep_weights(lane, w_low);
        if WEIGHTS > 4u {
            keep_weights(lane + 4u * THREADS, w_high);
        }
        let next = k0 + DEPTH;
        let other = select(0u, DEPTH, (next / DEPTH) % 2u == 1u);
        if lane < DEPTH {
            taps[other + lane] = tap_of(next + lane);
        }
        workgroupBarrier();
        if next < params.depth {
            gathered = gather_tile(corner, live, other + first_tap, tap_step);
            w_low = weigh_tile(start, channel0, next, lane);
            if WEIGHTS > 4u {
                w_high = weigh_tile(start, channel0, next, lane + 4u * THREADS);
            }
        }
        for (var k = 0u; k < DEPTH; k++) {
            let a = weights[k * LINE + 2u * thread_down];
            let b = weights[k * LINE + 2u * thread_down + 1u];
            let v = image[k * ACROSS + thread_across];
            c0 = fma(vec4<f32>(a.x), v, c0);
            c1 = fma(vec4<f32>(a.y), v, c1);
            c2 = fma(vec4<f32>(a.z), v, c2);
            c3 = fma(vec4<f32>(a.w), v, c3);
            c4 = fma(vec4<f32>(b.x), v, c4);
            c5 = fma(vec4<f32>(b.y), v, c5);
            c6 = fma(vec4<f32>(b.z), v, c6);
            c7 = fma(vec4<f32>(b.w), v, c7);
        }
    }

    let channel = channel0 + 8u * thread_down;
    let to = pixel0 + 4u * thread_across;
    // A loop: the activations are long, and eight copies would take the compiler long.
    var sums = array<vec4<f32>, 8>(c0, c1, c2, c3, c4, c5, c6, c7);
    for (var i = 0u; i < 8u; i++) {
        put4(own, channel + i, to, sums[i]);
    }
}
