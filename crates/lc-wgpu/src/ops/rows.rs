//! Rows shared out among teams of threads: what softmax and the normalisations have in common.

use crate::launch::{Launch, folded};
use crate::shader::Shader;
use crate::stream::Binding;
use lc_core::Result;
use wgpu::Features;

/// The sources of one shader.
macro_rules! source {
    ($($file:literal),*) => { concat!($(include_str!(concat!("../kernels/", $file, ".wgsl"))),*) };
}
pub(super) use source;

/// The shaders of a kernel, by the form of its rows.
#[derive(Debug)]
pub struct Family {
    /// Rows one behind the other, by vectors of four.
    pub rows_4: &'static Shader,
    /// The same for rows that fill a multiprocessor, where other operands share no buffer with operand and result; `None`
    /// where there are no others.
    pub rows_4_apart: Option<&'static Shader>,
    /// Rows along any dimension, by element.
    pub lanes_1: &'static Shader,
    /// Rows along any dimension but the last, four neighbours at a time; `None` where the op has no such rows.
    pub lanes_4: Option<&'static Shader>,
}

/// The sets of constants that the shaders of a family are used with, by form.
#[derive(Debug)]
pub struct Variants {
    /// Of rows one behind the other.
    pub rows: super::Variants,
    /// Of rows along any dimension.
    pub lanes: super::Variants,
}

impl Family {
    /// Each shader with some of its constants.
    pub fn shaders(&self, variants: &Variants) -> impl Iterator<Item = (&'static Shader, super::Variants)> {
        let lanes = [Some(self.lanes_1), self.lanes_4].into_iter().flatten().map(|shader| (shader, variants.lanes));
        let rows = [Some(self.rows_4), self.rows_4_apart].into_iter().flatten().map(|shader| (shader, variants.rows));
        rows.chain(lanes)
    }
}

/// What a shader of teams needs of the adapter.
pub const fn needs(subgroups: bool, half: bool) -> Features {
    let base = if half { Features::SHADER_F16 } else { Features::empty() };
    if subgroups { base.union(Features::SUBGROUP) } else { base }
}

/// Rows in memory: those of a dense operand and a dense result.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// How many.
    pub count: usize,
    /// Elements of a row.
    pub extent: usize,
    /// How far apart those are.
    pub inner: usize,
    /// Elements before the first of the operand.
    pub first_x: u32,
    /// Elements before the first of the result.
    pub first_out: u32,
}

/// How threads read rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// By vectors along the row. With `odd`, its first and last may be shared with its neighbours.
    Along { odd: bool },
    /// By element.
    Elements,
    /// By vectors across four rows.
    Across,
}

/// How rows are shared out among threads.
#[derive(Clone, Copy, Debug)]
struct Share {
    /// Threads of a workgroup.
    group: u32,
    /// Those that share a row.
    team: u32,
    /// How far apart they are; what is between them takes neighbouring rows.
    step: u32,
    /// Slots, elements or vectors, that a thread holds.
    hold: u32,
}

/// How a row is held, for a kernel that has more to hold.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Slots of each thread.
    pub slots: u32,
    /// Threads.
    pub team: u32,
    /// Whether its first and last vector may be shared with its neighbours.
    pub odd: bool,
}

/// Slots that a thread may hold.
const MOST: u32 = 16;

impl Rows {
    fn form(&self, across: bool) -> Form {
        let (x, out) = (self.first_x % 4, self.first_out % 4);
        match self.inner {
            1 if x == out => Form::Along { odd: x != 0 || !self.extent.is_multiple_of(4) },
            1 => Form::Elements,
            inner if across && inner.is_multiple_of(4) && x == 0 && out == 0 => Form::Across,
            _ => Form::Elements,
        }
    }

    /// Slots of a row, at most.
    fn slots(&self, form: Form) -> u32 {
        let slots = match form {
            Form::Along { odd: false } => self.extent / 4,
            // With up to three elements of the row before.
            Form::Along { odd: true } => (self.extent + 3).div_ceil(4),
            Form::Elements | Form::Across => self.extent,
        };
        slots as u32
    }

