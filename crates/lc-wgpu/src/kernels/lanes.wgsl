// Rows along any dimension: their elements are `inner` apart, which are vectors of neighbouring rows where Wide is one.

alias Part = Wide;

// 0: each slot of each thread is in its row.
override EDGE: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> x: array<Stored>;
@group(0) @binding(1) var<storage, read_write> out: array<Stored>;

struct Row {
    source: u32,
    result: u32,
    // The last element's number.
    last: u32,
    // Elements; none where there is no such row.
    extent: u32,
}

fn row_at(index: u32) -> Row {
    let own = min(index, params.rows - 1u);
    let start = own / params.inner * params.extent * params.inner + own % params.inner;
    let extent = select(0u, params.extent, index < params.rows);
    return Row(params.first_x + start, params.first_out + start, params.extent - 1u, extent);
}

// The element if it is of the row, else `fill`.
fn only(row: Row, j: u32, v: Wide, fill: f32) -> Wide {
    return select(Wide(fill), v, EDGE == 0u || j < row.extent);
}

fn load(row: Row, j: u32, fill: f32) -> Wide {
    return only(row, j, Wide(x[row.source + select(min(j, row.last), j, EDGE == 0u) * params.inner]), fill);
}

fn store(row: Row, j: u32, v: Wide) {
    if j < row.extent {
        out[row.result + j * params.inner] = Stored(v);
    }
}

fn total(x: Wide) -> Part {
    return x;
}

fn widest(x: Wide) -> Part {
    return x;
}
