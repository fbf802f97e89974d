//! The timeline: recorded events as rows with gaps and durations, grouped and ranked.

use super::{Event, EventType};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// What the numbers of a timeline mean, for readers of a report.
pub const NOTES: &str = "duration_ns is the measured time of the event itself: of the kernel on a device that computes \
    while the caller waits, of the launch alone on an asynchronous one, whose remaining time shows in the sync or \
    download event that waits for it; where the device has a clock, device_work events have its own times of launches, \
    which overlap those. delta_next_ns is the wall time from this event's start to the next event's start, \
    whatever it is: it also holds the caller's own time between the calls, so read it as spacing, not as cost.";

/// Gives an option its names, in the order in which error texts list them.
trait Choice: Copy + PartialEq + 'static {
    const FIELD: &'static str;
    const NAMES: &'static [(&'static str, Self)];
}

fn by_name<T: Choice>(name: &str) -> Result<T> {
    T::NAMES.iter().find(|(n, _)| *n == name).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = T::NAMES.iter().map(|(n, _)| *n).collect();
        Error::invalid("timeline", T::FIELD, format!("one of {names:?}"), format!("{name:?}"))
    })
}

fn name_of<T: Choice>(value: T) -> &'static str {
    T::NAMES.iter().find(|(_, v)| *v == value).map_or("", |(name, _)| name)
}

/// What event rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKey {
    /// Position in order of start.
    Index,
    /// Start.
    Timestamp,
    /// Start, from the first event's.
    Offset,
    /// Time since the event before started.
    DeltaPrev,
    /// Time until the next event starts.
    DeltaNext,
    /// Bytes.
    SizeBytes,
    /// The event's own time.
    Duration,
}

impl Choice for EventKey {
    const FIELD: &'static str = "event_sort_by";
    const NAMES: &'static [(&'static str, Self)] = &[
        ("index", EventKey::Index),
        ("timestamp_ns", EventKey::Timestamp),
        ("offset_ns", EventKey::Offset),
        ("delta_prev_ns", EventKey::DeltaPrev),
        ("delta_next_ns", EventKey::DeltaNext),
        ("size_bytes", EventKey::SizeBytes),
        ("duration_ns", EventKey::Duration),
    ];
}

/// What puts events into one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// Type.
    Type,
    /// Status.
    Status,
    /// `type|status`.
    TypeStatus,
    /// Op of a dispatch; all other events are `non_op`.
    Op,
    /// `op|device` of a dispatch; all other events are `non_op`.
    OpSelectedDevice,
    /// `op|device|direct` or `op|device|fallback` of a dispatch; all other events are `non_op`.
    OpPath,
    /// Kernel of a dispatch; all other events are `non_op`.
    Kernel,
    /// Device of any event that has one; the others are `no_device`.
    Device,
}

impl Choice for GroupBy {
    const FIELD: &'static str = "group_by";
    const NAMES: &'static [(&'static str, Self)] = &[
        ("type", GroupBy::Type),
        ("status", GroupBy::Status),
        ("type_status", GroupBy::TypeStatus),
        ("op", GroupBy::Op),
        ("op_selected_device", GroupBy::OpSelectedDevice),
        ("op_path", GroupBy::OpPath),
        ("kernel", GroupBy::Kernel),
        ("device", GroupBy::Device),
    ];
}

/// What groups are sorted by. Averages are compared as whole nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKey {
    /// The group's key.
    Key,
    /// Events.
    Count,
    /// Sum of the times until the next event.
    TotalDeltaNext,
    /// Their average.
    AvgDeltaNext,
    /// The longest.
    MaxDeltaNext,
    /// Sum of the bytes.
    TotalSizeBytes,
    /// Sum of the events' own times.
    TotalDuration,
    /// Their average.
    AvgDuration,
    /// The longest.
    MaxDuration,
}

impl Choice for GroupKey {
    const FIELD: &'static str = "group_sort_by";
    const NAMES: &'static [(&'static str, Self)] = &[
        ("key", GroupKey::Key),
        ("count", GroupKey::Count),
        ("total_delta_next_ns", GroupKey::TotalDeltaNext),
        ("avg_delta_next_ns", GroupKey::AvgDeltaNext),
        ("max_delta_next_ns", GroupKey::MaxDeltaNext),
        ("total_size_bytes", GroupKey::TotalSizeBytes),
        ("total_duration_ns", GroupKey::TotalDuration),
        ("avg_duration_ns", GroupKey::AvgDuration),
        ("max_duration_ns", GroupKey::MaxDuration),
    ];
}

/// How a timeline is sorted and grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineOptions {
    /// Order of the event rows.
    pub event_sort_by: EventKey,
    /// Largest first.
    pub event_descending: bool,
    /// What makes a group.
    pub group_by: GroupBy,
    /// Order of the groups.
    pub group_sort_by: GroupKey,
    /// Largest first.
    pub group_descending: bool,
    /// Rows in [`Timeline::hotspots`]; zero is all.
    pub hotspot_top_k: usize,
}

