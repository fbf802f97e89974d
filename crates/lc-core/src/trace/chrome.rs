//! Events as Chrome trace-event JSON, which Perfetto and chrome://tracing open.
//!
//! Format: "Trace Event Format", Google, 2016. Every device is a process of the picture and every thread that recorded
//! events on it a row; events without a device are the process "runtime". Times are microseconds with three decimals.

use super::Event;
use crate::device::DeviceKind;
use crate::error::{Error, ErrorKind, Result};
use std::fmt::{self, Write};
use std::path::Path;

/// The events as one JSON document.
pub fn to_json(events: &[Event]) -> String {
    let mut out = String::with_capacity(256 * (events.len() + 4));
    // Writing to a string cannot fail.
    let _ = write(&mut out, events);
    out
}

/// Writes the events to a file: the file is whole or, on failure, as it was before.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, events: &[Event]) -> Result<()> {
    let failed = |error: std::io::Error| {
        let got = format!("{}: {error}", path.display());
        Error::new(ErrorKind::Unknown, "trace").argument("path").expected("a file that can be written").got(got)
    };
    // Beside the target, since a rename is atomic only inside one file system.
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = std::fs::write(&temporary, to_json(events)).and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        failed(error)
    })
}

/// Writes the events as one JSON document.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut impl Write, events: &[Event]) -> fmt::Result {
    out.write_str("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    let mut first = true;
    let mut rows: Vec<_> = events.iter().map(|e| (process(e), e.thread)).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut named = None;
    for (pid, thread) in rows {
        if named != Some(pid) {
            named = Some(pid);
            separate(out, &mut first)?;
            meta(out, "process_name", pid, 0, process_name(pid))?;
        }
        separate(out, &mut first)?;
        meta(out, "thread_name", pid, thread, &format!("thread {thread}"))?;
    }
    for event in events {
        separate(out, &mut first)?;
        write_event(out, event)?;
    }
    out.write_str("]}")
}

fn separate(out: &mut impl Write, first: &mut bool) -> fmt::Result {
    if !std::mem::take(first) { out.write_str(",\n") } else { out.write_str("\n") }
}

fn process(event: &Event) -> u32 {
    event.selected.map_or(1, |kind| kind as u32 + 2)
}

fn process_name(pid: u32) -> &'static str {
    let kind = pid.checked_sub(2).and_then(|i| DeviceKind::ALL.get(i as usize));
    kind.map_or("runtime", |kind| kind.name())
}

fn meta(out: &mut impl Write, what: &str, pid: u32, thread: u16, name: &str) -> fmt::Result {
    write!(out, "{{\"ph\":\"M\",\"name\":\"{what}\",\"pid\":{pid},\"tid\":{thread},\"args\":{{\"name\":")?;
    string(out, name)?;
    out.write_str("}}")
}

fn write_event(out: &mut impl Write, event: &Event) -> fmt::Result {
    let op = event.op.text();
    let kind = event.kind.name();
    let name = if op.is_empty() { kind.to_owned() } else { format!("{op} {kind}") };
    out.write_str("{\"name\":")?;
    string(out, if event.kind == super::EventType::OpDispatch && !op.is_empty() { op } else { &name })?;
    out.write_str(",\"cat\":")?;
    string(out, kind)?;
    write!(out, ",\"pid\":{},\"tid\":{},\"ts\":{}", process(event), event.thread, Micros(event.start_ns))?;
    match event.duration_ns {
        // A mark: the query took no time worth a bar.
        0 => out.write_str(",\"ph\":\"i\",\"s\":\"t\"")?,
        ns => write!(out, ",\"ph\":\"X\",\"dur\":{}", Micros(ns))?,
    }
    out.write_str(",\"args\":{\"status\":")?;
    string(out, event.status_text())?;
    write!(out, ",\"bytes\":{},\"detail0\":{},\"detail1\":{}", event.bytes, event.detail0, event.detail1)?;
    write!(out, ",\"fallback\":{}", event.fallback)?;
    let texts = [
        ("kernel", event.kernel.text()),
        ("requested_device", event.requested.map_or("", |r| r.name())),
        ("reason", event.reason.map_or("", |r| r.text())),
    ];
    for (key, text) in texts {
        if !text.is_empty() {
            write!(out, ",\"{key}\":")?;
            string(out, text)?;
        }
    }
    out.write_str("}}")
}

