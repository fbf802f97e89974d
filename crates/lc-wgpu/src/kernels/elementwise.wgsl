// out = a OP b, broadcast by strides of zero. One thread an element.

const RANK: u32 = 8u;

struct Params {
    count: u32,
    first_a: u32,
    first_b: u32,
    first_out: u32,
    dims: array<u32, RANK>,
    strides_a: array<u32, RANK>,
    strides_b: array<u32, RANK>,
}

override OP: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> a: array<Element>;
@group(0) @binding(1) var<storage, read_write> b: array<Element>;
@group(0) @binding(2) var<storage, read_write> out: array<Element>;
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
    var rest = i;
    var at_a = params.first_a;
    var at_b = params.first_b;
    for (var step = 0u; step < RANK; step++) {
        let d = RANK - 1u - step;
        let extent = params.dims[d];
        let index = rest % extent;
        rest /= extent;
        at_a += index * params.strides_a[d];
        at_b += index * params.strides_b[d];
    }
    let x = f32(a[at_a]);
    let y = f32(b[at_b]);
    var result: f32;
    switch OP {
        case 0u: { result = x + y; }
        case 1u: { result = x - y; }
        case 2u: { result = x * y; }
        default: { result = x / y; }
    }
    out[params.first_out + i] = Element(result);
}
