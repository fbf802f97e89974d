//! What a plan does and why: as text, as JSON, and as drawings.

mod draw;

pub use draw::{html, svg};

use crate::compile::Compiled;
use crate::ir::NodeId;
use lc_core::tune::{Estimate, Source};
use lc_core::{Cost, DeviceKind, OpDef};
use std::fmt::Write;

/// The least seconds that a call can take on a device; `None` where it cannot tell.
pub type Floor<'a> = dyn Fn(DeviceKind, &'static OpDef, &Cost) -> Option<f64> + 'a;

/// What a report may say beyond what the plan knows.
#[derive(Clone, Copy, Default)]
pub struct Notes<'a> {
    /// The limits of the devices.
    pub floor: Option<&'a Floor<'a>>,
    /// Nanoseconds of each launch, as [`Compiled::measure`] gives them.
    pub measured: Option<&'a [u64]>,
}

/// The plainest model of a device: a call takes as long as its operations at the peak rate, or its bytes at the bandwidth,
/// whichever is more (Williams, Waterman and Patterson, "Roofline", 2009). A lower bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofline {
    /// Operations a second; a multiply-add is two.
    pub flops: f64,
    /// Bytes read or written a second.
    pub bandwidth: f64,
}

impl Roofline {
    /// Seconds of a call.
    pub fn seconds(&self, cost: &Cost) -> f64 {
        let bytes = cost.bytes_read.saturating_add(cost.bytes_written);
        (cost.flops as f64 / self.flops).max(bytes as f64 / self.bandwidth)
    }
}

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One launch of the plan.
struct Launch {
    op: &'static str,
    device: &'static str,
    kernel: &'static str,
    reason: &'static str,
    fallback: bool,
    nodes: Vec<NodeId>,
    flops: u64,
    bytes: u64,
    times: Times,
}

/// The times of a launch or of a plan.
#[derive(Clone, Copy, Default)]
struct Times {
    /// By the cost model, before it ran.
    predicted: Option<Estimate>,
    /// The least that the device's limits allow.
    floor_us: Option<f64>,
    measured_us: Option<f64>,
}

fn launches(plan: &Compiled, notes: &Notes<'_>) -> Vec<Launch> {
    let units = plan.units().iter().filter_map(|unit| Some((unit, plan.placed()[unit.call?].as_ref()?)));
    let launch =
        |(position, (unit, resolved)): (usize, (&crate::plan::Unit, &std::sync::Arc<lc_core::ResolvedCall>))| {
            let (receipt, cost) = (resolved.receipt(), resolved.cost);
            let floor = notes.floor.and_then(|floor| floor(receipt.selected, resolved.op, &cost));
            let measured = notes.measured.and_then(|times| times.get(position));
            let predicted = plan.predicted().launches.get(position).copied().flatten();
            Launch {
                op: receipt.op,
                device: receipt.selected.name(),
                kernel: receipt.kernel,
                reason: receipt.reason.text(),
                fallback: receipt.fallback,
                nodes: unit.nodes.clone(),
                flops: cost.flops,
                bytes: cost.bytes_read.saturating_add(cost.bytes_written),
                times: Times {
                    predicted,
                    floor_us: floor.map(|seconds| seconds * 1e6),
                    measured_us: measured.map(|ns| *ns as f64 / 1e3),
                },
            }
        };
    units.enumerate().map(launch).collect()
}

/// What became of a node.
struct Fate {
    /// The launch that computes it; `None` for a view, or where nothing wanted needs it.
    launch: Option<usize>,
    why: String,
}

fn fates(plan: &Compiled, launches: &[Launch]) -> Vec<Fate> {
    let fate = |node: NodeId| {
        let launch = launches.iter().position(|launch| launch.nodes.contains(&node));
        let about = || plan.attempts().iter().filter(|attempt| attempt.nodes.contains(&node));
        let together = launch.is_some_and(|launch| launches[launch].nodes.len() > 1);
        let why = match (
            launch,
            about().rfind(|a| a.refused.is_none()),
            about().find_map(|a| Some((a, a.refused.as_ref()?))),
        ) {
            (None, ..) if plan.units().iter().any(|unit| unit.call.is_none() && unit.nodes.contains(&node)) => {
                "a view: launches nothing".to_owned()
            }
            (None, ..) => "left out: nothing wanted needs it".to_owned(),
            (Some(_), Some(fused), _) if together => format!("fused by {}", fused.rule),
            (Some(_), _, Some((attempt, why))) => format!("not fused by {}: {why}", attempt.rule),
            _ => "by itself: no rule fits".to_owned(),
        };
        Fate { launch, why }
    };
    (0..plan.labels().len()).map(fate).collect()
}

