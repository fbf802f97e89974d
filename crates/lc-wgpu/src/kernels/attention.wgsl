// Attention by tiles with an online softmax (Dao et al., 2022; Milakov and Gimelshein, 2018): scores live in registers
// and workgroup memory only.
//
// A workgroup takes 64 rows of one head and goes over the keys, 32 at a time. Eight neighbouring threads are a team; each of
// its threads has four rows, TEAMS apart, and for them four neighbouring keys of the tile (scores) and four, or twice
// four, columns of a block of CHUNK columns (result). Tiles are stored by vectors of four along a row, with the vector's
// index mixed with the row's so that the threads of a subgroup read from different banks. While the scores of a tile are
// computed its values are on their way in registers, and while its values are weighted, the next keys.

// Columns that are in workgroup memory at once: 32 or 64.
override CHUNK: u32 = 64u;
// Blocks of CHUNK columns of the result that a workgroup computes.
override BLOCKS: u32 = 1u;
// 0: the result. 1: the result and each row's maximum and reciprocal sum. 2: rows are keys and keys are rows, whose
// maxima and sums are known; what comes out is taken from `mask`. 3: the sums of a part of the keys, not normalised, and
// each row's maximum and sum.
override MODE: u32 = 0u;

const TEAMS = 16u;
const THREADS = 128u;
const ROWS = 64u;
const KEYS = 32u;

var<workgroup> rows_tile: array<vec4<f32>, TEAMS * CHUNK>;
// Keys, then probabilities.
var<workgroup> keys_tile: array<vec4<f32>, 512>;
var<workgroup> values_tile: array<vec4<f32>, 8u * CHUNK>;

// A thread's part of a tile of keys or values on its way.
struct Fetched {
    x0: vec4<f32>,
    x1: vec4<f32>,
    x2: vec4<f32>,
    x3: vec4<f32>,
}

// Four rows by eight columns of the result.
struct Block {
    a0: vec4<f32>,
    a1: vec4<f32>,
    a2: vec4<f32>,
    a3: vec4<f32>,
    b0: vec4<f32>,
    b1: vec4<f32>,
    b2: vec4<f32>,
    b3: vec4<f32>,
}

fn rescale(o: ptr<function, Block>, factor: vec4<f32>) {
    (*o).a0 *= factor.x;
    (*o).a1 *= factor.y;
    (*o).a2 *= factor.z;
    (*o).a3 *= factor.w;
    (*o).b0 *= factor.x;
    (*o).b1 *= factor.y;
    (*o).b2 *= factor.z;
    (*o).b3 *= factor.w;
}

// Adds the values of one key, weighted for four rows.
fn weigh(o: ptr<function, Block>, p: vec4<f32>, at: u32) {
    let a = values_tile[at];
    (*o).a0 = fma(vec4<f32>(p.x), a, (*o).a0);
    (*o).a1 = fma(vec4<f32>(p.y), a, (*o).a1);
    (*o).a2 = fma(vec4<f32>(p.z), a, (*o).a2);
    (*o).a3 = fma(vec4<f32>(p.w), a, (*o).a3);
    if CHUNK > 32u {
        let b = values_tile[at + 8u];
        (*o).b0 = fma(vec4<f32>(p.x), b, (*o).b0);
        (*o).b1 = fma(vec4<f32>(p.y), b, (*o).b1);
        (*o).b2 = fma(vec4<f32>(p.z), b, (*o).b2);
        (*o).b3 = fma(vec4<f32>(p.w), b, (*o).b3);
    }
}

// The same where some rows do not see the key: its values take no part, whatever they hold.
fn weigh_seen(o: ptr<function, Block>, p: vec4<f32>, seen: vec4<bool>, at: u32) {
    let none = vec4<f32>(0.0);
    let a = values_tile[at];
    (*o).a0 = fma(vec4<f32>(p.x), select(none, a, seen.x), (*o).a0);
    (*o).a1 = fma(vec4<f32>(p.y), select(none, a, seen.y), (*o).a1);
    (*o).a2 = fma(vec4<f32>(p.z), select(none, a, seen.z), (*o).a2);
    (*o).a3 = fma(vec4<f32>(p.w), select(none, a, seen.w), (*o).a3);
    if CHUNK > 32u {
        let b = values_tile[at + 8u];
        (*o).b0 = fma(vec4<f32>(p.x), select(none, b, seen.x), (*o).b0);
        (*o).b1 = fma(vec4<f32>(p.y), select(none, b, seen.y), (*o).b1);
        (*o).b2 = fma(vec4<f32>(p.z), select(none, b, seen.z), (*o).b2);
        (*o).b3 = fma(vec4<f32>(p.w), select(none, b, seen.w), (*o).b3);
    }
}

