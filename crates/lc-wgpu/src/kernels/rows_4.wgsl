// Rows one behind the other, read by vectors of four.

alias Part = f32;

// 0: each slot of each thread is a vector of its row. 1: a row is whole vectors, fewer than there are slots. 2: rows of any
// extent, so that the first and the last vector of one are shared with its neighbours.
override EDGE: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> x: array<Stored>;
@group(0) @binding(1) var<storage, read_write> out: array<Stored>;
// The result again: writing one element of a vector may write all of it.
@group(0) @binding(2) var<storage, read_write> out_1: array<Element>;

struct Row {
    // First vectors of operand and result.
    source: u32,
    result: u32,
    // The last vector, counted from the first.
    last: u32,
    // Elements before those of this row.
    skew: u32,
    // Elements; none where there is no such row.
    extent: u32,
}

fn row_at(index: u32) -> Row {
    let start = min(index, params.rows - 1u) * params.extent;
    let skew = select(0u, (params.first_x + start) % 4u, EDGE == 2u);
    let extent = select(0u, params.extent, index < params.rows);
    let last = (skew + params.extent - 1u) / 4u;
    return Row((params.first_x + start - skew) / 4u, (params.first_out + start - skew) / 4u, last, skew, extent);
}

// Which elements of a vector are of the row.
fn inside(row: Row, j: u32) -> vec4<bool> {
    // What lies before the row wraps around.
    return vec4<u32>(4u * j - row.skew) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(row.extent);
}

// The elements of a vector that are of the row, `fill` in place of others.
fn only(row: Row, j: u32, v: Wide, fill: f32) -> Wide {
    var own = vec4<bool>(true);
    if EDGE == 1u {
        own = vec4<bool>(4u * j < row.extent);
    } else if EDGE == 2u {
        own = inside(row, j);
    }
    return select(Wide(fill), v, own);
}

fn load(row: Row, j: u32, fill: f32) -> Wide {
    return only(row, j, Wide(x[row.source + select(min(j, row.last), j, EDGE == 0u)]), fill);
}

fn store(row: Row, j: u32, v: Wide) {
    let own = inside(row, j);
    if select(4u * j < row.extent, all(own), EDGE == 2u) {
        out[row.result + j] = Stored(v);
    } else if EDGE == 2u {
        let at = 4u * (row.result + j);
        if own.x { out_1[at] = Element(v.x); }
        if own.y { out_1[at + 1u] = Element(v.y); }
        if own.z { out_1[at + 2u] = Element(v.z); }
        if own.w { out_1[at + 3u] = Element(v.w); }
    }
}

fn total(x: Wide) -> Part {
    return (x.x + x.y) + (x.z + x.w);
}

fn widest(x: Wide) -> Part {
    return max(max(x.x, x.y), max(x.z, x.w));
}
