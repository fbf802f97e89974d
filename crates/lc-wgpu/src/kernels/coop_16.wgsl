// Matrix units of 16 by 16 by 16. Workgroup memory in vectors of four.
const S: u32 = 16u;
alias MatrixA = coop_mat16x16<f16, A>;
alias MatrixB = coop_mat16x16<f16, B>;
alias MatrixC = coop_mat16x16<f32, C>;
alias Slot = vec4<f16>;
const SLOT: u32 = 4u;

fn put_a(at: u32, x: vec4<f16>) {
    tile_a[at] = x;
}

fn put_b(at: u32, x: vec4<f16>) {
    tile_b[at] = x;
}