impl Default for TimelineOptions {
    fn default() -> TimelineOptions {
        TimelineOptions {
            event_sort_by: EventKey::Timestamp,
            event_descending: false,
            group_by: GroupBy::Type,
            group_sort_by: GroupKey::TotalDeltaNext,
            group_descending: true,
            hotspot_top_k: 8,
        }
    }
}

impl TimelineOptions {
    /// Sets the order of the event rows by name.
    ///
    /// # Errors
    /// An unknown name.
    pub fn sort_events(mut self, by: &str, descending: bool) -> Result<TimelineOptions> {
        self.event_sort_by = by_name(by)?;
        self.event_descending = descending;
        Ok(self)
    }

    /// Sets the grouping and the order of the groups by name.
    ///
    /// # Errors
    /// An unknown name.
    pub fn group(mut self, by: &str, sort_by: &str, descending: bool) -> Result<TimelineOptions> {
        self.group_by = by_name(by)?;
        self.group_sort_by = by_name(sort_by)?;
        self.group_descending = descending;
        Ok(self)
    }

    /// Name of [`TimelineOptions::event_sort_by`].
    pub fn event_sort_name(&self) -> &'static str {
        name_of(self.event_sort_by)
    }

    /// Name of [`TimelineOptions::group_by`].
    pub fn group_name(&self) -> &'static str {
        name_of(self.group_by)
    }

    /// Name of [`TimelineOptions::group_sort_by`].
    pub fn group_sort_name(&self) -> &'static str {
        name_of(self.group_sort_by)
    }
}

/// One event and its place in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventRow {
    /// Position in order of start.
    pub index: usize,
    /// The event.
    pub event: Event,
    /// Start, from the first event's.
    pub offset_ns: u64,
    /// Since the event before started; zero for the first.
    pub delta_prev_ns: u64,
    /// Until the next event starts; zero for the last.
    pub delta_next_ns: u64,
}

/// The events of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    /// What they have in common.
    pub key: String,
    /// Events.
    pub count: u64,
    /// Sum of the times until the next event.
    pub total_delta_next_ns: u64,
    /// The longest.
    pub max_delta_next_ns: u64,
    /// Sum of the bytes; saturates.
    pub total_size_bytes: u64,
    /// Start of the first.
    pub first_timestamp_ns: u64,
    /// Start of the last.
    pub last_timestamp_ns: u64,
    /// Sum of the events' own times.
    pub total_duration_ns: u64,
    /// The longest.
    pub max_duration_ns: u64,
}

impl GroupRow {
    /// Mean time until the next event.
    pub fn avg_delta_next_ns(&self) -> f64 {
        self.total_delta_next_ns as f64 / self.count as f64
    }

    /// Mean time of an event.
    pub fn avg_duration_ns(&self) -> f64 {
        self.total_duration_ns as f64 / self.count as f64
    }

    /// Share of the window, in percent, that [`GroupRow::total_delta_next_ns`] is; zero for an empty window.
    pub fn window_share_pct(&self, window_ns: u64) -> f64 {
        if window_ns == 0 { 0.0 } else { 100.0 * self.total_delta_next_ns as f64 / window_ns as f64 }
    }

    fn add(&mut self, row: &EventRow) {
        let event = &row.event;
        if self.count == 0 {
            self.first_timestamp_ns = event.start_ns;
        }
        self.count += 1;
        self.last_timestamp_ns = event.start_ns;
        self.total_delta_next_ns += row.delta_next_ns;
        self.max_delta_next_ns = self.max_delta_next_ns.max(row.delta_next_ns);
        self.total_size_bytes = self.total_size_bytes.saturating_add(event.bytes);
        self.total_duration_ns = self.total_duration_ns.saturating_add(event.duration_ns);
        self.max_duration_ns = self.max_duration_ns.max(event.duration_ns);
    }
}

/// Events as rows, groups and hotspots.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// How it is sorted and grouped.
    pub options: TimelineOptions,
    /// From the first start to the last.
    pub window_ns: u64,
    /// Every event.
    pub events: Vec<EventRow>,
    /// Every group.
    pub groups: Vec<GroupRow>,
    /// The events with the longest time until the next one; ties by the later one first.
    pub hotspots: Vec<EventRow>,
}