// Adds the tile's values, weighted by the probabilities in keys_tile.
fn weigh_tile(o: ptr<function, Block>, team: u32, member: u32) {
    let line = CHUNK / 4u;
    for (var g = 0u; g < 8u; g++) {
        let at = team * 8u + (g ^ (team & 7u));
        let p0 = keys_tile[at];
        let p1 = keys_tile[at + TEAMS * 8u];
        let p2 = keys_tile[at + TEAMS * 16u];
        let p3 = keys_tile[at + TEAMS * 24u];
        let start = g * CHUNK + member;
        weigh(o, vec4<f32>(p0.x, p1.x, p2.x, p3.x), start);
        weigh(o, vec4<f32>(p0.y, p1.y, p2.y, p3.y), start + line);
        weigh(o, vec4<f32>(p0.z, p1.z, p2.z, p3.z), start + 2u * line);
        weigh(o, vec4<f32>(p0.w, p1.w, p2.w, p3.w), start + 3u * line);
    }
}

// The same for a tile on the diagonal of a causal attention.
fn weigh_diagonal_tile(o: ptr<function, Block>, team: u32, member: u32, row: u32, key: u32) {
    for (var j = 0u; j < KEYS; j++) {
        let at = team * 8u + ((j / 4u) ^ (team & 7u));
        let c = j % 4u;
        let p = vec4<f32>(
            keys_tile[at][c],
            keys_tile[at + TEAMS * 8u][c],
            keys_tile[at + TEAMS * 16u][c],
            keys_tile[at + TEAMS * 24u][c],
        );
        weigh_seen(o, p, sees(row, key + j), j * (CHUNK / 4u) + member);
    }
}

// Which of a thread's four rows, from `row` on, see a key.
fn sees(row: u32, key: u32) -> vec4<bool> {
    let rows = vec4<u32>(row, row + TEAMS, row + 2u * TEAMS, row + 3u * TEAMS);
    if key >= params.keys {
        return vec4<bool>(false);
    }
    if (params.flags & CAUSAL) == 0u {
        return vec4<bool>(true);
    }
    if MODE == 2u {
        return rows <= vec4<u32>(key);
    }
    return rows >= vec4<u32>(key);
}

// Scores of one row with the thread's four keys, masked; those of keys that it does not see are LOWEST.
fn scores(sums: vec4<f32>, row: u32, key: u32, at_mask: u32, seen: vec4<bool>) -> vec4<f32> {
    var s = sums * params.scale;
    if (params.flags & MASKED) != 0u && row < params.rows {
        let at = at_mask + row * params.mask.z;
        if seen.x { s.x += f32(mask[at + key * params.mask.w]); }
        if seen.y { s.y += f32(mask[at + (key + 1u) * params.mask.w]); }
        if seen.z { s.z += f32(mask[at + (key + 2u) * params.mask.w]); }
        if seen.w { s.w += f32(mask[at + (key + 3u) * params.mask.w]); }
    }
    return select(vec4<f32>(LOWEST), s, seen);
}

// The largest of what the threads of a team hold, by row. What it leaves in values_tile may be overwritten after a
// barrier.
fn team_highest(lane: u32, team: u32, own: vec4<f32>) -> vec4<f32> {
    values_tile[lane] = own;
    workgroupBarrier();
    var all = own;
    for (var i = 0u; i < 8u; i++) {
        all = max(all, values_tile[team * 8u + i]);
    }
    return all;
}

