// Rows of a tensor of any strides, layer-normalised into a dense matrix: (x − mean) / sqrt(var + eps) · weight + bias. One
// workgroup a row; mean, then variance about it, then the row itself.

const RANK: u32 = 7u;

struct Params {
    rows: u32,
    d: u32,
    first_x: u32,
    x_step: u32,
    first_weight: u32,
    weight_step: u32,
    first_bias: u32,
    bias_step: u32,
    // One for the weight, two for the bias.
    flags: u32,
    eps: f32,
    dims: array<u32, RANK>,
    steps: array<u32, RANK>,
}

@group(0) @binding(0) var<storage, read_write> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> weight: array<Element>;
@group(0) @binding(2) var<storage, read_write> bias: array<Element>;
@group(0) @binding(3) var<storage, read_write> out: array<Element>;
var<immediate> p: Params;

const THREADS: u32 = 256u;
var<workgroup> sums: array<f32, THREADS>;

fn total(lane: u32, own: f32) -> f32 {
    sums[lane] = own;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if lane < half {
            sums[lane] += sums[lane + half];
        }
        workgroupBarrier();
    }
    let all = sums[0];
    // Everybody has read before the next sum is written.
    workgroupBarrier();
    return all;
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group.y * groups.x + group.x;
    if row >= p.rows {
        return;
    }
    var rest = row;
    var first = p.first_x;
    for (var step = 0u; step < RANK; step++) {
        let d = RANK - 1u - step;
        first += rest % p.dims[d] * p.steps[d];
        rest /= p.dims[d];
    }
    var sum = 0.0;
    for (var j = lane; j < p.d; j += THREADS) {
        sum += f32(x[first + j * p.x_step]);
    }
    let mean = total(lane, sum) / f32(p.d);
    var squares = 0.0;
    for (var j = lane; j < p.d; j += THREADS) {
        let off = f32(x[first + j * p.x_step]) - mean;
        squares += off * off;
    }
    let deviation = sqrt(total(lane, squares) / f32(p.d) + p.eps);
    for (var j = lane; j < p.d; j += THREADS) {
        var y = (f32(x[first + j * p.x_step]) - mean) / deviation;
        if (p.flags & 1u) != 0u {
            y *= f32(weight[p.first_weight + j * p.weight_step]);
        }
        if (p.flags & 2u) != 0u {
            y += f32(bias[p.first_bias + j * p.bias_step]);
        }
        out[row * p.d + j] = Element(y);
    }
}
