// out = act(x) over dense memory, four elements at a time and four such vectors a thread.

struct Params {
    // Elements.
    count: u32,
    // In vectors.
    first_x: u32,
    first_out: u32,
}

override KIND: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> x: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<Element>>;
var<immediate> params: Params;

fn apply(v: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(activate(KIND, v.x), activate(KIND, v.y), activate(KIND, v.z), activate(KIND, v.w));
}

fn put(i: u32, value: vec4<f32>) {
    let y = vec4<Element>(value);
    let at = params.first_out + i;
    let whole = params.count / 4u;
    if i < whole {
        out[at] = y;
    } else if i == whole {
        // What lies behind the result is not ours.
        let rest = params.count % 4u;
        if rest > 0u { out[at].x = y.x; }
        if rest > 1u { out[at].y = y.y; }
        if rest > 2u { out[at].z = y.z; }
    }
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 1024u + lane;
    let last = (params.count - 1u) / 4u;
    // Reads before writes: the compiler must assume that the result is the operand.
    let x0 = vec4<f32>(x[params.first_x + min(i, last)]);
    let x1 = vec4<f32>(x[params.first_x + min(i + 256u, last)]);
    let x2 = vec4<f32>(x[params.first_x + min(i + 512u, last)]);
    let x3 = vec4<f32>(x[params.first_x + min(i + 768u, last)]);
    put(i, apply(x0));
    put(i + 256u, apply(x1));
    put(i + 512u, apply(x2));
    put(i + 768u, apply(x3));
}
