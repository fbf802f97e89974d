// Softmax of rows that fit in registers: TEAM threads a row, HOLD vectors a thread, one read and one write of memory.

struct Params {
    rows: u32,
    // In vectors, all three.
    extent: u32,
    first_x: u32,
    first_out: u32,
}

override HOLD: u32 = 8u;
const MOST = 32u;

@group(0) @binding(0) var<storage, read_write> x: array<Wide>;
@group(0) @binding(1) var<storage, read_write> out: array<Wide>;
var<immediate> params: Params;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = (group.y * groups.x + group.x) * (GROUP / TEAM) + lane / TEAM;
    let member = lane % TEAM;
    // Threads without a row have one of no elements.
    let extent = select(0u, params.extent, row < params.rows);
    let start = row * params.extent;
    var held: array<Wide, MOST>;
    var high = Wide(LOWEST);
    for (var s = 0u; s < HOLD; s++) {
        let j = member + s * TEAM;
        if j < extent {
            held[s] = x[params.first_x + start + j];
            high = max(high, held[s]);
        }
    }
    // NaN may be lost here: the exponentials bring it back.
    let top = Wide(team_widest(lane, widest(high)));
    var sum = Wide(0.0);
    for (var s = 0u; s < HOLD; s++) {
        if member + s * TEAM < extent {
            held[s] = exp(held[s] - top);
            sum += held[s];
        }
    }
    let factor = 1.0 / team_total(lane, total(sum));
    for (var s = 0u; s < HOLD; s++) {
        let j = member + s * TEAM;
        if j < extent {
            out[params.first_out + start + j] = held[s] * factor;
        }
    }
}