    /// Encodes a kernel of the family over these rows: `more` gives constants of its own, three at most, `params` the words, four at most,
    /// that follow the five of the rows. `apart`: no binding but those of operand and result shares a buffer with them.
    ///
    /// # Errors
    /// As [`Launch::dispatch`].
    pub fn dispatch<const N: usize>(
        &self,
        launch: &mut Launch<'_>,
        family: &Family,
        apart: bool,
        more: impl FnOnce(Held) -> [(&'static str, f64); N],
        bindings: &[Binding<'_>],
        params: &[u32],
    ) -> Result<()> {
        let form = self.form(family.lanes_4.is_some());
        let (shader, width) = match (form, family.lanes_4) {
            (Form::Along { .. }, _) => (family.rows_4, 1),
            (Form::Across, Some(shader)) => (shader, 4),
            _ => (family.lanes_1, 1),
        };
        let adapter = launch.backend().adapter();
        let subgroups = shader.needs.contains(Features::SUBGROUP);
        let slots = self.slots(form);
        let share = match self.inner {
            1 => along(slots, adapter.workgroup()),
            inner => {
                // A line of memory at a time, and no more threads than a subgroup surely has.
                let size = if subgroups { adapter.info.subgroup_min_size } else { 32 };
                let step = (inner / width).next_power_of_two().min(32 / width) as u32;
                across(slots, adapter.workgroup(), step.min(size), 8 / width as u32)
            }
        };
        let filling = form == Form::Along { odd: false } && share.team > 512;
        let shader = family.rows_4_apart.filter(|_| apart && filling).unwrap_or(shader);
        let held = share.team * share.hold;
        let mut constants = [("", 0.0); 10];
        let odd = form == Form::Along { odd: true };
        let edge = if odd { 2 } else { u32::from(slots != held) };
        let more = more(Held { slots: share.hold, team: share.team, odd });
        let own = [
            ("GROUP", f64::from(share.group)),
            ("TEAM", f64::from(share.team)),
            ("STEP", f64::from(share.step)),
            ("HOLD", f64::from(share.hold)),
            ("EDGE", f64::from(edge)),
            ("LONG", f64::from(u8::from(slots > held))),
        ];
        let size = subgroups.then(|| ("SUBGROUP", f64::from(adapter.subgroup_size().unwrap_or(0))));
        let mut used = 0;
        for (place, constant) in constants.iter_mut().zip(own.into_iter().chain(more).chain(size)) {
            *place = constant;
            used += 1;
        }
        let count = (self.count / width) as u64;
        let mut words = [0u32; 9];
        words[..5].copy_from_slice(&[
            count as u32,
            self.extent as u32,
            (self.inner / width) as u32,
            self.first_x / width as u32,
            self.first_out / width as u32,
        ]);
        words[5..5 + params.len()].copy_from_slice(params);
        let groups = folded(count.div_ceil(u64::from(share.group / share.team)));
        launch.dispatch(shader, &constants[..used], bindings, &words[..5 + params.len()], groups)
    }
}

/// For rows of `slots` one behind the other, in workgroups of at most `most` threads. Measured on an H100; see
/// `docs/perf/gpu.md`.
fn along(slots: u32, most: u32) -> Share {
    // A slot a thread in short rows, two to five in longer ones, and up to eight in those that fill a multiprocessor.
    let wanted = match slots {
        0..=32 => slots,
        33..=1280 => (slots / 2).min(256),
        1281..=4096 => 512,
        _ => 1024,
    };
    let team = wanted.next_power_of_two().min(most);
    let deepest = if team >= 1024 { 8 } else { MOST };
    Share { group: team.max(256.min(most)), team, step: 1, hold: slots.div_ceil(team).min(deepest) }
}

/// For rows of `slots` each beside `step` others, in workgroups of at most `most` threads; of `least` at least, which are
/// a sector of memory.
fn across(slots: u32, most: u32, step: u32, least: u32) -> Share {
    let mut step = step;
    let group = most.min(if slots * step <= 1024 { 256 } else { 512 });
    while slots > group / step * MOST && step > least {
        step /= 2;
    }
    let team = slots.div_ceil(4).next_power_of_two().min(group / step);
    Share { group, team, step, hold: slots.div_ceil(team).min(MOST) }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Share, across, along};

    fn sound(share: Share, slots: u32, most: u32) {
        let Share { group, team, step, hold } = share;
        assert!(team.is_power_of_two() && step.is_power_of_two() && group.is_power_of_two(), "{slots}: {share:?}");
        assert!(group <= most && team * step <= group, "{slots}: {share:?}");
        assert!((1..=MOST).contains(&hold), "{slots}: {share:?}");
        // No thread is without work in every slot but the last.
        assert!(team * (hold - 1) < slots, "{slots}: {share:?}");
    }

    #[test]
    fn every_row_is_shared_out_within_the_limits_of_a_device() {
        for most in [128, 256, 512, 1024, 1536] {
            for slots in (1..5000).chain([8192, 8193, 100_000]) {
                sound(along(slots, most.min(1024)), slots, most);
                for (step, least) in [(1, 2), (2, 2), (4, 2), (8, 2), (32, 8)] {
                    sound(across(slots, most.min(1024), step, least), slots, most);
                }
            }
        }
    }

    #[test]
    fn long_rows_are_held_where_threads_suffice() {
        assert_eq!(along(8192, 1024).hold, 8);
        let middle = across(4096, 1024, 8, 2);
        assert_eq!((middle.team * middle.hold, middle.step), (4096, 2));
    }
}
