// What the kernels of attention by tiles have in common.

// Four terms of a score; and of the scores of a row with four keys.
fn gain(sum: f32, a: vec4<f32>, b: vec4<f32>) -> f32 {
    return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

fn gains(sums: vec4<f32>, a: vec4<f32>, b0: vec4<f32>, b1: vec4<f32>, b2: vec4<f32>, b3: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(gain(sums.x, a, b0), gain(sums.y, a, b1), gain(sums.z, a, b2), gain(sums.w, a, b3));
}

fn highest(s: vec4<f32>) -> f32 {
    return max(max(s.x, s.y), max(s.z, s.w));
}

fn total(s: vec4<f32>) -> f32 {
    return (s.x + s.y) + (s.z + s.w);
}

// Writes up to four columns of a row of the result, from element `at` on.
fn put(row: u32, column: u32, at: u32, y: vec4<f32>) {
    for (var i = 0u; i < 4u; i++) {
        if row < params.rows && column + i < params.value_dim {
            out[at + column + i] = Element(y[i]);
        }
    }
}

// Notes a row's maximum and its sum, or the reciprocal where no part is to be added: zero for a row that sees no key.
fn keep(head: u32, row: u32, part: u32, top: f32, sum: f32) {
    if row < params.rows {
        let at = 2u * ((part * params.all_heads + head) * params.rows + row);
        stats[at] = top;
        stats[at + 1u] = select(sum, select(1.0 / sum, 0.0, sum == 0.0), MODE == 1u);
    }
}
