// Matrix units of 8 by 8 by 8. Workgroup memory in single elements, which are what Metal loads them from.
const S: u32 = 8u;
alias MatrixA = coop_mat8x8<f16, A>;
alias MatrixB = coop_mat8x8<f16, B>;
alias MatrixC = coop_mat8x8<f32, C>;
alias Slot = f16;
const SLOT: u32 = 1u;

fn put_a(at: u32, x: vec4<f16>) {
    tile_a[at] = x.x;
    tile_a[at + 1u] = x.y;
    tile_a[at + 2u] = x.z;
    tile_a[at + 3u] = x.w;
}

fn put_b(at: u32, x: vec4<f16>) {
    tile_b[at] = x.x;
    tile_b[at + 1u] = x.y;
    tile_b[at + 2u] = x.z;
    tile_b[at + 3u] = x.w;
}