// Writes four columns of a row. `sum` is that of its probabilities.
fn finish(head: u32, row: u32, column: u32, part: u32, sum: f32, acc: vec4<f32>) {
    if MODE == 3u {
        let line = (part * params.all_heads + head) * params.rows + row;
        put(row, column, params.first_out + line * params.value_dim, acc);
        return;
    }
    let at = params.first_out + (head * params.rows + row) * params.value_dim;
    if MODE == 2u {
        let start = params.first_mask + row * params.mask.z;
        for (var i = 0u; i < 4u; i++) {
            if row < params.rows && column + i < params.value_dim {
                out[at + column + i] = Element(f32(mask[start + (column + i) * params.mask.w]) - acc[i]);
            }
        }
        return;
    }
    // A row that sees nothing is zero, whatever the values hold.
    var y = select(acc / sum, vec4<f32>(0.0), sum == 0.0);
    y = y * params.output_scale + vec4<f32>(params.output_bias);
    if (params.flags & RECTIFY) != 0u {
        y = select(y, vec4<f32>(0.0), y < vec4<f32>(0.0));
    }
    put(row, column, at, y);
}

fn finish_block(o: Block, head: u32, row: u32, column: u32, part: u32, sums: vec4<f32>) {
    finish(head, row, column, part, sums.x, o.a0);
    finish(head, row + TEAMS, column, part, sums.y, o.a1);
    finish(head, row + 2u * TEAMS, column, part, sums.z, o.a2);
    finish(head, row + 3u * TEAMS, column, part, sums.w, o.a3);
    if CHUNK > 32u {
        finish(head, row, column + 32u, part, sums.x, o.b0);
        finish(head, row + TEAMS, column + 32u, part, sums.y, o.b1);
        finish(head, row + 2u * TEAMS, column + 32u, part, sums.z, o.b2);
        finish(head, row + 3u * TEAMS, column + 32u, part, sums.w, o.b3);
    }
}

// Loads CHUNK columns of the rows: those beyond the last, and columns beyond the last, are zero.
fn load_rows(lane: u32, start: u32, row0: u32, column0: u32) {
    let line = CHUNK / 4u;
    for (var i = lane; i < ROWS * line; i += THREADS) {
        let r = i / line;
        let c = i % line;
        let column = column0 + 4u * c;
        let left = select(0u, params.dim - column, column < params.dim && row0 + r < params.rows);
        rows_tile[r * line + (c ^ (r & 7u))] = read_q(start + (row0 + r) * params.q.w + column, left);
    }
}

fn fetch_keys(lane: u32, start: u32, key0: u32, column0: u32) -> Fetched {
    let line = CHUNK / 4u;
    let step = THREADS / line;
    let key = key0 + lane / line;
    let column = column0 + lane % line * 4u;
    let left = select(0u, params.dim - column, column < params.dim);
    var f: Fetched;
    f.x0 = read_k(start + key * params.k.w + column, select(0u, left, key < params.keys));
    f.x1 = read_k(start + (key + step) * params.k.w + column, select(0u, left, key + step < params.keys));
    if CHUNK > 32u {
        f.x2 = read_k(start + (key + 2u * step) * params.k.w + column, select(0u, left, key + 2u * step < params.keys));
        f.x3 = read_k(start + (key + 3u * step) * params.k.w + column, select(0u, left, key + 3u * step < params.keys));
    }
    return f;
}

fn fetch_values(lane: u32, start: u32, key0: u32, column0: u32) -> Fetched {
    let line = CHUNK / 4u;
    let step = THREADS / line;
    let key = key0 + lane / line;
    let column = column0 + lane % line * 4u;
    let left = select(0u, params.value_dim - column, column < params.value_dim);
    var f: Fetched;
    f.x0 = read_v(start + key * params.v.w + column, select(0u, left, key < params.keys));
    f.x1 = read_v(start + (key + step) * params.v.w + column, select(0u, left, key + step < params.keys));
    if CHUNK > 32u {
        f.x2 = read_v(start + (key + 2u * step) * params.v.w + column, select(0u, left, key + 2u * step < params.keys));
        f.x3 = read_v(start + (key + 3u * step) * params.v.w + column, select(0u, left, key + 3u * step < params.keys));
    }
    return f;
}

fn keep_key(lane: u32, number: u32, x: vec4<f32>) {
    let line = CHUNK / 4u;
    let r = lane / line + number * (THREADS / line);
    keys_tile[r * line + ((lane % line) ^ (r / 4u))] = x;
}

fn keep_keys(lane: u32, f: Fetched) {
    keep_key(lane, 0u, f.x0);
    keep_key(lane, 1u, f.x1);
    if CHUNK > 32u {
        keep_key(lane, 2u, f.x2);
        keep_key(lane, 3u, f.x3);
    }
}

