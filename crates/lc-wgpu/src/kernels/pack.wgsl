// out[t] = x[t mod size], x of any strides in row-major order. One thread an element.

const RANK: u32 = 8u;

struct Params {
    count: u32,
    size: u32,
    first_x: u32,
    first_out: u32,
    dims: array<u32, RANK>,
    steps: array<u32, RANK>,
}

@group(0) @binding(0) var<storage, read_write> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> out: array<Element>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let t = (group.y * groups.x + group.x) * 256u + lane;
    if t >= p.count {
        return;
    }
    var rest = t % p.size;
    var at = p.first_x;
    for (var step = 0u; step < RANK; step++) {
        let d = RANK - 1u - step;
        at += rest % p.dims[d] * p.steps[d];
        rest /= p.dims[d];
    }
    out[p.first_out + t] = x[at];
}
