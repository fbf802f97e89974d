// Attention by tiles, as in attention.wgsl, for many rows.
//
// A workgroup takes 128 rows of one head and goes over the keys, 64 at a time. Sixteen neighbouring threads are a team;
// each of its threads has eight rows, TEAMS apart, and for them four neighbouring keys of the tile (scores) and four
// columns of a block of 64 (result). Rows and keys are in workgroup memory by DEPTH columns at a time; values and the
// probabilities of half the keys take their place later. So 256 threads need 32 KiB. It matters: an H100 gives the
// workgroups of a multiprocessor 48 KiB through Vulkan, whatever it has.

// Blocks of 64 columns of the result that a workgroup computes: 1 or 2.
override BLOCKS: u32 = 1u;
// 0: the result. 3: the sums of a part of the keys, not normalised, and each row's maximum and sum.
override MODE: u32 = 0u;

// Whether steps are written out: the compilers of GPUs keep loops as they are, and that of a software rasteriser takes
// half a minute for this.
override WRITTEN_OUT: u32 = 1u;

const TEAMS = 16u;
const THREADS = 256u;
const ROWS = 128u;
const KEYS = 64u;
const DEPTH = 32u;
const LINE = 8u;
// Where a tile's keys and the threads' maxima begin, behind its rows, and its values, behind the probabilities.
const KEYS_AT = 1024u;
const TOPS_AT = 1536u;
const VALUES_AT = 1024u;

// Rows, keys and maxima, then probabilities and values. The index of a vector of four is mixed with its row's, so that the threads of
// a subgroup read from different banks.
var<workgroup> tile: array<vec4<f32>, 2048>;

// Eight vectors, one a row.
struct Block {
    a0: vec4<f32>,
    a1: vec4<f32>,
    a2: vec4<f32>,
    a3: vec4<f32>,
    a4: vec4<f32>,
    a5: vec4<f32>,
    a6: vec4<f32>,
    a7: vec4<f32>,
}

// A thread's part of DEPTH columns of rows and keys on its way.
struct Fetched {
    q0: vec4<f32>,
    q1: vec4<f32>,
    q2: vec4<f32>,
    q3: vec4<f32>,
    k0: vec4<f32>,
    k1: vec4<f32>,
}

// And of a tile of values.
struct Values {
    x0: vec4<f32>,
    x1: vec4<f32>,
    x2: vec4<f32>,
    x3: vec4<f32>,
}

fn row_vector(start: u32, row: u32, column: u32, left: u32) -> vec4<f32> {
    return read_q(start + row * params.q.w + column, select(0u, left, row < params.rows));
}

fn key_vector(start: u32, key: u32, column: u32, left: u32) -> vec4<f32> {
    return read_k(start + key * params.k.w + column, select(0u, left, key < params.keys));
}

fn value_vector(start: u32, key: u32, column: u32, left: u32) -> vec4<f32> {
    return read_v(start + key * params.v.w + column, select(0u, left, key < params.keys));
}

// Rows beyond the last, and columns beyond the last, are zero.
fn fetch(lane: u32, from_q: u32, from_k: u32, row0: u32, key0: u32, column0: u32) -> Fetched {
    let column = column0 + lane % LINE * 4u;
    let left = select(0u, params.dim - column, column < params.dim);
    let row = row0 + lane / LINE;
    let key = key0 + lane / LINE;
    var f: Fetched;
    f.q0 = row_vector(from_q, row, column, left);
    f.q1 = row_vector(from_q, row + 32u, column, left);
    f.q2 = row_vector(from_q, row + 64u, column, left);
    f.q3 = row_vector(from_q, row + 96u, column, left);
    f.k0 = key_vector(from_k, key, column, left);
    f.k1 = key_vector(from_k, key + 32u, column, left);
    return f;
}

