// Attention of few rows: a workgroup takes one row, and a part of the keys in blocks of 256. Keys and values are read
// once and not shared, so nothing but probabilities and sums is in workgroup memory.
//
// Scores: eight neighbouring threads are a team and take a key, its vectors of four in turn. Result: COLUMNS neighbouring
// threads take a key's values, a vector each, and the others more keys.

// Vectors of a row of values, rounded up to a power of two, 256 at most.
override COLUMNS: u32 = 16u;
// 0: the result. 3: the sums of a part of the keys, not normalised, and each row's maximum and sum.
override MODE: u32 = 0u;

const THREADS = 256u;

// The sums of a part.
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;

// The row, by vectors: up to 1024 elements.
var<workgroup> row_tile: array<vec4<f32>, 256>;
// The threads' shares of a block's scores, four keys 32 apart a vector; later their results.
var<workgroup> shares: array<vec4<f32>, 512>;
var<workgroup> probabilities: array<f32, 256>;
var<workgroup> several: array<f32, 16>;

fn dot4(sum: f32, a: vec4<f32>, b: vec4<f32>) -> f32 {
    return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

// The scores of four keys, as far apart as there are teams.
fn shares_of(start: u32, key: u32, last: u32, member: u32) -> vec4<f32> {
    let at = vec4<u32>(start) + min(vec4<u32>(key, key + 32u, key + 64u, key + 96u), vec4<u32>(last)) * params.k.w;
    var sum = vec4<f32>(0.0);
    for (var c = member; 4u * c < params.dim; c += 8u) {
        let left = params.dim - 4u * c;
        let a = read_k(at.x + 4u * c, left);
        let b = read_k(at.y + 4u * c, left);
        let d = read_k(at.z + 4u * c, left);
        let e = read_k(at.w + 4u * c, left);
        let q = row_tile[c];
        sum = vec4<f32>(dot4(sum.x, q, a), dot4(sum.y, q, b), dot4(sum.z, q, d), dot4(sum.w, q, e));
    }
    return sum;
}

// The sum or maximum over the workgroup.
fn all_of(lane: u32, x: f32, widest: bool) -> f32 {
    probabilities[lane] = x;
    workgroupBarrier();
    if lane < 16u {
        var some = probabilities[lane];
        for (var i = 1u; i < 16u; i++) {
            let other = probabilities[lane + 16u * i];
            some = select(some + other, max(some, other), widest);
        }
        several[lane] = some;
    }
    workgroupBarrier();
    var all = several[0];
    for (var i = 1u; i < 16u; i++) {
        all = select(all + several[i], max(all, several[i]), widest);
    }
    return all;
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let parts = (params.keys + params.part - 1u) / params.part;
    var id = group.y * groups.x + group.x;
    let part = id % parts;
    id /= parts;
    let row = id % params.rows;
    let head = id / params.rows;
    // A grid of two dimensions may have more workgroups than there is work.
    if head >= params.all_heads {
        return;
    }
    let batch = head / params.heads;
    let own = head % params.heads;
    let from_q = params.q.x + batch * params.q.y + own * params.q.z + row * params.q.w;
    let from_k = params.k.x + batch * params.k.y + own / params.sharing * params.k.z;
    let from_v = params.v.x + batch * params.v.y + own / params.sharing * params.v.z;
    let from_mask = params.first_mask + batch * params.mask.x + own * params.mask.y + row * params.mask.z;
    let key_start = part * params.part;
    var key_end = min(params.keys, key_start + params.part);
    if (params.flags & CAUSAL) != 0u {
        key_end = min(key_end, row + 1u);
    }

    if 4u * lane < params.dim {
        row_tile[lane] = read_q(from_q + 4u * lane, params.dim - 4u * lane);
    }
    let team = lane / 8u;
    let member = lane % 8u;
    let line = lane / COLUMNS;
    let lines = THREADS / COLUMNS;
    let column = 4u * (lane % COLUMNS);
    let left = select(0u, params.value_dim - column, column < params.value_dim);
    var top = LOWEST;
    var sum = 0.0;
    var result = vec4<f32>(0.0);
    for (var key0 = key_start; key0 < key_end; key0 += THREADS) {
        // The row is there, and what the block before left in workgroup memory was read.
        workgroupBarrier();
        let a = shares_of(from_k, key0 + team, key_end - 1u, member);
        let b = shares_of(from_k, key0 + 128u + team, key_end - 1u, member);
        shares[lane] = a;
        shares[THREADS + lane] = b;
        workgroupBarrier();
        // Now a key a thread: a component of a team's vectors.
        let seen = key0 + lane < key_end;
        let first = lane / 128u * THREADS + lane % 32u * 8u;
        var all = shares[first];
        for (var i = 1u; i < 8u; i++) {
            all += shares[first + i];
        }
        var score = all[lane / 32u % 4u] * params.scale;
        if seen && (params.flags & MASKED) != 0u {
            score += f32(mask[from_mask + (key0 + lane) * params.mask.w]);
        }
        score = select(LOWEST, score, seen);
        // NaN may be lost in a maximum: the exponentials bring it back.
        let higher = max(top, all_of(lane, score, true));
        let factor = exp(top - higher);
        top = higher;
        let p = select(0.0, exp(score - higher), seen);
        sum = fma(sum, factor, p);
        probabilities[lane] = p;
        workgroupBarrier();
        result *= factor;
        let count = min(THREADS, key_end - key0);
        for (var j = line; j < count; j += 4u * lines) {
            let at = from_v + (key0 + j) * params.v.w + column;
            let step = lines * params.v.w;
            let v0 = read_v(at, left);
            let v1 = read_v(at + step, select(0u, left, j + lines < count));
            let v2 = read_v(at + 2u * step, select(0u, left, j + 2u * lines < count));
            let v3 = read_v(at + 3u * step, select(0u, left, j + 3u * lines < count));
            result = fma(vec4<f32>(probabilities[j]), v0, result);
            if j + lines < count { result = fma(vec4<f32>(probabilities[j + lines]), v1, result); }
            if j + 2u * lines < count { result = fma(vec4<f32>(probabilities[j + 2u * lines]), v2, result); }
            if j + 3u * lines < count { result = fma(vec4<f32>(probabilities[j + 3u * lines]), v3, result); }
        }
    }

    workgroupBarrier();
    shares[lane] = result;
    sum = all_of(lane, sum, false);
    if line != 0u {
        return;
    }
    for (var i = 1u; i < lines; i++) {
        result += shares[lane + i * COLUMNS];
    }
    let at_row = head * params.rows + row;
    if MODE == 3u {
        let at = part * params.all_heads * params.rows + at_row;
        if lane == 0u {
            stats[2u * at] = top;
            stats[2u * at + 1u] = sum;
        }
        for (var i = 0u; i < min(left, 4u); i++) {
            sums[at * params.value_dim + column + i] = result[i];
        }
        return;
    }
    // A row that sees nothing is zero, whatever the values hold.
    var y = select(result / sum, vec4<f32>(0.0), sum == 0.0);
    y = y * params.output_scale + vec4<f32>(params.output_bias);
    if (params.flags & RECTIFY) != 0u {
        y = select(y, vec4<f32>(0.0), y < vec4<f32>(0.0));
    }
    for (var i = 0u; i < min(left, 4u); i++) {
        out[params.first_out + at_row * params.value_dim + column + i] = Element(y[i]);
    }
}
