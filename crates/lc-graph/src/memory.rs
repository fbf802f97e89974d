//! Where intermediate values lie: one arena a device, in which values whose lifetimes do not meet share bytes.

use lc_core::plan::{ARENA_ALIGN, SlotId};

/// A slot that needs a place in an arena.
#[derive(Clone, Copy, Debug)]
pub struct Tenant {
    /// The slot.
    pub slot: SlotId,
    /// The arena's device, by position in the plan.
    pub device: usize,
    /// Bytes.
    pub bytes: usize,
    /// The first step that touches it.
    pub first: usize,
    /// The last step that touches it.
    pub last: usize,
}

/// What the arenas of a plan take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of the arena of each device.
    pub arenas: Vec<usize>,
    /// Bytes that all slots would take side by side.
    pub without_sharing: usize,
    /// The most bytes that are alive in one step, over all arenas: no placement can take less.
    pub live: usize,
}

impl Memory {
    /// Bytes of all arenas together.
    pub fn peak(&self) -> usize {
        self.arenas.iter().sum()
    }
}

/// Gives every tenant a byte offset in its arena: largest first, each at the lowest offset that is free for its whole
/// lifetime (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020, "greedy by size").
pub fn assign(tenants: &[Tenant], devices: usize) -> (Vec<usize>, Memory) {
    let size = |tenant: &Tenant| tenant.bytes.next_multiple_of(ARENA_ALIGN);
    let mut order: Vec<usize> = (0..tenants.len()).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(size(&tenants[*i])), tenants[*i].first, *i));
    let mut offsets = vec![0; tenants.len()];
    let mut memory = Memory { arenas: vec![0; devices], ..Memory::default() };
    let mut placed: Vec<usize> = Vec::with_capacity(tenants.len());
    for i in order {
        let tenant = &tenants[i];
        let meets = |j: &&usize| {
            let other = &tenants[**j];
            other.device == tenant.device && other.first <= tenant.last && tenant.first <= other.last
        };
        let mut taken: Vec<_> =
            placed.iter().filter(meets).map(|j| (offsets[*j], offsets[*j] + size(&tenants[*j]))).collect();
        taken.sort_unstable();
        let mut offset = 0;
        for (start, end) in taken {
            if offset + size(tenant) <= start {
                break;
            }
            offset = offset.max(end);
        }
        offsets[i] = offset;
        placed.push(i);
        memory.arenas[tenant.device] = memory.arenas[tenant.device].max(offset + size(tenant));
        memory.without_sharing += size(tenant);
    }
    let alive = |step: usize| tenants.iter().filter(|t| t.first <= step && step <= t.last).map(size).sum();
    memory.live = tenants.iter().map(|tenant| alive(tenant.first)).max().unwrap_or(0);
    (offsets, memory)
}