fn keep_tile(lane: u32, f: Fetched) {
    let r = lane / LINE;
    let c = lane % LINE;
    let at = r * LINE + (c ^ (r & 7u));
    tile[at] = f.q0;
    tile[at + 32u * LINE] = f.q1;
    tile[at + 64u * LINE] = f.q2;
    tile[at + 96u * LINE] = f.q3;
    // The keys of a thread are four neighbours.
    let at_key = KEYS_AT + r * LINE + (c ^ (r / 4u));
    tile[at_key] = f.k0;
    tile[at_key + 32u * LINE] = f.k1;
}

fn fetch_values(lane: u32, start: u32, key0: u32, column0: u32) -> Values {
    let key = key0 + lane / 16u;
    let column = column0 + lane % 16u * 4u;
    let left = select(0u, params.value_dim - column, column < params.value_dim);
    var f: Values;
    f.x0 = value_vector(start, key, column, left);
    f.x1 = value_vector(start, key + 16u, column, left);
    f.x2 = value_vector(start, key + 32u, column, left);
    f.x3 = value_vector(start, key + 48u, column, left);
    return f;
}

fn keep_values(lane: u32, f: Values) {
    tile[VALUES_AT + lane] = f.x0;
    tile[VALUES_AT + lane + THREADS] = f.x1;
    tile[VALUES_AT + lane + 2u * THREADS] = f.x2;
    tile[VALUES_AT + lane + 3u * THREADS] = f.x3;
}

// Four columns of every row and key of the tile.
fn score(s: ptr<function, Block>, team: u32, member: u32, c: u32) {
    let at = team * LINE + (c ^ (team & 7u));
    let at_key = KEYS_AT + member * 4u * LINE + (c ^ (member & 7u));
    let k0 = tile[at_key];
    let k1 = tile[at_key + LINE];
    let k2 = tile[at_key + 2u * LINE];
    let k3 = tile[at_key + 3u * LINE];
    (*s).a0 = gains((*s).a0, tile[at], k0, k1, k2, k3);
    (*s).a1 = gains((*s).a1, tile[at + TEAMS * LINE], k0, k1, k2, k3);
    (*s).a2 = gains((*s).a2, tile[at + 2u * TEAMS * LINE], k0, k1, k2, k3);
    (*s).a3 = gains((*s).a3, tile[at + 3u * TEAMS * LINE], k0, k1, k2, k3);
    (*s).a4 = gains((*s).a4, tile[at + 4u * TEAMS * LINE], k0, k1, k2, k3);
    (*s).a5 = gains((*s).a5, tile[at + 5u * TEAMS * LINE], k0, k1, k2, k3);
    (*s).a6 = gains((*s).a6, tile[at + 6u * TEAMS * LINE], k0, k1, k2, k3);
    (*s).a7 = gains((*s).a7, tile[at + 7u * TEAMS * LINE], k0, k1, k2, k3);
}

fn mix(o: vec4<f32>, p: vec4<f32>, v0: vec4<f32>, v1: vec4<f32>, v2: vec4<f32>, v3: vec4<f32>) -> vec4<f32> {
    let xy = fma(vec4<f32>(p.y), v1, fma(vec4<f32>(p.x), v0, o));
    return fma(vec4<f32>(p.w), v3, fma(vec4<f32>(p.z), v2, xy));
}

// Adds the values of four keys, weighted for eight rows: the `g`th of half a tile that begins at key `first`.
fn weigh(o: ptr<function, Block>, team: u32, member: u32, first: u32, g: u32) {
    let at = team * LINE + (g ^ (team & 7u));
    let at_value = VALUES_AT + (first + 4u * g) * 16u + member;
    let v0 = tile[at_value];
    let v1 = tile[at_value + 16u];
    let v2 = tile[at_value + 32u];
    let v3 = tile[at_value + 48u];
    (*o).a0 = mix((*o).a0, tile[at], v0, v1, v2, v3);
    (*o).a1 = mix((*o).a1, tile[at + TEAMS * LINE], v0, v1, v2, v3);
    (*o).a2 = mix((*o).a2, tile[at + 2u * TEAMS * LINE], v0, v1, v2, v3);
    (*o).a3 = mix((*o).a3, tile[at + 3u * TEAMS * LINE], v0, v1, v2, v3);
    (*o).a4 = mix((*o).a4, tile[at + 4u * TEAMS * LINE], v0, v1, v2, v3);
    (*o).a5 = mix((*o).a5, tile[at + 5u * TEAMS * LINE], v0, v1, v2, v3);
    (*o).a6 = mix((*o).a6, tile[at + 6u * TEAMS * LINE], v0, v1, v2, v3);
    (*o).a7 = mix((*o).a7, tile[at + 7u * TEAMS * LINE], v0, v1, v2, v3);
}

