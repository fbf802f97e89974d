// Teams of threads that share a row, by subgroups: TEAM threads, STEP apart, both powers of two, STEP no more than a
// subgroup has. A team inside a subgroup needs no workgroup memory and no barrier, a larger one needs one barrier.
// The kernel says what a thread adds, `Part`, and what a workgroup does, `rows`. Every thread of the workgroup calls these.

override GROUP: u32 = 256u;
override TEAM: u32 = 256u;
override STEP: u32 = 1u;
// Threads of a subgroup, where that is known; 0 asks the device.
override SUBGROUP: u32 = 0u;

const LOWEST = -3.4028234663852886e38;

struct Me {
    // Numbered by subgroups, whatever the order of threads in them.
    lane: u32,
    size: u32,
    subgroup: u32,
    own: u32,
}

// Parts of one turn; subgroups have four threads or more.
override PARTS: u32 = GROUP / max(SUBGROUP, 4u) * STEP;
override PLACES: u32 = 2u * PARTS;
var<workgroup> parts: array<Part, PLACES>;

fn join(a: Part, b: Part, widest: bool) -> Part {
    return select(a + b, max(a, b), widest);
}

fn combine(me: Me, x: Part, turn: u32, widest: bool) -> Part {
    let span = TEAM * STEP;
    var all = x;
    for (var apart = STEP; apart < min(span, me.size); apart *= 2u) {
        all = join(all, subgroupShuffleXor(all, apart), widest);
    }
    if span > me.size {
        let count = span / me.size * STEP;
        if me.own < STEP {
            parts[turn * PARTS + me.subgroup * STEP + me.own] = all;
        }
        // One is enough: the other turn has places of its own.
        workgroupBarrier();
        let first = turn * PARTS + me.lane / span * count;
        all = parts[first + me.own % count];
        for (var i = me.own + me.size; i < count; i += me.size) {
            all = join(all, parts[first + i], widest);
        }
        for (var apart = STEP; apart < min(count, me.size); apart *= 2u) {
            all = join(all, subgroupShuffleXor(all, apart), widest);
        }
    }
    return all;
}

// The sum over the team. `turn` numbers a workgroup's combinations: 0, then 1.
fn team_total(me: Me, x: Part, turn: u32) -> Part {
    return combine(me, x, turn, false);
}

fn team_widest(me: Me, x: Part, turn: u32) -> Part {
    return combine(me, x, turn, true);
}

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_size) asked: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) own: u32,
) {
    let size = select(asked, SUBGROUP, SUBGROUP != 0u);
    rows(group.y * groups.x + group.x, Me(subgroup * size + own, size, subgroup, own));
}
