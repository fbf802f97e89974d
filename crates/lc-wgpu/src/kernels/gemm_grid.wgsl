// The grid of tiles of a tiled product, T by T results each, and what becomes of four results beside each other.

// Rows of tiles that are walked together, so that what they read stays in the cache.
override BAND: u32 = 8u;
// 0: results are stored as they are; 1: finished with bias, residual and activation; 2: partial sums of a split.
override MODE: u32 = 0u;

// First row and column of the tile with this number, in an order that walks bands of tiles column by column.
fn corner_of(number: u32) -> vec2<u32> {
    let down = (p.m + T - 1u) / T;
    let across = (p.n + T - 1u) / T;
    let band = number / (BAND * across);
    let rest = number % (BAND * across);
    let height = min(down - band * BAND, BAND);
    return vec2<u32>(band * BAND + rest % height, rest / height) * T;
}

fn finish4(origin: Origin, i: u32, j: u32, x: vec4<f32>) {
    if i < p.m && j < p.n {
        let last = p.n - 1u;
        store(origin, i, j, vec4<f32>(
            finish(x.x, origin, i, j),
            finish(x.y, origin, i, min(j + 1u, last)),
            finish(x.z, origin, i, min(j + 2u, last)),
            finish(x.w, origin, i, min(j + 3u, last)),
        ));
    }
}
