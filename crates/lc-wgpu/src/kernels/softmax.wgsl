// Softmax of rows: a team of threads a row. HOLD slots of it a thread, 16 at most, are in registers, read once; what does
// not fit is read a second time, for the result.

struct Params {
    rows: u32,
    // Elements of a row.
    extent: u32,
    // What lies between them, where they are no neighbours.
    inner: u32,
    first_x: u32,
    first_out: u32,
}

var<immediate> params: Params;

override HOLD: u32 = 8u;
// Whether rows may have more slots than that.
override LONG: u32 = 0u;

fn rows(number: u32, me: Me) {
    let row = row_at(number * (GROUP / TEAM) + me.lane / (TEAM * STEP) * STEP + me.lane % STEP);
    let member = me.lane / STEP % TEAM;
    // Slots have names, not numbers: a driver that keeps a loop over an array puts the array into memory and fills it with
    // zeros first, which took 4 to 17 times as long on an H100.
    var h0: Wide; var h1: Wide; var h2: Wide; var h3: Wide;
    var h4: Wide; var h5: Wide; var h6: Wide; var h7: Wide;
    var h8: Wide; var h9: Wide; var h10: Wide; var h11: Wide;
    var h12: Wide; var h13: Wide; var h14: Wide; var h15: Wide;
    var high = Wide(LOWEST);
    h0 = load(row, member, LOWEST); high = max(high, h0);
    if HOLD > 1u { h1 = load(row, member + TEAM, LOWEST); high = max(high, h1); }
    if HOLD > 2u { h2 = load(row, member + 2u * TEAM, LOWEST); high = max(high, h2); }
    if HOLD > 3u { h3 = load(row, member + 3u * TEAM, LOWEST); high = max(high, h3); }
    if HOLD > 4u { h4 = load(row, member + 4u * TEAM, LOWEST); high = max(high, h4); }
    if HOLD > 5u { h5 = load(row, member + 5u * TEAM, LOWEST); high = max(high, h5); }
    if HOLD > 6u { h6 = load(row, member + 6u * TEAM, LOWEST); high = max(high, h6); }
    if HOLD > 7u { h7 = load(row, member + 7u * TEAM, LOWEST); high = max(high, h7); }
    if HOLD > 8u { h8 = load(row, member + 8u * TEAM, LOWEST); high = max(high, h8); }
    if HOLD > 9u { h9 = load(row, member + 9u * TEAM, LOWEST); high = max(high, h9); }
    if HOLD > 10u { h10 = load(row, member + 10u * TEAM, LOWEST); high = max(high, h10); }
    if HOLD > 11u { h11 = load(row, member + 11u * TEAM, LOWEST); high = max(high, h11); }
    if HOLD > 12u { h12 = load(row, member + 12u * TEAM, LOWEST); high = max(high, h12); }
    if HOLD > 13u { h13 = load(row, member + 13u * TEAM, LOWEST); high = max(high, h13); }
    if HOLD > 14u { h14 = load(row, member + 14u * TEAM, LOWEST); high = max(high, h14); }
    if HOLD > 15u { h15 = load(row, member + 15u * TEAM, LOWEST); high = max(high, h15); }
    // The rest: a maximum and a sum that is brought to it, four slots at a time, which are read side by side.
    // All threads of a team take as many turns.
    var sum = Wide(0.0);
    var top = Wide(LOWEST);
    if LONG != 0u {
        for (var first = HOLD * TEAM; first <= row.last; first += 4u * TEAM) {
            let j = first + member;
            let a = load(row, j, LOWEST);
            let b = load(row, j + TEAM, LOWEST);
            let c = load(row, j + 2u * TEAM, LOWEST);
            let d = load(row, j + 3u * TEAM, LOWEST);
            let higher = max(max(max(a, b), max(c, d)), top);
            let ab = only(row, j, exp(a - higher), 0.0) + only(row, j + TEAM, exp(b - higher), 0.0);
            let cd = only(row, j + 2u * TEAM, exp(c - higher), 0.0) + only(row, j + 3u * TEAM, exp(d - higher), 0.0);
            sum = sum * exp(top - higher) + (ab + cd);
            top = higher;
        }
        high = max(high, top);
    }
    // NaN may be lost here: the exponentials bring it back.
    let all = Wide(team_widest(me, widest(high), 0u));
    if LONG != 0u {
        sum *= exp(top - all);
    }
    h0 = only(row, member, exp(h0 - all), 0.0); sum += h0;
    if HOLD > 1u { h1 = only(row, member + TEAM, exp(h1 - all), 0.0); sum += h1; }
    if HOLD > 2u { h2 = only(row, member + 2u * TEAM, exp(h2 - all), 0.0); sum += h2; }
    if HOLD > 3u { h3 = only(row, member + 3u * TEAM, exp(h3 - all), 0.0); sum += h3; }
    if HOLD > 4u { h4 = only(row, member + 4u * TEAM, exp(h4 - all), 0.0); sum += h4; }
    if HOLD > 5u { h5 = only(row, member + 5u * TEAM, exp(h5 - all), 0.0); sum += h5; }
    if HOLD > 6u { h6 = only(row, member + 6u * TEAM, exp(h6 - all), 0.0); sum += h6; }
    if HOLD > 7u { h7 = only(row, member + 7u * TEAM, exp(h7 - all), 0.0); sum += h7; }
    if HOLD > 8u { h8 = only(row, member + 8u * TEAM, exp(h8 - all), 0.0); sum += h8; }
    if HOLD > 9u { h9 = only(row, member + 9u * TEAM, exp(h9 - all), 0.0); sum += h9; }
    if HOLD > 10u { h10 = only(row, member + 10u * TEAM, exp(h10 - all), 0.0); sum += h10; }
    if HOLD > 11u { h11 = only(row, member + 11u * TEAM, exp(h11 - all), 0.0); sum += h11; }
    if HOLD > 12u { h12 = only(row, member + 12u * TEAM, exp(h12 - all), 0.0); sum += h12; }
    if HOLD > 13u { h13 = only(row, member + 13u * TEAM, exp(h13 - all), 0.0); sum += h13; }
    if HOLD > 14u { h14 = only(row, member + 14u * TEAM, exp(h14 - all), 0.0); sum += h14; }
    if HOLD > 15u { h15 = only(row, member + 15u * TEAM, exp(h15 - all), 0.0); sum += h15; }
    let factor = Wide(1.0 / team_total(me, total(sum), 1u));
    store(row, member, h0 * factor);
    if HOLD > 1u { store(row, member + TEAM, h1 * factor); }
    if HOLD > 2u { store(row, member + 2u * TEAM, h2 * factor); }
    if HOLD > 3u { store(row, member + 3u * TEAM, h3 * factor); }
    if HOLD > 4u { store(row, member + 4u * TEAM, h4 * factor); }
    if HOLD > 5u { store(row, member + 5u * TEAM, h5 * factor); }
    if HOLD > 6u { store(row, member + 6u * TEAM, h6 * factor); }
    if HOLD > 7u { store(row, member + 7u * TEAM, h7 * factor); }
    if HOLD > 8u { store(row, member + 8u * TEAM, h8 * factor); }
    if HOLD > 9u { store(row, member + 9u * TEAM, h9 * factor); }
    if HOLD > 10u { store(row, member + 10u * TEAM, h10 * factor); }
    if HOLD > 11u { store(row, member + 11u * TEAM, h11 * factor); }
    if HOLD > 12u { store(row, member + 12u * TEAM, h12 * factor); }
    if HOLD > 13u { store(row, member + 13u * TEAM, h13 * factor); }
    if HOLD > 14u { store(row, member + 14u * TEAM, h14 * factor); }
    if HOLD > 15u { store(row, member + 15u * TEAM, h15 * factor); }
    if LONG != 0u {
        for (var first = HOLD * TEAM; first <= row.last; first += 4u * TEAM) {
            let j = first + member;
            let a = load(row, j, LOWEST);
            let b = load(row, j + TEAM, LOWEST);
            let c = load(row, j + 2u * TEAM, LOWEST);
            let d = load(row, j + 3u * TEAM, LOWEST);
            store(row, j, exp(a - all) * factor);
            store(row, j + TEAM, exp(b - all) * factor);
            store(row, j + 2u * TEAM, exp(c - all) * factor);
            store(row, j + 3u * TEAM, exp(d - all) * factor);
        }
    }
}
