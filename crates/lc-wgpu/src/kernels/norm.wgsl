// Normalisation of rows: by mean and variance where CENTRED, else by the mean square. A team of threads a row, HOLD slots
// of it a thread in registers, read once; what does not fit is read a second time, for the result.

struct Params {
    rows: u32,
    // Elements of a row.
    extent: u32,
    // Always one.
    inner: u32,
    first_x: u32,
    first_out: u32,
    first_weight: u32,
    first_bias: u32,
    // Bit 0: there is a weight; bit 1: there is a bias.
    has: u32,
    eps: f32,
}

var<immediate> params: Params;

override HOLD: u32 = 8u;
override CENTRED: u32 = 1u;
// Whether rows may have more slots than HOLD a thread.
override LONG: u32 = 0u;
// Whether weights and biases are read before the sums, and held: in registers that rows leave free.
override AHEAD: u32 = 0u;
const MOST = 16u;

// What is known of the slots that do not fit: how many elements, their mean, and the squares about it (Welford, 1962), by
// component. Without CENTRED the mean stays 0.
struct Rest {
    count: Wide,
    mean: Wide,
    squares: Wide,
}

fn add(rest: Rest, row: Row, j: u32) -> Rest {
    let v = load(row, j, 0.0);
    let count = rest.count + only(row, j, Wide(1.0), 0.0);
    if CENTRED == 0u {
        return Rest(count, rest.mean, rest.squares + v * v);
    }
    let away = only(row, j, v - rest.mean, 0.0);
    let mean = rest.mean + away / max(count, Wide(1.0));
    return Rest(count, mean, rest.squares + away * only(row, j, v - mean, 0.0));
}

fn factor_at(row: Row, j: u32) -> Wide {
    if (params.has & 1u) != 0u {
        return weight_at(row, j);
    }
    return Wide(1.0);
}

fn shift_at(row: Row, j: u32) -> Wide {
    if (params.has & 2u) != 0u {
        return bias_at(row, j);
    }
    return Wide(0.0);
}

fn finish(row: Row, j: u32, normal: Wide) {
    store(row, j, normal * factor_at(row, j) + shift_at(row, j));
}

fn rows(number: u32, me: Me) {
    let row = row_at(number * (GROUP / TEAM) + me.lane / TEAM);
    let member = me.lane % TEAM;
    let count = f32(params.extent);
    var held: array<Wide, MOST>;
    var weights: array<Wide, MOST>;
    var biases: array<Wide, MOST>;
    var sum = Wide(0.0);
    for (var s = 0u; s < HOLD; s++) {
        held[s] = load(row, member + s * TEAM, 0.0);
        sum += held[s];
    }
    if AHEAD != 0u {
        for (var s = 0u; s < HOLD; s++) {
            weights[s] = factor_at(row, member + s * TEAM);
            biases[s] = shift_at(row, member + s * TEAM);
        }
    }
    var rest = Rest(Wide(0.0), Wide(0.0), Wide(0.0));
    if LONG != 0u {
        // All threads of a team take as many turns.
        for (var first = HOLD * TEAM; first <= row.last; first += 4u * TEAM) {
            let j = first + member;
            rest = add(add(add(add(rest, row, j), row, j + TEAM), row, j + 2u * TEAM), row, j + 3u * TEAM);
        }
        sum += rest.count * rest.mean;
    }
    var mean = 0.0;
    if CENTRED != 0u {
        mean = team_total(me, total(sum), 0u) / count;
    }
    // Squares of what is left of the mean: nothing cancels.
    var squares = Wide(0.0);
    if LONG != 0u {
        let away = rest.mean - mean;
        squares = rest.squares + rest.count * away * away;
    }
    for (var s = 0u; s < HOLD; s++) {
        held[s] = only(row, member + s * TEAM, held[s] - mean, 0.0);
        squares += held[s] * held[s];
    }
    let factor = 1.0 / sqrt(team_total(me, total(squares), 1u) / count + params.eps);
    for (var s = 0u; s < HOLD; s++) {
        if AHEAD != 0u {
            store(row, member + s * TEAM, held[s] * factor * weights[s] + biases[s]);
        } else {
            finish(row, member + s * TEAM, held[s] * factor);
        }
    }
    if LONG != 0u {
        for (var first = HOLD * TEAM; first <= row.last; first += 4u * TEAM) {
            let j = first + member;
            let a = load(row, j, 0.0);
            let b = load(row, j + TEAM, 0.0);
            let c = load(row, j + 2u * TEAM, 0.0);
            let d = load(row, j + 3u * TEAM, 0.0);
            finish(row, j, (a - mean) * factor);
            finish(row, j + TEAM, (b - mean) * factor);
            finish(row, j + 2u * TEAM, (c - mean) * factor);
            finish(row, j + 3u * TEAM, (d - mean) * factor);
        }
    }
}
