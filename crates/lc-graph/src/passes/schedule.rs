//! The order of calls: as added, or moved so that the device changes less often.

use crate::program::{CallId, Program};
use lc_core::ResolvedCall;
use std::sync::Arc;

/// An order that meets every data and control dependency. With `group_devices`, of the calls that are ready, one on the
/// device of the call before goes first, and the earliest among those; without, calls stay in their order.
pub fn schedule(program: &Program, placed: &[Option<Arc<ResolvedCall>>], group_devices: bool) -> Vec<CallId> {
    if !group_devices {
        return program.iter().map(|(id, _)| id).collect();
    }
    let writers = program.writers();
    let mut waiting = vec![0usize; program.calls.len()];
    let mut readers: Vec<Vec<CallId>> = vec![Vec::new(); program.calls.len()];
    for (id, call) in program.iter() {
        let data = call.inputs.iter().flatten().filter_map(|operand| writers[operand.value]);
        let control = call.after.iter().copied().filter(|before| program.calls[*before].is_some());
        for before in data.chain(control) {
            readers[before].push(id);
            waiting[id] += 1;
        }
    }
    let device = |id: CallId| placed[id].as_ref().map(|call| call.receipt().selected);
    let mut ready: Vec<CallId> = program.iter().map(|(id, _)| id).filter(|id| waiting[*id] == 0).collect();
    let mut order: Vec<CallId> = Vec::with_capacity(program.len());
    while !ready.is_empty() {
        let last = order.last().and_then(|id| device(*id));
        let pick = (0..ready.len()).min_by_key(|i| (last.is_some() && device(ready[*i]) != last, ready[*i]));
        let id = ready.swap_remove(pick.unwrap_or(0));
        order.push(id);
        for reader in &readers[id] {
            waiting[*reader] -= 1;
            if waiting[*reader] == 0 {
                ready.push(*reader);
            }
        }
    }
    order
}
