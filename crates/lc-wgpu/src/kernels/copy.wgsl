// out[i] = act(x[i mod numel(x)]): x of any strides, in row-major order. One thread an element.

const RANK: u32 = 8u;

struct Params {
    count: u32,
    numel: u32,
    first_x: u32,
    first_out: u32,
    dims: array<u32, RANK>,
    strides: array<u32, RANK>,
}

override KIND: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> out: array<Element>;
var<immediate> params: Params;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i >= params.count {
        return;
    }
    var rest = i % params.numel;
    var at = params.first_x;
    for (var step = 0u; step < RANK; step++) {
        let d = RANK - 1u - step;
        let extent = params.dims[d];
        at += rest % extent * params.strides[d];
        rest /= extent;
    }
    out[params.first_out + i] = Element(activate(KIND, f32(x[at])));
}