/// The sums of a report.
struct Totals {
    launches: usize,
    bytes: u64,
    before_launches: usize,
    before_bytes: u64,
    times: Times,
}

fn totals(plan: &Compiled, launches: &[Launch]) -> Totals {
    let (before_launches, before_bytes) = plan.unfused();
    let bytes = launches.iter().fold(0u64, |sum, launch| sum.saturating_add(launch.bytes));
    Totals {
        launches: launches.len(),
        bytes,
        before_launches,
        before_bytes,
        times: Times {
            predicted: plan.predicted().total(),
            floor_us: launches.iter().map(|launch| launch.times.floor_us).sum(),
            measured_us: launches.iter().map(|launch| launch.times.measured_us).sum(),
        },
    }
}

/// A prediction in words.
fn in_words(estimate: &Estimate) -> String {
    let us = estimate.ns / 1e3;
    match estimate.source {
        Source::Measured => format!("{us:.2} us predicted from measured fits, off by {:.0} %", 100.0 * estimate.error),
        Source::Prior => format!("{us:.2} us predicted, not all of it measured"),
    }
}

/// Times in words.
fn times(times: &Times) -> String {
    let mut out = String::new();
    if let Some(estimate) = &times.predicted {
        let _ = write!(out, ", {}", in_words(estimate));
    }
    if let Some(us) = times.floor_us {
        let _ = write!(out, ", at least {us:.2} us by the machine's limits");
    }
    if let Some(us) = times.measured_us {
        let _ = write!(out, ", {us:.2} us measured");
    }
    out
}

/// The report as text. Bytes are what calls must read and write at least once; operations are multiply-adds counted twice.
pub fn text(plan: &Compiled, notes: &Notes<'_>) -> String {
    let launches = launches(plan, notes);
    let t = totals(plan, &launches);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} launches of {} calls, {} bytes moved of {}; arena {} bytes ({} without sharing, {} alive at once)",
        t.launches,
        t.before_launches,
        t.bytes,
        t.before_bytes,
        plan.memory().peak(),
        plan.memory().without_sharing,
        plan.memory().live,
    );
    let _ = writeln!(out, "{} intermediate results stay in the plan{}", plan.round_trips_saved(), times(&t.times));
    if let Some(copies) = &plan.predicted().copies {
        let _ = writeln!(out, "copies to and from devices: {}", in_words(copies));
    }
    if let Some(w) = plan.weighed() {
        let _ = writeln!(
            out,
            "placement: {:.2} us predicted as routed to {}, {:.2} us with {} calls on the cpu: {}",
            w.routed_ns / 1e3,
            w.device,
            w.split_ns / 1e3,
            w.moved,
            if w.taken { "moved" } else { "kept as routed" },
        );
    }
    let (count, bytes) = plan.packed();
    if count > 0 {
        let _ = writeln!(out, "{count} constants packed once, {bytes} bytes");
    }
    if plan.dead_calls() > 0 {
        let _ = writeln!(out, "{} calls left out: nothing wanted needs them", plan.dead_calls());
    }
    for launch in &launches {
        let _ = writeln!(
            out,
            "  {} on {} by {} ({}{}): nodes {:?}, {} operations, {} bytes{}",
            launch.op,
            launch.device,
            launch.kernel,
            launch.reason,
            if launch.fallback { ", fallback" } else { "" },
            launch.nodes,
            launch.flops,
            launch.bytes,
            times(&launch.times),
        );
    }
    for attempt in plan.attempts() {
        let _ = match &attempt.refused {
            None => {
                let times = attempt.times.as_ref().map_or(String::new(), |times| format!(", {times}"));
                writeln!(out, "fused by {}: nodes {:?}{times}", attempt.rule, attempt.nodes)
            }
            Some(why) => writeln!(out, "not fused by {}: nodes {:?}, because {why}", attempt.rule, attempt.nodes),
        };
    }
    for (label, fate) in plan.labels().iter().zip(fates(plan, &launches)) {
        let _ = writeln!(out, "{label}: {}", fate.why);
    }
    out
}

