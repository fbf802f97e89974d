// An attention of which each part of the keys was done on its own: brings the parts to one maximum and adds them.
// One thread an element.

struct Params {
    // Rows of all heads.
    rows: u32,
    value_dim: u32,
    parts: u32,
    first_out: u32,
    rectify: u32,
    output_scale: f32,
    output_bias: f32,
}

// By part, row and column.
@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
// By part and row: the maximum and the sum of the probabilities.
@group(0) @binding(1) var<storage, read_write> stats: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<Element>;
var<immediate> params: Params;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i >= params.rows * params.value_dim {
        return;
    }
    let row = i / params.value_dim;
    var top = stats[2u * row];
    for (var part = 1u; part < params.parts; part++) {
        top = max(top, stats[2u * (part * params.rows + row)]);
    }
    var all = 0.0;
    var result = 0.0;
    for (var part = 0u; part < params.parts; part++) {
        let at = part * params.rows + row;
        let factor = exp(stats[2u * at] - top);
        all = fma(factor, stats[2u * at + 1u], all);
        result = fma(factor, sums[part * params.rows * params.value_dim + i], result);
    }
    // A row that sees nothing is zero, whatever the values hold.
    var y = select(result / all, 0.0, all == 0.0) * params.output_scale + params.output_bias;
    if params.rectify != 0u && y < 0.0 {
        y = 0.0;
    }
    out[params.first_out + i] = Element(y);
}