fn keep_values(lane: u32, f: Fetched) {
    values_tile[lane] = f.x0;
    values_tile[lane + THREADS] = f.x1;
    if CHUNK > 32u {
        values_tile[lane + 2u * THREADS] = f.x2;
        values_tile[lane + 3u * THREADS] = f.x3;
    }
}

@compute @workgroup_size(128)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let line = CHUNK / 4u;
    let team = lane / 8u;
    let member = lane % 8u;
    // Row tiles are the innermost, so that neighbours share keys; the last come first, since causal ones are longest.
    let row_tiles = (params.rows + ROWS - 1u) / ROWS;
    let column_tiles = (params.value_dim + BLOCKS * CHUNK - 1u) / (BLOCKS * CHUNK);
    let parts = (params.keys + params.part - 1u) / params.part;
    var id = group.y * groups.x + group.x;
    let row_tile = row_tiles - 1u - id % row_tiles;
    id /= row_tiles;
    let column_tile = id % column_tiles;
    id /= column_tiles;
    let part = id % parts;
    let head = id / parts;
    // A grid of two dimensions may have more workgroups than there is work.
    if head >= params.all_heads {
        return;
    }
    let row0 = row_tile * ROWS;
    let row = row0 + team;
    let column0 = column_tile * BLOCKS * CHUNK;
    let causal = (params.flags & CAUSAL) != 0u;

    let batch = head / params.heads;
    let own = head % params.heads;
    let from_q = params.q.x + batch * params.q.y + own * params.q.z;
    let from_k = params.k.x + batch * params.k.y + own / params.sharing * params.k.z;
    let from_v = params.v.x + batch * params.v.y + own / params.sharing * params.v.z;
    let from_mask = params.first_mask + batch * params.mask.x + own * params.mask.y;

    var key_start = part * params.part;
    var key_end = min(params.keys, key_start + params.part);
    if causal && MODE == 2u {
        key_start = max(key_start, row0 / KEYS * KEYS);
    } else if causal {
        key_end = min(key_end, row0 + ROWS);
    }

    var left: Block;
    var right: Block;
    // By row: the maximum so far, and this thread's share of the sum.
    var top = vec4<f32>(LOWEST);
    var sum = vec4<f32>(0.0);
    let whole = params.dim <= CHUNK;
    var coming: Fetched;
    if whole {
        load_rows(lane, from_q, row0, 0u);
        coming = fetch_keys(lane, from_k, key_start, 0u);
    }
    for (var key0 = key_start; key0 < key_end; key0 += KEYS) {
        var s0 = vec4<f32>(0.0);
        var s1 = vec4<f32>(0.0);
        var s2 = vec4<f32>(0.0);
        var s3 = vec4<f32>(0.0);
        for (var d = 0u; d < params.dim; d += CHUNK) {
            workgroupBarrier();
            if !whole {
                load_rows(lane, from_q, row0, d);
                coming = fetch_keys(lane, from_k, key0, d);
            }
            keep_keys(lane, coming);
            workgroupBarrier();
            if d + CHUNK >= params.dim {
                coming = fetch_values(lane, from_v, key0, column0);
            }
            for (var c = 0u; c < line; c++) {
                let at_row = team * line + (c ^ (team & 7u));
                let at_key = member * 4u * line + (c ^ member);
                let k0 = keys_tile[at_key];
                let k1 = keys_tile[at_key + line];
                let k2 = keys_tile[at_key + 2u * line];
                let k3 = keys_tile[at_key + 3u * line];
                s0 = gains(s0, rows_tile[at_row], k0, k1, k2, k3);
                s1 = gains(s1, rows_tile[at_row + TEAMS * line], k0, k1, k2, k3);
                s2 = gains(s2, rows_tile[at_row + 2u * TEAMS * line], k0, k1, k2, k3);
                s3 = gains(s3, rows_tile[at_row + 3u * TEAMS * line], k0, k1, k2, k3);
            }
        }

        let key = key0 + 4u * member;
        var diagonal = causal && key0 + KEYS > row0;
        if MODE == 2u {
            diagonal = causal && key0 < row0 + ROWS;
        }
        var seen0 = vec4<bool>(true);
        var seen1 = vec4<bool>(true);
        var seen2 = vec4<bool>(true);
        var seen3 = vec4<bool>(true);
        if diagonal || key0 + KEYS > params.keys {
            let see0 = sees(row, key);
            let see1 = sees(row, key + 1u);
            let see2 = sees(row, key + 2u);
            let see3 = sees(row, key + 3u);
            seen0 = vec4<bool>(see0.x, see1.x, see2.x, see3.x);
            seen1 = vec4<bool>(see0.y, see1.y, see2.y, see3.y);
            seen2 = vec4<bool>(see0.z, see1.z, see2.z, see3.z);
            seen3 = vec4<bool>(see0.w, see1.w, see2.w, see3.w);
        }
        s0 = scores(s0, row, key, from_mask, seen0);
        s1 = scores(s1, row + TEAMS, key, from_mask, seen1);
        s2 = scores(s2, row + 2u * TEAMS, key, from_mask, seen2);
        s3 = scores(s3, row + 3u * TEAMS, key, from_mask, seen3);

        var p0: vec4<f32>;
        var p1: vec4<f32>;
        var p2: vec4<f32>;
        var p3: vec4<f32>;
        if MODE == 2u {
            // By key: what the forward pass found.
            var tops = vec4<f32>(0.0);
            var factors = vec4<f32>(0.0);
            for (var j = 0u; j < 4u; j++) {
                if key + j < params.keys {
                    tops[j] = stats[2u * (key + j)];
                    factors[j] = stats[2u * (key + j) + 1u];
                }
            }
            p0 = exp(s0 - tops) * factors;
            p1 = exp(s1 - tops) * factors;
            p2 = exp(s2 - tops) * factors;
            p3 = exp(s3 - tops) * factors;
        } else {
            // NaN may be lost in a maximum: the exponentials bring it back.
            let widest = team_highest(lane, team, vec4<f32>(highest(s0), highest(s1), highest(s2), highest(s3)));
            let higher = max(top, widest);
            let factor = exp(top - higher);
            top = higher;
            p0 = exp(s0 - vec4<f32>(higher.x));
            p1 = exp(s1 - vec4<f32>(higher.y));
            p2 = exp(s2 - vec4<f32>(higher.z));
            p3 = exp(s3 - vec4<f32>(higher.w));
            rescale(&left, factor);
            if BLOCKS > 1u {
                rescale(&right, factor);
            }
            sum *= factor;
        }
        let none = vec4<f32>(0.0);
        p0 = select(none, p0, seen0);
        p1 = select(none, p1, seen1);
        p2 = select(none, p2, seen2);
        p3 = select(none, p3, seen3);
        sum += vec4<f32>(total(p0), total(p1), total(p2), total(p3));

        // Every thread is done with the keys.
        workgroupBarrier();
        let at_p = team * 8u + (member ^ (team & 7u));
        keys_tile[at_p] = p0;
        keys_tile[at_p + TEAMS * 8u] = p1;
        keys_tile[at_p + TEAMS * 16u] = p2;
        keys_tile[at_p + TEAMS * 24u] = p3;
        keep_values(lane, coming);
        workgroupBarrier();
        if whole && key0 + KEYS < key_end {
            coming = fetch_keys(lane, from_k, key0 + KEYS, 0u);
        }
        if diagonal {
            weigh_diagonal_tile(&left, team, member, row, key0);
        } else {
            weigh_tile(&left, team, member);
        }
        if BLOCKS > 1u {
            let values = fetch_values(lane, from_v, key0, column0 + CHUNK);
            workgroupBarrier();
            keep_values(lane, values);
            workgroupBarrier();
            if diagonal {
                weigh_diagonal_tile(&right, team, member, row, key0);
            } else {
                weigh_tile(&right, team, member);
            }
        }
    }

    // The team's shares of the sums, by way of workgroup memory that nobody reads any more.
    workgroupBarrier();
    keys_tile[lane] = sum;
    workgroupBarrier();
    sum = vec4<f32>(0.0);
    for (var i = 0u; i < 8u; i++) {
        sum += keys_tile[team * 8u + i];
    }
    if (MODE == 1u || MODE == 3u) && member == 0u && column_tile == 0u {
        keep(head, row, part, top.x, sum.x);
        keep(head, row + TEAMS, part, top.y, sum.y);
        keep(head, row + 2u * TEAMS, part, top.z, sum.z);
        keep(head, row + 3u * TEAMS, part, top.w, sum.w);
    }
    finish_block(left, head, row, column0 + 4u * member, part, sum);
    if BLOCKS > 1u {
        finish_block(right, head, row, column0 + CHUNK + 4u * member, part, sum);
    }
}
