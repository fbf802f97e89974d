// Softmax of rows: a team of threads a row. HOLD slots of it a thread are in registers, read once; what does not fit is
// read a second time, for the result.

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
const MOST = 16u;

fn rows(number: u32, me: Me) {
    let row = row_at(number * (GROUP / TEAM) + me.lane / (TEAM * STEP) * STEP + me.lane % STEP);
    let member = me.lane / STEP % TEAM;
    var held: array<Wide, MOST>;
    var high = Wide(LOWEST);
    for (var s = 0u; s < HOLD; s++) {
        held[s] = load(row, member + s * TEAM, LOWEST);
        high = max(high, held[s]);
    }
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
    for (var s = 0u; s < HOLD; s++) {
        held[s] = only(row, member + s * TEAM, exp(held[s] - all), 0.0);
        sum += held[s];
    }
    let factor = Wide(1.0 / team_total(me, total(sum), 1u));
    for (var s = 0u; s < HOLD; s++) {
        store(row, member + s * TEAM, held[s] * factor);
    }
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
