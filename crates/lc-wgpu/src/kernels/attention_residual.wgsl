// error = factor · (out − target), and for each workgroup the sum of the squares of out − target.

struct Params {
    count: u32,
    first_out: u32,
    first_target: u32,
    first_loss: u32,
    factor: f32,
    // Of the sum of squares.
    loss_factor: f32,
    // Whether the sum is wanted: else it is zero.
    wanted: u32,
}

@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read_write> target_values: array<f32>;
@group(0) @binding(2) var<storage, read_write> error: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
var<immediate> params: Params;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    var sum = 0.0;
    for (var i = group.x * GROUP + lane; i < params.count; i += groups.x * GROUP) {
        let away = out[params.first_out + i] - target_values[params.first_target + i];
        error[i] = away * params.factor;
        sum = fma(away, away, sum);
    }
    let all = team_total(lane, sum);
    if lane == 0u {
        loss[params.first_loss + group.x] = select(0.0, all * params.loss_factor, params.wanted != 0u);
    }
}