/// Nanoseconds, written as microseconds.
struct Micros(u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// A JSON string: RFC 8259 section 7.
fn string(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            c if c < ' ' => write!(out, "\\u{:04x}", c as u32)?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intern::Name;
    use crate::receipt::Reason;
    use crate::trace::EventType;

    /// Just enough of a JSON reader to check the writer against.
    #[derive(Debug, PartialEq)]
    enum Json {
        Word(String),
        Text(String),
        List(Vec<Json>),
        Map(Vec<(String, Json)>),
    }

    impl Json {
        fn parse(text: &str) -> Json {
            let mut rest = text;
            let value = Json::value(&mut rest);
            assert_eq!(rest.trim(), "", "text after the document");
            value
        }

        fn value(rest: &mut &str) -> Json {
            *rest = rest.trim_start();
            match rest.as_bytes()[0] {
                b'"' => Json::Text(Json::text(rest)),
                b'[' => Json::List(Json::items(rest, ']', Json::value)),
                b'{' => Json::Map(Json::items(rest, '}', |rest| {
                    *rest = rest.trim_start();
                    let key = Json::text(rest);
                    *rest = rest.trim_start().strip_prefix(':').expect("a colon");
                    (key, Json::value(rest))
                })),
                _ => {
                    let end = rest.find([',', ']', '}']).expect("an end");
                    let word = rest[..end].trim().to_owned();
                    *rest = &rest[end..];
                    assert!(word.parse::<f64>().is_ok() || word == "true" || word == "false", "{word:?}");
                    Json::Word(word)
                }
            }
        }

        fn items<T>(rest: &mut &str, close: char, mut item: impl FnMut(&mut &str) -> T) -> Vec<T> {
            *rest = &rest[1..];
            let mut items = Vec::new();
            loop {
                *rest = rest.trim_start();
                if let Some(after) = rest.strip_prefix(close) {
                    *rest = after;
                    return items;
                }
                if !items.is_empty() {
                    *rest = rest.strip_prefix(',').expect("a comma");
                }
                items.push(item(rest));
            }
        }

        fn text(rest: &mut &str) -> String {
            let mut out = String::new();
            let mut chars = rest.strip_prefix('"').expect("a string").char_indices();
            while let Some((at, c)) = chars.next() {
                match c {
                    '"' => {
                        *rest = &rest[at + 2..];
                        return out;
                    }
                    '\\' => match chars.next().expect("an escape").1 {
                        'u' => {
                            let code: String = (0..4).map(|_| chars.next().expect("four digits").1).collect();
                            let code = u32::from_str_radix(&code, 16).expect("hex");
                            out.push(char::from_u32(code).expect("a character"));
                        }
                        'n' => out.push('\n'),
                        't' => out.push('\t'),
                        'r' => out.push('\r'),
                        c => out.push(c),
                    },
                    c => {
                        assert!(c >= ' ', "a raw control character");
                        out.push(c);
                    }
                }
            }
            panic!("a string without an end");
        }

        fn get(&self, key: &str) -> &Json {
            match self {
                Json::Map(entries) => &entries.iter().find(|(k, _)| k == key).expect(key).1,
                other => panic!("no {key} in {other:?}"),
            }
        }
    }

    #[test]
    fn strings_survive_the_round_trip() {
        for text in ["plain", "quote \" back \\ slash /", "line\nfeed\ttab\r", "\u{0}\u{1f}\u{7f}", "π ∑ \u{1f600}"]
        {
            let mut out = String::new();
            string(&mut out, text).unwrap();
            assert_eq!(Json::parse(&out), Json::Text(text.into()));
        }
    }

    #[test]
    fn a_document_reads_back() {
        let nasty = "cpu.\"gemm\"\\\n";
        let events = [
            Event {
                start_ns: 1_234_567,
                duration_ns: 2_005,
                bytes: 96,
                op: Name::of("matmul"),
                kernel: Name::of(nasty),
                selected: Some(DeviceKind::Cpu),
                requested: Some(crate::DeviceRequest::Is(DeviceKind::Metal)),
                reason: Some(Reason::Unavailable),
                fallback: true,
                ..Event::new(EventType::OpDispatch)
            },
            Event { start_ns: 5, ..Event::new(EventType::BackendName) },
        ];
        let document = Json::parse(&to_json(&events));
        let Json::List(rows) = document.get("traceEvents") else { panic!("a list") };
        let word = |s: &str| Json::Word(s.into());
        let text = |s: &str| Json::Text(s.into());
        let names: Vec<_> =
            rows.iter().filter(|r| *r.get("ph") == text("M")).map(|r| r.get("args").get("name")).collect();
        assert_eq!(names.len(), 4);
        assert_eq!((names[0], names[2]), (&text("runtime"), &text("cpu")));
        let dispatch = rows.iter().find(|r| *r.get("ph") == text("X")).unwrap();
        assert_eq!((dispatch.get("ts"), dispatch.get("dur")), (&word("1234.567"), &word("2.005")));
        assert_eq!(dispatch.get("name"), &text("matmul"));
        let args = dispatch.get("args");
        assert_eq!((args.get("kernel"), args.get("bytes")), (&text(nasty), &word("96")));
        assert_eq!(args.get("fallback"), &word("true"));
        assert_eq!(args.get("reason"), &text(Reason::Unavailable.text()));
        assert_eq!(args.get("requested_device"), &text("metal"));
        let mark = rows.iter().find(|r| *r.get("ph") == text("i")).unwrap();
        assert_eq!((mark.get("name"), mark.get("ts")), (&text("backend_name"), &word("0.005")));
        assert_eq!(Json::parse(&to_json(&[])).get("traceEvents"), &Json::List(vec![]));
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = std::env::temp_dir().join(format!("lc-core-chrome-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("trace.json");
        std::fs::write(&path, "old").unwrap();
        save(&path, &[]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), to_json(&[]));
        let missing = folder.join("no such folder").join("trace.json");
        let error = save(&missing, &[]).unwrap_err();
        assert!(error.to_string().contains("no such folder"), "{error}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
