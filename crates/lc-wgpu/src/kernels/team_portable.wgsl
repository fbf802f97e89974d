// Teams of threads that share a row, by workgroup memory alone: TEAM threads, STEP apart, both powers of two. The kernel
// says what a thread adds, `Part`, and what a workgroup does, `rows`. Every thread of the workgroup calls these.

override GROUP: u32 = 256u;
override TEAM: u32 = 256u;
override STEP: u32 = 1u;

const LOWEST = -3.4028234663852886e38;
// Parts that a thread adds up before the next barrier.
const FEW = 16u;

struct Me {
    lane: u32,
}

var<workgroup> parts: array<Part, GROUP>;

fn join(a: Part, b: Part, widest: bool) -> Part {
    return select(a + b, max(a, b), widest);
}

fn combine(me: Me, x: Part, widest: bool) -> Part {
    if TEAM == 1u {
        return x;
    }
    let member = me.lane / STEP % TEAM;
    let first = me.lane - member * STEP;
    var count = TEAM;
    // What was read of the combination before.
    workgroupBarrier();
    parts[me.lane] = x;
    workgroupBarrier();
    if TEAM > FEW {
        count = FEW;
        let own = first + member % FEW * STEP;
        var some = parts[own];
        for (var i = 1u; i < TEAM / FEW; i++) {
            some = join(some, parts[own + i * FEW * STEP], widest);
        }
        workgroupBarrier();
        parts[me.lane] = some;
        workgroupBarrier();
    }
    var all = parts[first];
    for (var i = 1u; i < count; i++) {
        all = join(all, parts[first + i * STEP], widest);
    }
    return all;
}

// The sum over the team. `turn` numbers a workgroup's combinations: 0, then 1.
fn team_total(me: Me, x: Part, turn: u32) -> Part {
    return combine(me, x, false);
}

fn team_widest(me: Me, x: Part, turn: u32) -> Part {
    return combine(me, x, true);
}

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    rows(group.y * groups.x + group.x, Me(lane));
}
