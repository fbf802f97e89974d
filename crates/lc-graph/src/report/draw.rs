//! Plans as drawings.

use super::{Fate, Launch, Notes, fates, launches, totals};
use crate::compile::Compiled;
use std::fmt::Write;

/// A text inside XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const ROW: usize = 44;
const BOX: (usize, usize) = (320, 30);
const RIGHT: usize = 480;

/// The report as an SVG: the graph's nodes at the left, the plan's launches at the right, a line from each node to the
/// launch that computes it.
pub fn svg(plan: &Compiled) -> String {
    let launches = launches(plan, &Notes::default());
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

/// Classes instead of colours, so that the page follows the reader's light or dark scheme.
const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fff; --line: #8a8f98; --box: #eef1f6; --fused: #d5efd9; --view: none; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6ea; --paper: #17181c; --line: #7d838d; --box: #2a2d35; --fused: #22472b; }
}
body { font: 14px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 24px; }
.graphs { display: flex; flex-wrap: wrap; gap: 32px; align-items: flex-start; }
.wide { overflow-x: auto; }
svg text { font: 12px ui-monospace, monospace; fill: var(--ink); }
svg rect { fill: var(--box); stroke: var(--line); }
svg rect.fused { fill: var(--fused); }
svg rect.view { fill: var(--view); stroke-dasharray: 4 3; }
svg path { fill: none; stroke: var(--line); }
table { border-collapse: collapse; margin-top: 12px; }
th, td { text-align: left; padding: 3px 12px 3px 0; border-bottom: 1px solid var(--line); }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
";

/// A box of a column: its text, its class, what it says when the pointer rests on it.
struct Cell {
    text: String,
    class: &'static str,
    title: String,
}

/// Boxes one below the other, and lines from those that make something to those that read it.
fn column(cells: &[Cell], edges: &[(usize, usize)]) -> String {
    let width = cells.iter().map(|cell| cell.text.chars().count()).max().unwrap_or(0) * 8 + 20;
    let reach = edges.iter().map(|(from, to)| to.abs_diff(*from)).max().unwrap_or(0).min(12) * 10;
    let (right, height) = (width + 40 + reach, cells.len() * ROW + 10);
    let mut out = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="{right}" height="{height}">"#);
    let top = |row: usize| 5 + row * ROW;
    for (from, to) in edges {
        let (start, end) = (top(*from) + BOX.1, top(*to));
        let _ = match to.abs_diff(*from) {
            1 => write!(out, r#"<path d="M {} {start} V {end}"/>"#, width / 2),
            // Around the boxes between.
            far => {
                let (start, end) = (start - BOX.1 / 2, end + BOX.1 / 2);
                let bend = width + 12 + far.min(12) * 10;
                write!(out, r#"<path d="M {width} {start} C {bend} {start} {bend} {end} {width} {end}"/>"#)
            }
        };
    }
    for (row, cell) in cells.iter().enumerate() {
        let _ = write!(
            out,
            r#"<g><title>{}</title><rect class="{}" x="1" y="{}" width="{}" height="{}" rx="5"/><text x="10" y="{}">{}</text></g>"#,
            escaped(&cell.title),
            cell.class,
            top(row),
            width - 2,
            BOX.1,
            top(row) + 19,
            escaped(&cell.text),
        );
    }
    out.push_str("</svg>");
    out
}

fn microseconds(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |us| format!("{us:.2}"))
}

/// The report as a page of its own: the graph before and after, and a table of the launches. It loads nothing.
pub fn html(plan: &Compiled, notes: &Notes<'_>) -> String {
    let launches = launches(plan, notes);
    let fates = fates(plan, &launches);
    let t = totals(plan, &launches);
    let together = |fate: &Fate| fate.launch.is_some_and(|launch| launches[launch].nodes.len() > 1);
    let class = |fate: &Fate| match fate.launch {
        None => "view",
        Some(_) if together(fate) => "fused",
        Some(_) => "",
    };
    let before: Vec<Cell> = plan
        .labels()
        .iter()
        .zip(&fates)
        .map(|(label, fate)| Cell { text: label.clone(), class: class(fate), title: fate.why.clone() })
        .collect();
    let after: Vec<Cell> = launches
        .iter()
        .map(|l: &Launch| Cell {
            text: format!("{} on {} <- {:?}", l.op, l.device, l.nodes),
            class: if l.nodes.len() > 1 { "fused" } else { "" },
            title: format!("{}, {}, {} bytes", l.kernel, l.reason, l.bytes),
        })
        .collect();
    // A view between two launches makes no launch of its own: what it shows comes from the one before it.
    let mut source: Vec<Option<usize>> = fates.iter().map(|fate| fate.launch).collect();
    for (from, to) in plan.edges() {
        if source[*to].is_none() {
            source[*to] = source[*from];
        }
    }
    let mut links: Vec<(usize, usize)> = Vec::new();
    for (from, to) in plan.edges() {
        if let (Some(from), Some(to)) = (source[*from], fates[*to].launch)
            && from != to
            && !links.contains(&(from, to))
        {
            links.push((from, to));
        }
    }
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Plan of a graph</title>\n<style>{STYLE}</style></head><body>\n"
    );
    let _ = writeln!(
        out,
        "<h1>Plan of a graph</h1>\n<p>{} launches instead of {}; {} bytes moved instead of {}; {} intermediate results \
         stay in the plan; {} bytes of memory at most; {} constants packed, {} bytes.</p>",
        t.launches,
        t.before_launches,
        t.bytes,
        t.before_bytes,
        plan.round_trips_saved(),
        plan.memory().peak(),
        plan.packed().0,
        plan.packed().1,
    );
    let _ = writeln!(
        out,
        "<div class=\"graphs\"><section class=\"wide\"><h2>Before</h2>{}</section><section class=\"wide\"><h2>After</h2>{}</section></div>",
        column(&before, plan.edges()),
        column(&after, &links),
    );
    out.push_str(
        "<h2>Launches</h2><div class=\"wide\"><table><tr><th>op</th><th>device</th><th>kernel</th><th>nodes</th>\
         <th>operations</th><th>bytes</th><th>predicted, us</th><th>from</th><th>floor, us</th><th>measured, us</th></tr>\n",
    );
    for l in &launches {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:?}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            l.op,
            l.device,
            l.kernel,
            l.nodes,
            l.flops,
            l.bytes,
            microseconds(l.times.predicted.map(|estimate| estimate.ns / 1e3)),
            l.times.predicted.map_or("", |estimate| estimate.source.name()),
            microseconds(l.times.floor_us),
            microseconds(l.times.measured_us),
        );
    }
    out.push_str(
        "</table></div>\n<h2>Nodes</h2><div class=\"wide\"><table><tr><th>node</th><th>what became of it</th></tr>\n",
    );
    for (label, fate) in plan.labels().iter().zip(&fates) {
        let _ = writeln!(out, "<tr><td>{}</td><td>{}</td></tr>", escaped(label), escaped(&fate.why));
    }
    out.push_str("</table></div></body></html>\n");
    out
}
