// Normalisation of rows: by mean and variance where CENTRED, else by the mean square. TEAM threads a row. Rows that fit
// are held in registers, HOLD vectors a thread, and read once; with HOLD 0 they are read again for each pass. A workgroup
// takes several rows, so that weights, which registers hold too where few are needed, are read for all of them.

struct Params {
    rows: u32,
    // In vectors, as what follows.
    extent: u32,
    first_x: u32,
    first_weight: u32,
    first_bias: u32,
    first_out: u32,
    // Bit 0: there is a weight; bit 1: there is a bias.
    has: u32,
    eps: f32,
    // Rows that each team of a workgroup takes, one after the other.
    turns: u32,
}

override HOLD: u32 = 8u;
override CENTRED: u32 = 1u;
const MOST = 16u;
// Up to this many vectors, those of weights and biases are held as well.
const FEW = 4u;

@group(0) @binding(0) var<storage, read_write> x: array<Wide>;
@group(0) @binding(1) var<storage, read_write> weight: array<Wide>;
@group(0) @binding(2) var<storage, read_write> bias: array<Wide>;
@group(0) @binding(3) var<storage, read_write> out: array<Wide>;
var<immediate> params: Params;

fn weight_at(j: u32) -> Wide {
    if (params.has & 1u) != 0u {
        return weight[params.first_weight + j];
    }
    return Wide(1.0);
}

fn bias_at(j: u32) -> Wide {
    if (params.has & 2u) != 0u {
        return bias[params.first_bias + j];
    }
    return Wide(0.0);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let member = lane % TEAM;
    let count = f32(params.extent * WIDTH);
    var held: array<Wide, MOST>;
    var weights: array<Wide, FEW>;
    var biases: array<Wide, FEW>;
    if HOLD > 0u && HOLD <= FEW {
        for (var s = 0u; s < min(HOLD, FEW); s++) {
            let j = member + s * TEAM;
            if j < params.extent {
                weights[s] = weight_at(j);
                biases[s] = bias_at(j);
            }
        }
    }
    let first_row = (group.y * groups.x + group.x) * params.turns * (GROUP / TEAM) + lane / TEAM;
    for (var turn = 0u; turn < params.turns; turn++) {
        let row = first_row + turn * (GROUP / TEAM);
        // Threads without a row have one of no elements.
        let extent = select(0u, params.extent, row < params.rows);
        let from_x = params.first_x + row * params.extent;
        let to_out = params.first_out + row * params.extent;
        var sum = Wide(0.0);
        if HOLD > 0u {
            for (var s = 0u; s < HOLD; s++) {
                let j = member + s * TEAM;
                if j < extent {
                    held[s] = x[from_x + j];
                    sum += held[s];
                }
            }
        } else if CENTRED != 0u {
            for (var j = member; j < extent; j += TEAM) {
                sum += x[from_x + j];
            }
        }
        var mean = 0.0;
        if CENTRED != 0u {
            mean = team_total(lane, total(sum)) / count;
        }
        // Squares of what is left of the mean: nothing cancels.
        var squares = Wide(0.0);
        if HOLD > 0u {
            for (var s = 0u; s < HOLD; s++) {
                if member + s * TEAM < extent {
                    held[s] -= Wide(mean);
                    squares += held[s] * held[s];
                }
            }
        } else {
            for (var j = member; j < extent; j += TEAM) {
                let away = x[from_x + j] - Wide(mean);
                squares += away * away;
            }
        }
        let factor = 1.0 / sqrt(team_total(lane, total(squares)) / count + params.eps);
        if HOLD > FEW {
            for (var s = 0u; s < HOLD; s++) {
                let j = member + s * TEAM;
                if j < extent {
                    out[to_out + j] = held[s] * factor * weight_at(j) + bias_at(j);
                }
            }
        } else if HOLD > 0u {
            for (var s = 0u; s < min(HOLD, FEW); s++) {
                let j = member + s * TEAM;
                if j < extent {
                    out[to_out + j] = held[s] * factor * weights[s] + biases[s];
                }
            }
        } else {
            for (var j = member; j < extent; j += TEAM) {
                out[to_out + j] = (x[from_x + j] - Wide(mean)) * factor * weight_at(j) + bias_at(j);
            }
        }
    }
}
