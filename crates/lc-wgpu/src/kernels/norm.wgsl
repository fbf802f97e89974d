// Normalisation of rows: by mean and variance where CENTRED, else by the mean square. A team of threads a row, HOLD slots
// of it a thread, 16 at most, in registers, read once; what does not fit is read a second time, for the result.

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
// Slots, HOLD at most, of which weights and biases are read before the sums, and held: in registers that rows leave free.
override AHEAD: u32 = 0u;

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
    // Slots have names, not numbers: a driver that keeps a loop over an array puts the array into memory and fills it with
    // zeros first, which took 4 to 17 times as long on an H100.
    var h0: Wide; var h1: Wide; var h2: Wide; var h3: Wide;
    var h4: Wide; var h5: Wide; var h6: Wide; var h7: Wide;
    var h8: Wide; var h9: Wide; var h10: Wide; var h11: Wide;
    var h12: Wide; var h13: Wide; var h14: Wide; var h15: Wide;
    // Their weights and biases.
    var w0: Wide; var w1: Wide; var w2: Wide; var w3: Wide;
    var w4: Wide; var w5: Wide; var w6: Wide; var w7: Wide;
    var w8: Wide; var w9: Wide; var w10: Wide; var w11: Wide;
    var w12: Wide; var w13: Wide; var w14: Wide; var w15: Wide;
    var b0: Wide; var b1: Wide; var b2: Wide; var b3: Wide;
    var b4: Wide; var b5: Wide; var b6: Wide; var b7: Wide;
    var b8: Wide; var b9: Wide; var b10: Wide; var b11: Wide;
    var b12: Wide; var b13: Wide; var b14: Wide; var b15: Wide;
    var sum = Wide(0.0);
    h0 = load(row, member, 0.0); sum += h0;
    if HOLD > 1u { h1 = load(row, member + TEAM, 0.0); sum += h1; }
    if HOLD > 2u { h2 = load(row, member + 2u * TEAM, 0.0); sum += h2; }
    if HOLD > 3u { h3 = load(row, member + 3u * TEAM, 0.0); sum += h3; }
    if HOLD > 4u { h4 = load(row, member + 4u * TEAM, 0.0); sum += h4; }
    if HOLD > 5u { h5 = load(row, member + 5u * TEAM, 0.0); sum += h5; }
    if HOLD > 6u { h6 = load(row, member + 6u * TEAM, 0.0); sum += h6; }
    if HOLD > 7u { h7 = load(row, member + 7u * TEAM, 0.0); sum += h7; }
    if HOLD > 8u { h8 = load(row, member + 8u * TEAM, 0.0); sum += h8; }
    if HOLD > 9u { h9 = load(row, member + 9u * TEAM, 0.0); sum += h9; }
    if HOLD > 10u { h10 = load(row, member + 10u * TEAM, 0.0); sum += h10; }
    if HOLD > 11u { h11 = load(row, member + 11u * TEAM, 0.0); sum += h11; }
    if HOLD > 12u { h12 = load(row, member + 12u * TEAM, 0.0); sum += h12; }
    if HOLD > 13u { h13 = load(row, member + 13u * TEAM, 0.0); sum += h13; }
    if HOLD > 14u { h14 = load(row, member + 14u * TEAM, 0.0); sum += h14; }
    if HOLD > 15u { h15 = load(row, member + 15u * TEAM, 0.0); sum += h15; }
    if AHEAD > 0u { w0 = factor_at(row, member); b0 = shift_at(row, member); }
    if AHEAD > 1u { w1 = factor_at(row, member + TEAM); b1 = shift_at(row, member + TEAM); }
    if AHEAD > 2u { w2 = factor_at(row, member + 2u * TEAM); b2 = shift_at(row, member + 2u * TEAM); }
    if AHEAD > 3u { w3 = factor_at(row, member + 3u * TEAM); b3 = shift_at(row, member + 3u * TEAM); }
    if AHEAD > 4u { w4 = factor_at(row, member + 4u * TEAM); b4 = shift_at(row, member + 4u * TEAM); }
    if AHEAD > 5u { w5 = factor_at(row, member + 5u * TEAM); b5 = shift_at(row, member + 5u * TEAM); }
    if AHEAD > 6u { w6 = factor_at(row, member + 6u * TEAM); b6 = shift_at(row, member + 6u * TEAM); }
    if AHEAD > 7u { w7 = factor_at(row, member + 7u * TEAM); b7 = shift_at(row, member + 7u * TEAM); }
    if AHEAD > 8u { w8 = factor_at(row, member + 8u * TEAM); b8 = shift_at(row, member + 8u * TEAM); }
    if AHEAD > 9u { w9 = factor_at(row, member + 9u * TEAM); b9 = shift_at(row, member + 9u * TEAM); }
    if AHEAD > 10u { w10 = factor_at(row, member + 10u * TEAM); b10 = shift_at(row, member + 10u * TEAM); }
    if AHEAD > 11u { w11 = factor_at(row, member + 11u * TEAM); b11 = shift_at(row, member + 11u * TEAM); }
    if AHEAD > 12u { w12 = factor_at(row, member + 12u * TEAM); b12 = shift_at(row, member + 12u * TEAM); }
    if AHEAD > 13u { w13 = factor_at(row, member + 13u * TEAM); b13 = shift_at(row, member + 13u * TEAM); }
    if AHEAD > 14u { w14 = factor_at(row, member + 14u * TEAM); b14 = shift_at(row, member + 14u * TEAM); }
    if AHEAD > 15u { w15 = factor_at(row, member + 15u * TEAM); b15 = shift_at(row, member + 15u * TEAM); }
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
    h0 = only(row, member, h0 - mean, 0.0); squares += h0 * h0;
    if HOLD > 1u { h1 = only(row, member + TEAM, h1 - mean, 0.0); squares += h1 * h1; }
    if HOLD > 2u { h2 = only(row, member + 2u * TEAM, h2 - mean, 0.0); squares += h2 * h2; }
    if HOLD > 3u { h3 = only(row, member + 3u * TEAM, h3 - mean, 0.0); squares += h3 * h3; }
    if HOLD > 4u { h4 = only(row, member + 4u * TEAM, h4 - mean, 0.0); squares += h4 * h4; }
    if HOLD > 5u { h5 = only(row, member + 5u * TEAM, h5 - mean, 0.0); squares += h5 * h5; }
    if HOLD > 6u { h6 = only(row, member + 6u * TEAM, h6 - mean, 0.0); squares += h6 * h6; }
    if HOLD > 7u { h7 = only(row, member + 7u * TEAM, h7 - mean, 0.0); squares += h7 * h7; }
    if HOLD > 8u { h8 = only(row, member + 8u * TEAM, h8 - mean, 0.0); squares += h8 * h8; }
    if HOLD > 9u { h9 = only(row, member + 9u * TEAM, h9 - mean, 0.0); squares += h9 * h9; }
    if HOLD > 10u { h10 = only(row, member + 10u * TEAM, h10 - mean, 0.0); squares += h10 * h10; }
    if HOLD > 11u { h11 = only(row, member + 11u * TEAM, h11 - mean, 0.0); squares += h11 * h11; }
    if HOLD > 12u { h12 = only(row, member + 12u * TEAM, h12 - mean, 0.0); squares += h12 * h12; }
    if HOLD > 13u { h13 = only(row, member + 13u * TEAM, h13 - mean, 0.0); squares += h13 * h13; }
    if HOLD > 14u { h14 = only(row, member + 14u * TEAM, h14 - mean, 0.0); squares += h14 * h14; }
    if HOLD > 15u { h15 = only(row, member + 15u * TEAM, h15 - mean, 0.0); squares += h15 * h15; }
    let factor = 1.0 / sqrt(team_total(me, total(squares), 1u) / count + params.eps);
    if AHEAD > 0u { store(row, member, h0 * factor * w0 + b0); } else if HOLD > 0u { finish(row, member, h0 * factor); }
    if AHEAD > 1u { store(row, member + TEAM, h1 * factor * w1 + b1); } else if HOLD > 1u { finish(row, member + TEAM, h1 * factor); }
    if AHEAD > 2u { store(row, member + 2u * TEAM, h2 * factor * w2 + b2); } else if HOLD > 2u { finish(row, member + 2u * TEAM, h2 * factor); }
    if AHEAD > 3u { store(row, member + 3u * TEAM, h3 * factor * w3 + b3); } else if HOLD > 3u { finish(row, member + 3u * TEAM, h3 * factor); }
    if AHEAD > 4u { store(row, member + 4u * TEAM, h4 * factor * w4 + b4); } else if HOLD > 4u { finish(row, member + 4u * TEAM, h4 * factor); }
    if AHEAD > 5u { store(row, member + 5u * TEAM, h5 * factor * w5 + b5); } else if HOLD > 5u { finish(row, member + 5u * TEAM, h5 * factor); }
    if AHEAD > 6u { store(row, member + 6u * TEAM, h6 * factor * w6 + b6); } else if HOLD > 6u { finish(row, member + 6u * TEAM, h6 * factor); }
    if AHEAD > 7u { store(row, member + 7u * TEAM, h7 * factor * w7 + b7); } else if HOLD > 7u { finish(row, member + 7u * TEAM, h7 * factor); }
    if AHEAD > 8u { store(row, member + 8u * TEAM, h8 * factor * w8 + b8); } else if HOLD > 8u { finish(row, member + 8u * TEAM, h8 * factor); }
    if AHEAD > 9u { store(row, member + 9u * TEAM, h9 * factor * w9 + b9); } else if HOLD > 9u { finish(row, member + 9u * TEAM, h9 * factor); }
    if AHEAD > 10u { store(row, member + 10u * TEAM, h10 * factor * w10 + b10); } else if HOLD > 10u { finish(row, member + 10u * TEAM, h10 * factor); }
    if AHEAD > 11u { store(row, member + 11u * TEAM, h11 * factor * w11 + b11); } else if HOLD > 11u { finish(row, member + 11u * TEAM, h11 * factor); }
    if AHEAD > 12u { store(row, member + 12u * TEAM, h12 * factor * w12 + b12); } else if HOLD > 12u { finish(row, member + 12u * TEAM, h12 * factor); }
    if AHEAD > 13u { store(row, member + 13u * TEAM, h13 * factor * w13 + b13); } else if HOLD > 13u { finish(row, member + 13u * TEAM, h13 * factor); }
    if AHEAD > 14u { store(row, member + 14u * TEAM, h14 * factor * w14 + b14); } else if HOLD > 14u { finish(row, member + 14u * TEAM, h14 * factor); }
    if AHEAD > 15u { store(row, member + 15u * TEAM, h15 * factor * w15 + b15); } else if HOLD > 15u { finish(row, member + 15u * TEAM, h15 * factor); }
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
