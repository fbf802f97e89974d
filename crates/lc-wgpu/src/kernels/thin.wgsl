// Products of one to four rows: B is read once, and how fast that goes is all that counts.

// Rows of A.
override M: u32 = 1u;

@group(0) @binding(2) var<storage, read_write> a: array<Element>;
@group(0) @binding(4) var<storage, read_write> out: array<Element>;
@group(0) @binding(5) var<storage, read_write> partial: array<f32>;

var<workgroup> sums: array<vec4<f32>, THREADS>;

// Adds what threads `STEP` apart have, for each of the first `STEP`.
fn gather(lane: u32, own: vec4<f32>) -> vec4<f32> {
    workgroupBarrier();
    sums[lane] = own;
    workgroupBarrier();
    for (var half = THREADS / 2u; half >= STEP; half /= 2u) {
        if lane < half {
            sums[lane] += sums[lane + half];
        }
        workgroupBarrier();
    }
    return sums[lane];
}

// Writes four results beside each other, or their part of a split.
fn put(origin: Origin, z: u32, i: u32, j: u32, x: vec4<f32>) {
    let count = min(4u, p.n - min(j, p.n));
    for (var c = 0u; c < count; c++) {
        if p.splits > 1u {
            partial[(z * p.m + i) * p.n + j + c] = x[c];
        } else {
            let y = finish(x[c], origin, i, j + c);
            out[origin.out + i * p.out_m + (j + c) * p.out_n] = Element(y);
        }
    }
}