/// Lays events out in time. They may come in any order: threads store theirs when they end.
pub fn timeline(events: &[Event], options: TimelineOptions) -> Timeline {
    let mut events = events.to_vec();
    events.sort_by_key(|event| event.start_ns);
    let start = |i: usize| events[i].start_ns;
    let last = events.len().saturating_sub(1);
    let row = |(index, event): (usize, &Event)| EventRow {
        index,
        event: *event,
        offset_ns: event.start_ns - start(0),
        delta_prev_ns: if index == 0 { 0 } else { event.start_ns - start(index - 1) },
        delta_next_ns: if index == last { 0 } else { start(index + 1) - event.start_ns },
    };
    let mut rows: Vec<_> = events.iter().enumerate().map(row).collect();
    let window_ns = rows.last().map_or(0, |row| row.offset_ns);

    let mut by_key = BTreeMap::<String, GroupRow>::new();
    for row in &rows {
        let key = group_key(&row.event, options.group_by);
        by_key.entry(key).or_insert_with_key(|key| empty_group(key.clone())).add(row);
    }
    // In order of their keys, which is the order of ties.
    let mut groups: Vec<_> = by_key.into_values().collect();
    groups.sort_by_key(|group| group_value(group, options.group_sort_by));
    if options.group_descending {
        groups.reverse();
    }

    let mut hotspots = rows.clone();
    hotspots.sort_by_key(|row| row.delta_next_ns);
    hotspots.reverse();
    if options.hotspot_top_k > 0 {
        hotspots.truncate(options.hotspot_top_k);
    }
    rows.sort_by_key(|row| event_value(row, options.event_sort_by));
    if options.event_descending {
        rows.reverse();
    }
    Timeline { options, window_ns, events: rows, groups, hotspots }
}

fn empty_group(key: String) -> GroupRow {
    GroupRow {
        key,
        count: 0,
        total_delta_next_ns: 0,
        max_delta_next_ns: 0,
        total_size_bytes: 0,
        first_timestamp_ns: 0,
        last_timestamp_ns: 0,
        total_duration_ns: 0,
        max_duration_ns: 0,
    }
}

fn event_value(row: &EventRow, key: EventKey) -> u64 {
    match key {
        EventKey::Index => row.index as u64,
        EventKey::Timestamp => row.event.start_ns,
        EventKey::Offset => row.offset_ns,
        EventKey::DeltaPrev => row.delta_prev_ns,
        EventKey::DeltaNext => row.delta_next_ns,
        EventKey::SizeBytes => row.event.bytes,
        EventKey::Duration => row.event.duration_ns,
    }
}

fn group_value(group: &GroupRow, key: GroupKey) -> u64 {
    match key {
        // Groups come sorted by key, and the sort is stable.
        GroupKey::Key => 0,
        GroupKey::Count => group.count,
        GroupKey::TotalDeltaNext => group.total_delta_next_ns,
        GroupKey::AvgDeltaNext => group.total_delta_next_ns / group.count,
        GroupKey::MaxDeltaNext => group.max_delta_next_ns,
        GroupKey::TotalSizeBytes => group.total_size_bytes,
        GroupKey::TotalDuration => group.total_duration_ns,
        GroupKey::AvgDuration => group.total_duration_ns / group.count,
        GroupKey::MaxDuration => group.max_duration_ns,
    }
}

