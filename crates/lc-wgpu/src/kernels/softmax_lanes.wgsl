// Softmax along any dimension, and of rows of any extent: one read for maximum and sum together, one for the result.
// A workgroup takes COLUMNS neighbouring lanes, so that reads are of neighbouring addresses, and 256 / COLUMNS threads
// share a lane.

struct Params {
    // Extents before, along and after the dimension.
    outer: u32,
    extent: u32,
    inner: u32,
    first_x: u32,
    first_out: u32,
}

override COLUMNS: u32 = 1u;
const GROUP = 256u;
const LOWEST = -3.4028234663852886e38;

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
var<immediate> params: Params;

var<workgroup> tops: array<f32, GROUP>;
var<workgroup> sums: array<f32, GROUP>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let parts = GROUP / COLUMNS;
    let part = lane / COLUMNS;
    let column = (group.y * groups.x + group.x) * COLUMNS + lane % COLUMNS;
    let extent = select(0u, params.extent, column < params.outer * params.inner);
    let start = column / params.inner * params.extent * params.inner + column % params.inner;
    var top = LOWEST;
    var sum = 0.0;
    // Four at a time: they are read side by side, and the sum is brought to a new maximum once.
    var next = part;
    for (; next + 3u * parts < extent; next += 4u * parts) {
        let at = params.first_x + start + next * params.inner;
        let step = parts * params.inner;
        let values = vec4<f32>(x[at], x[at + step], x[at + 2u * step], x[at + 3u * step]);
        let higher = max(max(max(values.x, values.y), max(values.z, values.w)), top);
        let p = exp(values - vec4<f32>(higher));
        sum = sum * exp(top - higher) + ((p.x + p.y) + (p.z + p.w));
        top = higher;
    }
    for (; next < extent; next += parts) {
        let value = x[params.first_x + start + next * params.inner];
        let higher = max(top, value);
        sum = sum * exp(top - higher) + exp(value - higher);
        top = higher;
    }
    tops[lane] = top;
    sums[lane] = sum;
    for (var half = GROUP / 2u; half >= COLUMNS; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            let higher = max(tops[lane], tops[lane + half]);
            sums[lane] = sums[lane] * exp(tops[lane] - higher) + sums[lane + half] * exp(tops[lane + half] - higher);
            tops[lane] = higher;
        }
    }
    workgroupBarrier();
    top = tops[lane % COLUMNS];
    let factor = 1.0 / sums[lane % COLUMNS];
    next = part;
    for (; next + 3u * parts < extent; next += 4u * parts) {
        let at = start + next * params.inner;
        let step = parts * params.inner;
        let source = params.first_x + at;
        let values = vec4<f32>(x[source], x[source + step], x[source + 2u * step], x[source + 3u * step]);
        let p = exp(values - vec4<f32>(top)) * factor;
        let to = params.first_out + at;
        out[to] = p.x;
        out[to + step] = p.y;
        out[to + 2u * step] = p.z;
        out[to + 3u * step] = p.w;
    }
    for (; next < extent; next += parts) {
        let at = start + next * params.inner;
        out[params.first_out + at] = exp(x[params.first_x + at] - top) * factor;
    }
}