// The same for the keys, from `key` on, that a row sees: the values of others take no part, whatever they hold.
fn mix_seen(
    o: vec4<f32>,
    p: vec4<f32>,
    v0: vec4<f32>,
    v1: vec4<f32>,
    v2: vec4<f32>,
    v3: vec4<f32>,
    row: u32,
    key: u32,
) -> vec4<f32> {
    let none = vec4<f32>(0.0);
    let a = select(none, v0, row >= key);
    let b = select(none, v1, row >= key + 1u);
    let c = select(none, v2, row >= key + 2u);
    return mix(o, p, a, b, c, select(none, v3, row >= key + 3u));
}

fn weigh_seen(o: ptr<function, Block>, team: u32, member: u32, row: u32, key0: u32, first: u32, g: u32) {
    let at = team * LINE + (g ^ (team & 7u));
    let at_value = VALUES_AT + (first + 4u * g) * 16u + member;
    let v0 = tile[at_value];
    let v1 = tile[at_value + 16u];
    let v2 = tile[at_value + 32u];
    let v3 = tile[at_value + 48u];
    let key = key0 + first + 4u * g;
    (*o).a0 = mix_seen((*o).a0, tile[at], v0, v1, v2, v3, row, key);
    (*o).a1 = mix_seen((*o).a1, tile[at + TEAMS * LINE], v0, v1, v2, v3, row + TEAMS, key);
    (*o).a2 = mix_seen((*o).a2, tile[at + 2u * TEAMS * LINE], v0, v1, v2, v3, row + 2u * TEAMS, key);
    (*o).a3 = mix_seen((*o).a3, tile[at + 3u * TEAMS * LINE], v0, v1, v2, v3, row + 3u * TEAMS, key);
    (*o).a4 = mix_seen((*o).a4, tile[at + 4u * TEAMS * LINE], v0, v1, v2, v3, row + 4u * TEAMS, key);
    (*o).a5 = mix_seen((*o).a5, tile[at + 5u * TEAMS * LINE], v0, v1, v2, v3, row + 5u * TEAMS, key);
    (*o).a6 = mix_seen((*o).a6, tile[at + 6u * TEAMS * LINE], v0, v1, v2, v3, row + 6u * TEAMS, key);
    (*o).a7 = mix_seen((*o).a7, tile[at + 7u * TEAMS * LINE], v0, v1, v2, v3, row + 7u * TEAMS, key);
}

// Adds the values of a tile, which are in workgroup memory, by halves. Every thread is done with what was there before.
fn weigh_tile(o: ptr<function, Block>, p: Block, team: u32, member: u32, row: u32, key0: u32, diagonal: bool) {
    for (var first = 0u; first < KEYS; first += 32u) {
        if first > 0u {
            workgroupBarrier();
        }
        if member / 8u == first / 32u {
            let at = team * LINE + ((member ^ team) & 7u);
            tile[at] = p.a0;
            tile[at + TEAMS * LINE] = p.a1;
            tile[at + 2u * TEAMS * LINE] = p.a2;
            tile[at + 3u * TEAMS * LINE] = p.a3;
            tile[at + 4u * TEAMS * LINE] = p.a4;
            tile[at + 5u * TEAMS * LINE] = p.a5;
            tile[at + 6u * TEAMS * LINE] = p.a6;
            tile[at + 7u * TEAMS * LINE] = p.a7;
        }
        workgroupBarrier();
        if diagonal {
            for (var g = 0u; g < 8u; g++) {
                weigh_seen(o, team, member, row, key0, first, g);
            }
        } else if WRITTEN_OUT != 0u {
            weigh(o, team, member, first, 0u);
            weigh(o, team, member, first, 1u);
            weigh(o, team, member, first, 2u);
            weigh(o, team, member, first, 3u);
            weigh(o, team, member, first, 4u);
            weigh(o, team, member, first, 5u);
            weigh(o, team, member, first, 6u);
            weigh(o, team, member, first, 7u);
        } else {
            for (var g = 0u; g < 8u; g++) {
                weigh(o, team, member, first, g);
            }
        }
    }
}

