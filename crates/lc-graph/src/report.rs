//! What a plan does and why: as text, as JSON, and as a drawing.

use crate::compile::Compiled;
use std::fmt::Write;

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

/// A text inside XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// One launch of the plan.
struct Launch {
    op: &'static str,
    device: &'static str,
    kernel: &'static str,
    reason: &'static str,
    fallback: bool,
    nodes: Vec<usize>,
    flops: u64,
    bytes: u64,
}

fn launches(plan: &Compiled) -> Vec<Launch> {
    let units = plan.units().iter().filter_map(|unit| {
        let resolved = plan.placed()[unit.call?].as_ref()?;
        let (receipt, cost) = (resolved.receipt(), resolved.cost);
        Some(Launch {
            op: receipt.op,
            device: receipt.selected.name(),
            kernel: receipt.kernel,
            reason: receipt.reason.text(),
            fallback: receipt.fallback,
            nodes: unit.nodes.clone(),
            flops: cost.flops,
            bytes: cost.bytes_read.saturating_add(cost.bytes_written),
        })
    });
    units.collect()
}

/// The sums of a report.
struct Totals {
    launches: usize,
    bytes: u64,
    before_launches: usize,
    before_bytes: u64,
}

fn totals(plan: &Compiled, launches: &[Launch]) -> Totals {
    let (before_launches, before_bytes) = plan.unfused();
    let bytes = launches.iter().fold(0u64, |sum, launch| sum.saturating_add(launch.bytes));
    Totals { launches: launches.len(), bytes, before_launches, before_bytes }
}

/// The report as text. Bytes are what calls must read and write at least once; operations are multiply-adds counted twice.
pub fn text(plan: &Compiled) -> String {
    let launches = launches(plan);
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
    if plan.dead_calls() > 0 {
        let _ = writeln!(out, "{} calls left out: nothing wanted needs them", plan.dead_calls());
    }
    for launch in &launches {
        let _ = writeln!(
            out,
            "  {} on {} by {} ({}{}): nodes {:?}, {} operations, {} bytes",
            launch.op,
            launch.device,
            launch.kernel,
            launch.reason,
            if launch.fallback { ", fallback" } else { "" },
            launch.nodes,
            launch.flops,
            launch.bytes,
        );
    }
    for attempt in plan.attempts() {
        let _ = match attempt.refused {
            None => writeln!(out, "fused by {}: nodes {:?}", attempt.rule, attempt.nodes),
            Some(why) => writeln!(out, "not fused by {}: nodes {:?}, because {why}", attempt.rule, attempt.nodes),
        };
    }
    out
}

/// The report as one JSON object.
pub fn json(plan: &Compiled) -> String {
    let launches = launches(plan);
    let t = totals(plan, &launches);
    let rows: Vec<String> = launches
        .iter()
        .map(|l| {
            format!(
                r#"{{"op":{},"device":{},"kernel":{},"reason":{},"fallback":{},"nodes":{:?},"flops":{},"bytes":{}}}"#,
                quoted(l.op),
                quoted(l.device),
                quoted(l.kernel),
                quoted(l.reason),
                l.fallback,
                l.nodes,
                l.flops,
                l.bytes,
            )
        })
        .collect();
    let attempts: Vec<String> = plan
        .attempts()
        .iter()
        .map(|a| {
            let refused = a.refused.map_or("null".to_owned(), quoted);
            format!(r#"{{"rule":{},"nodes":{:?},"refused":{refused}}}"#, quoted(a.rule), a.nodes)
        })
        .collect();
    let nodes: Vec<String> = plan.labels().iter().map(|label| quoted(label)).collect();
    format!(
        concat!(
            r#"{{"launches":{},"unfused_launches":{},"bytes":{},"unfused_bytes":{},"dead_calls":{},"#,
            r#""arena_bytes":{},"arena_bytes_without_sharing":{},"live_bytes":{},"#,
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
        nodes.join(","),
        rows.join(","),
        attempts.join(","),
    )
}

const ROW: usize = 44;
const BOX: (usize, usize) = (320, 30);
const RIGHT: usize = 480;

/// The report as an SVG: the graph's nodes at the left, the plan's launches at the right, a line from each node to the
/// launch that computes it.
pub fn svg(plan: &Compiled) -> String {
    let launches = launches(plan);
    let rows = plan.labels().len().max(launches.len()).max(1);
    let (width, height) = (RIGHT + BOX.0 + 20, rows * ROW + 50);
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="monospace" font-size="12">"#
    );
    let y = |row: usize| 40 + row * ROW;
    let mut cell = |x: usize, y: usize, fill: &str, text: &str| {
        let _ = write!(
            out,
            r##"<rect x="{x}" y="{y}" width="{}" height="{}" rx="4" fill="{fill}" stroke="#555"/><text x="{}" y="{}">{}</text>"##,
            BOX.0,
            BOX.1,
            x + 8,
            y + 19,
            escaped(text),
        );
    };
    for (row, label) in plan.labels().iter().enumerate() {
        cell(20, y(row), "#eef", label);
    }
    for (row, l) in launches.iter().enumerate() {
        let fill = if l.nodes.len() > 1 { "#cfc" } else { "#eef" };
        cell(RIGHT, y(row), fill, &format!("{} on {} ({})", l.op, l.device, l.kernel));
    }
    let _ = write!(out, r#"<text x="20" y="22">graph</text><text x="{RIGHT}" y="22">plan</text>"#);
    for (row, launch) in launches.iter().enumerate() {
        for node in &launch.nodes {
            let (from, to) = (y(*node) + BOX.1 / 2, y(row) + BOX.1 / 2);
            let left = 20 + BOX.0;
            let _ = write!(out, r##"<line x1="{left}" y1="{from}" x2="{RIGHT}" y2="{to}" stroke="#999"/>"##);
        }
    }
    out.push_str("</svg>");
    out
}
