// The sum of the partial sums of a split product, in their order, finished with bias, residual and activation. One thread
// an element.

@group(0) @binding(2) var<storage, read_write> out: array<Element>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = (group.y * groups.x + group.x) * 256u + lane;
    let size = p.m * p.n;
    if index >= size {
        return;
    }
    let origin = origin_of(group.z);
    let first = group.z * p.splits * size + index;
    var sum = partial[first];
    for (var split = 1u; split < p.splits; split++) {
        sum += partial[first + split * size];
    }
    let i = index / p.n;
    let j = index % p.n;
    out[origin.out + i * p.out_m + j * p.out_n] = Element(finish(sum, origin, i, j));
}