fn rescale(o: ptr<function, Block>, a: vec4<f32>, b: vec4<f32>) {
    (*o).a0 *= a.x;
    (*o).a1 *= a.y;
    (*o).a2 *= a.z;
    (*o).a3 *= a.w;
    (*o).a4 *= b.x;
    (*o).a5 *= b.y;
    (*o).a6 *= b.z;
    (*o).a7 *= b.w;
}

// Which of four keys a row sees.
fn sees(row: u32, key: u32) -> vec4<bool> {
    let keys = vec4<u32>(key, key + 1u, key + 2u, key + 3u);
    let last = select(params.keys - 1u, min(params.keys - 1u, row), (params.flags & CAUSAL) != 0u);
    return keys <= vec4<u32>(last);
}

// Scores of one row with the thread's four keys, masked; those of keys that it does not see are LOWEST. On tiles of which
// every row sees every key, `edge` is false.
fn scores(sums: vec4<f32>, row: u32, key: u32, at_mask: u32, edge: bool) -> vec4<f32> {
    var s = sums * params.scale;
    if (params.flags & MASKED) != 0u && row < params.rows {
        let seen = sees(row, key);
        let at = at_mask + row * params.mask.z;
        if seen.x { s.x += f32(mask[at + key * params.mask.w]); }
        if seen.y { s.y += f32(mask[at + (key + 1u) * params.mask.w]); }
        if seen.z { s.z += f32(mask[at + (key + 2u) * params.mask.w]); }
        if seen.w { s.w += f32(mask[at + (key + 3u) * params.mask.w]); }
    }
    if edge {
        s = select(vec4<f32>(LOWEST), s, sees(row, key));
    }
    return s;
}

// The probabilities, up to a factor.
fn weights(s: vec4<f32>, top: f32, row: u32, key: u32, edge: bool) -> vec4<f32> {
    var p = exp(s - vec4<f32>(top));
    if edge {
        p = select(vec4<f32>(0.0), p, sees(row, key));
    }
    return p;
}

// Writes four columns of a row. `sum` is that of its probabilities.
fn finish(head: u32, row: u32, column: u32, part: u32, sum: f32, acc: vec4<f32>) {
    if MODE == 3u {
        let line = (part * params.all_heads + head) * params.rows + row;
        put(row, column, params.first_out + line * params.value_dim, acc);
        return;
    }
    // A row that sees nothing is zero, whatever the values hold.
    var y = select(acc / sum, vec4<f32>(0.0), sum == 0.0);
    y = y * params.output_scale + vec4<f32>(params.output_bias);
    if (params.flags & RECTIFY) != 0u {
        y = select(y, vec4<f32>(0.0), y < vec4<f32>(0.0));
    }
    put(row, column, params.first_out + (head * params.rows + row) * params.value_dim, y);
}

