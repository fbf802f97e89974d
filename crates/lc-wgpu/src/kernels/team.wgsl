// Sums over teams of TEAM neighbouring threads, a power of two. Every thread of the workgroup calls this.

override TEAM: u32 = 256u;

const GROUP = 256u;

var<workgroup> shared_by_team: array<f32, GROUP>;

fn team_total(lane: u32, x: f32) -> f32 {
    workgroupBarrier();
    shared_by_team[lane] = x;
    for (var half = TEAM / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane % TEAM < half {
            shared_by_team[lane] += shared_by_team[lane + half];
        }
    }
    workgroupBarrier();
    return shared_by_team[lane - lane % TEAM];
}
