// out = factor · the sum of x, by one workgroup.

struct Params {
    count: u32,
    first_out: u32,
    factor: f32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var i = lane; i < params.count; i += GROUP) {
        sum += x[i];
    }
    let all = team_total(lane, sum);
    if lane == 0u {
        out[params.first_out] = all * params.factor;
    }
}