fn finish_block(o: Block, head: u32, row: u32, column: u32, part: u32, a: vec4<f32>, b: vec4<f32>) {
    finish(head, row, column, part, a.x, o.a0);
    finish(head, row + TEAMS, column, part, a.y, o.a1);
    finish(head, row + 2u * TEAMS, column, part, a.z, o.a2);
    finish(head, row + 3u * TEAMS, column, part, a.w, o.a3);
    finish(head, row + 4u * TEAMS, column, part, b.x, o.a4);
    finish(head, row + 5u * TEAMS, column, part, b.y, o.a5);
    finish(head, row + 6u * TEAMS, column, part, b.z, o.a6);
    finish(head, row + 7u * TEAMS, column, part, b.w, o.a7);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let team = lane / 16u;
    let member = lane % 16u;
    let row_tiles = (params.rows + ROWS - 1u) / ROWS;
    let column_tiles = (params.value_dim + BLOCKS * 64u - 1u) / (BLOCKS * 64u);
    let parts = (params.keys + params.part - 1u) / params.part;
    var id = group.y * groups.x + group.x;
    let others = column_tiles * parts * params.all_heads;
    // A grid of two dimensions may have more workgroups than there is work.
    if id >= row_tiles * others {
        return;
    }
    // Neighbours share keys; but the longest come first where some are longer.
    let causal = (params.flags & CAUSAL) != 0u;
    let row_tile = select(id % row_tiles, row_tiles - 1u - id / others, causal);
    id = select(id / row_tiles, id % others, causal);
    let column_tile = id % column_tiles;
    id /= column_tiles;
    let part = id % parts;
    let head = id / parts;
    let row0 = row_tile * ROWS;
    let row = row0 + team;
    let column0 = column_tile * BLOCKS * 64u;

    let batch = head / params.heads;
    let own = head % params.heads;
    let from_q = params.q.x + batch * params.q.y + own * params.q.z;
    let from_k = params.k.x + batch * params.k.y + own / params.sharing * params.k.z;
    let from_v = params.v.x + batch * params.v.y + own / params.sharing * params.v.z;
    let from_mask = params.first_mask + batch * params.mask.x + own * params.mask.y;

    let key_start = part * params.part;
    var key_end = min(params.keys, key_start + params.part);
    if causal {
        key_end = min(key_end, row0 + ROWS);
    }

    var left: Block;
    var right: Block;
    // By row: the maximum so far, and this thread's share of the sum.
    var top_a = vec4<f32>(LOWEST);
    var top_b = vec4<f32>(LOWEST);
    var sum_a = vec4<f32>(0.0);
    var sum_b = vec4<f32>(0.0);
    var coming = fetch(lane, from_q, from_k, row0, key_start, 0u);
    for (var key0 = key_start; key0 < key_end; key0 += KEYS) {
        var s: Block;
        var values: Values;
        for (var d = 0u; d < params.dim; d += DEPTH) {
            workgroupBarrier();
            keep_tile(lane, coming);
            workgroupBarrier();
            if d + DEPTH < params.dim {
                coming = fetch(lane, from_q, from_k, row0, key0, d + DEPTH);
            } else {
                values = fetch_values(lane, from_v, key0, column0);
            }
            if WRITTEN_OUT != 0u {
                score(&s, team, member, 0u);
                score(&s, team, member, 1u);
                score(&s, team, member, 2u);
                score(&s, team, member, 3u);
                score(&s, team, member, 4u);
                score(&s, team, member, 5u);
                score(&s, team, member, 6u);
                score(&s, team, member, 7u);
            } else {
                for (var c = 0u; c < LINE; c++) {
                    score(&s, team, member, c);
                }
            }
        }

        let key = key0 + 4u * member;
        let diagonal = causal && key0 + KEYS > row0;
        let edge = diagonal || key0 + KEYS > params.keys;
        s.a0 = scores(s.a0, row, key, from_mask, edge);
        s.a1 = scores(s.a1, row + TEAMS, key, from_mask, edge);
        s.a2 = scores(s.a2, row + 2u * TEAMS, key, from_mask, edge);
        s.a3 = scores(s.a3, row + 3u * TEAMS, key, from_mask, edge);
        s.a4 = scores(s.a4, row + 4u * TEAMS, key, from_mask, edge);
        s.a5 = scores(s.a5, row + 5u * TEAMS, key, from_mask, edge);
        s.a6 = scores(s.a6, row + 6u * TEAMS, key, from_mask, edge);
        s.a7 = scores(s.a7, row + 7u * TEAMS, key, from_mask, edge);

        // NaN may be lost in a maximum: the exponentials bring it back.
        var high_a = vec4<f32>(highest(s.a0), highest(s.a1), highest(s.a2), highest(s.a3));
        var high_b = vec4<f32>(highest(s.a4), highest(s.a5), highest(s.a6), highest(s.a7));
        tile[TOPS_AT + lane] = high_a;
        tile[TOPS_AT + THREADS + lane] = high_b;
        workgroupBarrier();
        high_a = max(high_a, top_a);
        high_b = max(high_b, top_b);
        for (var i = 0u; i < 16u; i++) {
            high_a = max(high_a, tile[TOPS_AT + team * 16u + i]);
            high_b = max(high_b, tile[TOPS_AT + THREADS + team * 16u + i]);
        }
        let factor_a = exp(top_a - high_a);
        let factor_b = exp(top_b - high_b);
        top_a = high_a;
        top_b = high_b;
        s.a0 = weights(s.a0, top_a.x, row, key, edge);
        s.a1 = weights(s.a1, top_a.y, row + TEAMS, key, edge);
        s.a2 = weights(s.a2, top_a.z, row + 2u * TEAMS, key, edge);
        s.a3 = weights(s.a3, top_a.w, row + 3u * TEAMS, key, edge);
        s.a4 = weights(s.a4, top_b.x, row + 4u * TEAMS, key, edge);
        s.a5 = weights(s.a5, top_b.y, row + 5u * TEAMS, key, edge);
        s.a6 = weights(s.a6, top_b.z, row + 6u * TEAMS, key, edge);
        s.a7 = weights(s.a7, top_b.w, row + 7u * TEAMS, key, edge);
        rescale(&left, factor_a, factor_b);
        if BLOCKS > 1u {
            rescale(&right, factor_a, factor_b);
        }
        sum_a = sum_a * factor_a + vec4<f32>(total(s.a0), total(s.a1), total(s.a2), total(s.a3));
        sum_b = sum_b * factor_b + vec4<f32>(total(s.a4), total(s.a5), total(s.a6), total(s.a7));

        // Every thread has read the maxima.
        workgroupBarrier();
        // Blocks take turns in one variable: twice the code is more than some compilers bear.
        for (var block = 0u; block < BLOCKS; block++) {
            if block > 0u {
                values = fetch_values(lane, from_v, key0, column0 + 64u);
                workgroupBarrier();
            }
            keep_values(lane, values);
            if block + 1u == BLOCKS && key0 + KEYS < key_end {
                coming = fetch(lane, from_q, from_k, row0, key0 + KEYS, 0u);
            }
            weigh_tile(&left, s, team, member, row, key0, diagonal);
            if BLOCKS > 1u {
                let other = left;
                left = right;
                right = other;
            }
        }
    }

    // The team's shares of the sums.
    workgroupBarrier();
    tile[lane] = sum_a;
    tile[THREADS + lane] = sum_b;
    workgroupBarrier();
    sum_a = vec4<f32>(0.0);
    sum_b = vec4<f32>(0.0);
    for (var i = 0u; i < 16u; i++) {
        sum_a += tile[team * 16u + i];
        sum_b += tile[THREADS + team * 16u + i];
    }
    if MODE == 3u && member == 0u && column_tile == 0u {
        keep(head, row, part, top_a.x, sum_a.x);
        keep(head, row + TEAMS, part, top_a.y, sum_a.y);
        keep(head, row + 2u * TEAMS, part, top_a.z, sum_a.z);
        keep(head, row + 3u * TEAMS, part, top_a.w, sum_a.w);
        keep(head, row + 4u * TEAMS, part, top_b.x, sum_b.x);
        keep(head, row + 5u * TEAMS, part, top_b.y, sum_b.y);
        keep(head, row + 6u * TEAMS, part, top_b.z, sum_b.z);
        keep(head, row + 7u * TEAMS, part, top_b.w, sum_b.w);
    }
    finish_block(left, head, row, column0 + 4u * member, part, sum_a, sum_b);
    if BLOCKS > 1u {
        finish_block(right, head, row, column0 + 64u + 4u * member, part, sum_a, sum_b);
    }
}
