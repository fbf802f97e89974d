// out = a OP b over dense memory, four elements at a time and four such vectors a thread. An operand is as large as the
// result, or a row that repeats, or one element.

struct Params {
    // Elements of the result.
    count: u32,
    // In vectors; of an operand of one element, in elements.
    first_a: u32,
    first_b: u32,
    first_out: u32,
    // Vectors until an operand repeats; 0 for one element.
    period_a: u32,
    period_b: u32,
}

override OP: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> a: array<vec4<Element>>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4<Element>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<Element>>;
var<immediate> params: Params;

fn left(i: u32) -> vec4<f32> {
    if params.period_a == 0u {
        return vec4<f32>(f32(a[params.first_a / 4u][params.first_a % 4u]));
    }
    if i < params.period_a {
        return vec4<f32>(a[params.first_a + i]);
    }
    return vec4<f32>(a[params.first_a + i % params.period_a]);
}

fn right(i: u32) -> vec4<f32> {
    if params.period_b == 0u {
        return vec4<f32>(f32(b[params.first_b / 4u][params.first_b % 4u]));
    }
    if i < params.period_b {
        return vec4<f32>(b[params.first_b + i]);
    }
    return vec4<f32>(b[params.first_b + i % params.period_b]);
}

fn apply(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
    switch OP {
        case 0u: { return x + y; }
        case 1u: { return x - y; }
        case 2u: { return x * y; }
        default: { return x / y; }
    }
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
    // Reads before writes: the compiler must assume that the result is an operand.
    let x0 = left(min(i, last));
    let x1 = left(min(i + 256u, last));
    let x2 = left(min(i + 512u, last));
    let x3 = left(min(i + 768u, last));
    let y0 = right(min(i, last));
    let y1 = right(min(i + 256u, last));
    let y2 = right(min(i + 512u, last));
    let y3 = right(min(i + 768u, last));
    put(i, apply(x0, y0));
    put(i + 256u, apply(x1, y1));
    put(i + 512u, apply(x2, y2));
    put(i + 768u, apply(x3, y3));
}