fn group_key(event: &Event, by: GroupBy) -> String {
    let dispatch = event.kind == EventType::OpDispatch;
    let op = event.op.text();
    let device = event.selected.map_or("unknown", |kind| kind.name());
    match by {
        GroupBy::Type => event.kind.name().into(),
        GroupBy::Status => event.status_text().into(),
        GroupBy::TypeStatus => format!("{}|{}", event.kind.name(), event.status_text()),
        GroupBy::Device => event.selected.map_or("no_device", |kind| kind.name()).into(),
        _ if !dispatch || op.is_empty() => "non_op".into(),
        GroupBy::Op => op.into(),
        GroupBy::OpSelectedDevice => format!("{op}|{device}"),
        GroupBy::OpPath => format!("{op}|{device}|{}", if event.fallback { "fallback" } else { "direct" }),
        GroupBy::Kernel => event.kernel.text().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceKind;
    use crate::intern::Name;

    fn event(kind: EventType, start_ns: u64, duration_ns: u64, bytes: u64) -> Event {
        Event { start_ns, duration_ns, bytes, ..Event::new(kind) }
    }

    fn sample() -> Vec<Event> {
        let dispatch = |start, duration, bytes, fallback| Event {
            op: Name::of("matmul"),
            kernel: Name::of("cpu.gemm.test"),
            selected: Some(DeviceKind::Cpu),
            fallback,
            ..event(EventType::OpDispatch, start, duration, bytes)
        };
        // Stored when they ended: the upload of another thread began first.
        vec![
            dispatch(100, 30, 8, false),
            event(EventType::Upload, 90, 60, 64),
            dispatch(160, 10, 16, true),
            event(EventType::BackendName, 200, 0, 0),
        ]
    }

    #[test]
    fn rows_are_in_order_of_start_and_their_gaps_fill_the_window() {
        let t = timeline(&sample(), TimelineOptions::default());
        let starts: Vec<_> = t.events.iter().map(|r| (r.index, r.event.start_ns, r.delta_prev_ns)).collect();
        assert_eq!(starts, [(0, 90, 0), (1, 100, 10), (2, 160, 60), (3, 200, 40)]);
        assert_eq!(t.window_ns, 110);
        assert_eq!(t.events.iter().map(|r| r.delta_next_ns).sum::<u64>(), t.window_ns);
        let share: f64 = t.groups.iter().map(|g| g.window_share_pct(t.window_ns)).sum();
        assert!((share - 100.0).abs() < 1e-9);
    }

    #[test]
    fn every_event_key_sorts() {
        for (name, key) in EventKey::NAMES {
            for descending in [false, true] {
                let options = TimelineOptions::default().sort_events(name, descending).unwrap();
                assert_eq!(options.event_sort_name(), *name);
                let mut values: Vec<_> =
                    timeline(&sample(), options).events.iter().map(|r| event_value(r, *key)).collect();
                if descending {
                    values.reverse();
                }
                assert!(values.is_sorted(), "{name}: {values:?}");
            }
        }
        assert!(TimelineOptions::default().sort_events("size", false).is_err());
    }

    #[test]
    fn groups_have_the_original_s_keys() {
        let keys = |by: &str| {
            let options = TimelineOptions::default().group(by, "key", false).unwrap();
            timeline(&sample(), options).groups.into_iter().map(|g| (g.key, g.count)).collect::<Vec<_>>()
        };
        let owned = |pairs: &[(&str, u64)]| pairs.iter().map(|(k, n)| (k.to_string(), *n)).collect::<Vec<_>>();
        assert_eq!(keys("type"), owned(&[("backend_name", 1), ("op_dispatch", 2), ("upload", 1)]));
        assert_eq!(keys("status"), owned(&[("success", 4)]));
        assert_eq!(keys("op"), owned(&[("matmul", 2), ("non_op", 2)]));
        assert_eq!(keys("op_selected_device"), owned(&[("matmul|cpu", 2), ("non_op", 2)]));
        let paths = [("matmul|cpu|direct", 1), ("matmul|cpu|fallback", 1), ("non_op", 2)];
        assert_eq!(keys("op_path"), owned(&paths));
        assert_eq!(keys("kernel"), owned(&[("cpu.gemm.test", 2), ("non_op", 2)]));
        assert_eq!(keys("device"), owned(&[("cpu", 2), ("no_device", 2)]));
        assert_eq!(keys("type_status").len(), 3);
    }

    #[test]
    fn groups_sort_by_every_key_and_ties_follow_the_direction() {
        for (name, key) in GroupKey::NAMES {
            let ascending = TimelineOptions::default().group("type", name, false).unwrap();
            let descending = TimelineOptions { group_descending: true, ..ascending };
            let up = timeline(&sample(), ascending).groups;
            let mut down = timeline(&sample(), descending).groups;
            assert!(up.is_sorted_by_key(|g| (group_value(g, *key), g.key.clone())), "{name}");
            down.reverse();
            assert_eq!(up, down, "{name}");
        }
        let dispatches = timeline(&sample(), TimelineOptions::default()).groups;
        let dispatches = dispatches.iter().find(|g| g.key == "op_dispatch").unwrap();
        assert_eq!((dispatches.total_delta_next_ns, dispatches.max_delta_next_ns), (100, 60));
        assert_eq!((dispatches.total_duration_ns, dispatches.max_duration_ns), (40, 30));
        assert_eq!((dispatches.first_timestamp_ns, dispatches.last_timestamp_ns), (100, 160));
        assert_eq!((dispatches.avg_delta_next_ns(), dispatches.avg_duration_ns()), (50.0, 20.0));
        assert_eq!(dispatches.total_size_bytes, 24);
    }

    #[test]
    fn hotspots_are_the_longest_gaps() {
        let spots = |k| {
            let options = TimelineOptions { hotspot_top_k: k, ..TimelineOptions::default() };
            timeline(&sample(), options).hotspots.iter().map(|r| r.index).collect::<Vec<_>>()
        };
        assert_eq!(spots(2), [1, 2]);
        assert_eq!(spots(0), [1, 2, 0, 3]);
        let same: Vec<_> = (0..4).map(|i| event(EventType::Sync, i * 10, 0, 0)).collect();
        let ties = timeline(&same, TimelineOptions { hotspot_top_k: 2, ..TimelineOptions::default() });
        assert_eq!(ties.hotspots.iter().map(|r| r.index).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn an_empty_trace_has_an_empty_timeline() {
        let t = timeline(&[], TimelineOptions::default());
        assert_eq!((t.window_ns, t.events.len(), t.groups.len(), t.hotspots.len()), (0, 0, 0, 0));
    }
}