/// A number or null.
fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or("null".to_owned(), |value| format!("{value:.3}"))
}

/// Times as members of a JSON object.
fn json_times(times: &Times) -> String {
    let source = times.predicted.map_or("null".to_owned(), |estimate| quoted(estimate.source.name()));
    format!(
        r#""predicted_us":{},"predicted_from":{source},"predicted_error":{},"floor_us":{},"measured_us":{}"#,
        number(times.predicted.map(|estimate| estimate.ns / 1e3)),
        number(times.predicted.filter(|e| e.source == Source::Measured).map(|estimate| estimate.error)),
        number(times.floor_us),
        number(times.measured_us),
    )
}

/// The report as one JSON object. Times are in microseconds, null where there is no model or no measurement.
pub fn json(plan: &Compiled, notes: &Notes<'_>) -> String {
    let launches = launches(plan, notes);
    let t = totals(plan, &launches);
    let rows: Vec<String> = launches
        .iter()
        .map(|l| {
            format!(
                concat!(
                    r#"{{"op":{},"device":{},"kernel":{},"reason":{},"fallback":{},"nodes":{:?},"flops":{},"bytes":{},"#,
                    r#"{}}}"#
                ),
                quoted(l.op),
                quoted(l.device),
                quoted(l.kernel),
                quoted(l.reason),
                l.fallback,
                l.nodes,
                l.flops,
                l.bytes,
                json_times(&l.times),
            )
        })
        .collect();
    let attempts: Vec<String> = plan
        .attempts()
        .iter()
        .map(|a| {
            let text = |text: Option<&str>| text.map_or("null".to_owned(), quoted);
            let (refused, times) = (text(a.refused.as_deref()), text(a.times.as_deref()));
            format!(r#"{{"rule":{},"nodes":{:?},"refused":{refused},"times":{times}}}"#, quoted(a.rule), a.nodes)
        })
        .collect();
    let nodes: Vec<String> = plan
        .labels()
        .iter()
        .zip(fates(plan, &launches))
        .map(|(label, fate)| {
            let launch = fate.launch.map_or("null".to_owned(), |launch| launch.to_string());
            format!(r#"{{"label":{},"launch":{launch},"why":{}}}"#, quoted(label), quoted(&fate.why))
        })
        .collect();
    let placement = plan.weighed().map_or("null".to_owned(), |w| {
        format!(
            r#"{{"device":{},"routed_us":{:.3},"split_us":{:.3},"moved":{},"taken":{}}}"#,
            quoted(w.device.name()),
            w.routed_ns / 1e3,
            w.split_ns / 1e3,
            w.moved,
            w.taken
        )
    });
    format!(
        concat!(
            r#"{{"launches":{},"unfused_launches":{},"bytes":{},"unfused_bytes":{},"dead_calls":{},"#,
            r#""arena_bytes":{},"arena_bytes_without_sharing":{},"live_bytes":{},"#,
            r#""host_round_trips_saved":{},"packed_constants":{},"packed_bytes":{},{},"copies_us":{},"placement":{},"#,
            r#""nodes":[{}],"calls":[{}],"fusions":[{}]}}"#
        ),
        t.launches,
        t.before_launches,
        t.bytes,
        t.before_bytes,
        plan.dead_calls(),
        plan.memory().peak(),
        plan.memory().without_sharing,
        plan.memory().live,
        plan.round_trips_saved(),
        plan.packed().0,
        plan.packed().1,
        json_times(&t.times),
        number(plan.predicted().copies.map(|copies| copies.ns / 1e3)),
        placement,
        nodes.join(","),
        rows.join(","),
        attempts.join(","),
    )
}
