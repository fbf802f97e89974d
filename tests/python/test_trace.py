"""The trace from Python: events, the timeline, and the export."""

from __future__ import annotations

import json
import threading

import lightning_core as lc
import numpy as np
import pytest

EVENT_KEYS = [
    "type", "status", "timestamp_ns", "size_bytes", "detail0", "detail1", "op", "requested_device", "selected_device",
    "fallback", "duration_ns", "kernel", "reason", "thread",
]  # fmt: skip
ROW_KEYS = [
    "index", "type", "status", "op", "requested_device", "selected_device", "fallback", "timestamp_ns", "offset_ns",
    "delta_prev_ns", "delta_next_ns", "size_bytes", "detail0", "detail1", "duration_ns", "kernel", "reason", "thread",
]  # fmt: skip
TIMELINE_KEYS = [
    "event_count", "event_sort_by", "event_descending", "group_by", "group_sort_by", "group_descending",
    "hotspot_top_k", "notes", "window_ns", "events", "groups", "hotspots",
]  # fmt: skip
GROUP_KEYS = [
    "key", "count", "total_delta_next_ns", "avg_delta_next_ns", "max_delta_next_ns", "total_size_bytes",
    "first_timestamp_ns", "last_timestamp_ns", "window_share_pct", "total_duration_ns", "avg_duration_ns",
    "max_duration_ns",
]  # fmt: skip
EVENT_SORTS = ["index", "timestamp_ns", "offset_ns", "delta_prev_ns", "delta_next_ns", "size_bytes", "duration_ns"]
GROUPS = ["type", "status", "type_status", "op", "op_selected_device", "op_path", "kernel", "device"]
GROUP_SORTS = [
    "key", "count", "total_delta_next_ns", "avg_delta_next_ns", "max_delta_next_ns", "total_size_bytes",
    "total_duration_ns", "avg_duration_ns", "max_duration_ns",
]  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore::lightning_core.FallbackWarning")


@pytest.fixture
def trace():
    lc.runtime_trace_clear()
    lc.runtime_trace_enable(True)
    yield
    lc.runtime_trace_enable(False)
    lc.runtime_trace_clear()


def dispatches():
    return [e for e in lc.runtime_trace_events() if e["type"] == "op_dispatch"]


def test_off_by_default_and_enabling_keeps_events():
    lc.runtime_trace_enable(None)
    lc.runtime_trace_clear()
    assert lc.runtime_trace_enabled() is False and lc.runtime_trace_capacity() == 4096
    lc.backend_name()
    assert lc.runtime_trace_events() == []
    lc.runtime_trace_enable(1)
    assert lc.runtime_trace_enabled() is True
    lc.backend_name()
    count = len(lc.runtime_trace_events())
    lc.runtime_trace_enable(False)
    lc.runtime_trace_enable(True)
    assert len(lc.runtime_trace_events()) == count > 0
    lc.runtime_trace_clear()
    assert lc.runtime_trace_events() == []
    lc.runtime_trace_enable(False)


def test_event_rows(trace):
    lc.backend_name()
    a = np.ones((16, 16), np.float32)
    lc.matmul2d(a, a, "cpu")
    events = lc.runtime_trace_events()
    assert all(list(e) == EVENT_KEYS for e in events)
    kinds = [e["type"] for e in events]
    assert kinds[0] == "is_metal_available" and kinds[-2:] == ["backend_name", "op_dispatch"]
    event = events[-1]
    assert (event["op"], event["status"]) == ("matmul", "success")
    assert (event["requested_device"], event["selected_device"], event["fallback"]) == ("cpu", "cpu", False)


def test_d9_one_event_per_dispatch_with_its_own_time_bytes_and_reason(trace):
    a = np.ones((256, 256), np.float32)
    lc.matmul2d(a, a, "cpu")
    (event,) = dispatches()
    assert event["size_bytes"] == 3 * a.nbytes and event["detail0"] == 256**3
    assert event["duration_ns"] > 1000 and event["kernel"].startswith("cpu.") and event["reason"]
    assert lc.last_receipt().duration_ns >= event["duration_ns"]


def test_d9_a_fallback_is_one_event(trace):
    if lc.metal_available():
        pytest.skip("needs a machine without Metal")
    x = np.ones(64, np.float32)
    image, filters = np.ones((1, 8, 8, 8), np.float32), np.ones((4, 8, 3, 3), np.float32)
    for call, op in (
        (lambda: lc.vector_add(x, x, "metal"), "vector_add"),
        (lambda: lc.matmul(x, x, 8, 8, 8, "metal"), "matmul"),
        (lambda: lc.matrix_sub(x, x, 8, 8, "metal"), "matrix_sub"),
        (lambda: lc.conv2d_nchw(image, filters, None, 1, 1, 1, 1, "metal"), "conv2d_nchw"),
        (lambda: lc.attention_forward(x, x, x, 8, 8, False, "metal"), "attention_forward"),
    ):
        lc.runtime_trace_clear()
        call()
        (event,) = dispatches()
        assert (event["op"], event["requested_device"], event["selected_device"]) == (op, "metal", lc.backend_name())
        assert event["fallback"] is True and "available" in event["reason"]


def test_d9_sessions_and_training_are_traced(trace):
    session = lc.MatMulMetalResidentSession(4, 4, 4, device="cpu")
    a = np.ones((4, 4), np.float32)
    session.start_into(a, a, a.copy())
    session.run_batch_sync_cached_no_download(5)
    assert len(dispatches()) == 6
    lc.runtime_trace_clear()
    lc.AttentionSession(4, 4, device="cpu").train_step(a, a, a, a, 0.1)
    assert [e["op"] for e in dispatches()] == ["attention_train"]


def test_the_ring_keeps_the_newest(trace):
    x = np.ones(2, np.float32)
    for _ in range(5000):
        lc.vector_add(x, x, "cpu")
    events = lc.runtime_trace_events()
    assert len(events) == 4096
    stamps = [e["timestamp_ns"] for e in events]
    assert stamps == sorted(stamps)


def test_timeline_shape_and_defaults(trace):
    x = np.ones(64, np.float32)
    for _ in range(3):
        lc.vector_add(x, x, "cpu")
    lc.backend_name()
    it = lc.runtime_trace_timeline()
    assert list(it) == TIMELINE_KEYS
    assert (it["event_sort_by"], it["event_descending"], it["group_by"]) == ("timestamp_ns", False, "type")
    assert (it["group_sort_by"], it["group_descending"]) == ("total_delta_next_ns", True)
    assert it["hotspot_top_k"] == 8 and "duration_ns" in it["notes"] and "delta_next_ns" in it["notes"]
    assert it["event_count"] == len(it["events"])
    assert all(list(row) == ROW_KEYS for row in it["events"] + it["hotspots"])
    assert all(list(group) == GROUP_KEYS for group in it["groups"])
    assert sum(row["delta_next_ns"] for row in it["events"]) == it["window_ns"]
    assert sum(group["window_share_pct"] for group in it["groups"]) == pytest.approx(100)
    group = next(g for g in it["groups"] if g["key"] == "op_dispatch")
    assert group["count"] == 3
    assert group["avg_delta_next_ns"] == pytest.approx(group["total_delta_next_ns"] / 3)
    assert group["total_duration_ns"] == sum(e["duration_ns"] for e in dispatches())


@pytest.mark.parametrize("descending", [False, True])
def test_timeline_sorts_by_every_key(trace, descending):
    x = np.ones(64, np.float32)
    for n in (64, 32, 48):
        lc.vector_add(x[:n], x[:n], "cpu")
        lc.backend_name()
    for key in EVENT_SORTS:
        rows = lc.runtime_trace_timeline(event_sort_by=key, event_descending=descending)["events"]
        order = [(row[key], row["index"]) for row in rows]
        assert order == sorted(order, reverse=descending), key
    for by in GROUPS:
        for key in GROUP_SORTS:
            it = lc.runtime_trace_timeline(group_by=by, group_sort_by=key, group_descending=descending)
            value = (lambda g: g["key"]) if key == "key" else (lambda g: (int(g[key]), g["key"]))  # noqa: B023
            order = [value(group) for group in it["groups"]]
            assert order == sorted(order, reverse=descending), (by, key)
            assert sum(group["count"] for group in it["groups"]) == it["event_count"]


def test_timeline_group_keys(trace):
    x = np.ones(8, np.float32)
    lc.vector_add(x, x, "cpu")
    lc.metal_available()

    def keys(by):
        return sorted(g["key"] for g in lc.runtime_trace_timeline(group_by=by)["groups"])

    assert keys("type_status") == ["is_metal_available|success", "op_dispatch|success"]
    assert keys("op") == ["non_op", "vector_add"]
    assert keys("op_selected_device") == ["non_op", "vector_add|cpu"]
    assert keys("op_path") == ["non_op", "vector_add|cpu|direct"]
    assert keys("device") == ["cpu", "no_device"]


def test_timeline_hotspots(trace):
    for _ in range(12):
        lc.backend_name()
    rows = lc.runtime_trace_timeline()["events"]
    spots = lc.runtime_trace_timeline(hotspot_top_k=5)["hotspots"]
    want = sorted(rows, key=lambda r: (r["delta_next_ns"], r["index"]), reverse=True)
    assert [s["index"] for s in spots] == [r["index"] for r in want[:5]]
    assert len(lc.runtime_trace_timeline(hotspot_top_k=0)["hotspots"]) == len(rows)


@pytest.mark.parametrize("events", [0, 1, 5])
def test_timeline_arguments_are_checked_however_many_events_there_are(trace, events):
    for _ in range(events):
        lc.memory_model_name()
    for wrong in (
        {"event_sort_by": "size"}, {"event_sort_by": ""}, {"group_by": "kind"}, {"group_sort_by": "total"},
        {"hotspot_top_k": -1},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=next(iter(wrong))):
            lc.runtime_trace_timeline(**wrong)
    with pytest.raises(TypeError):
        lc.runtime_trace_timeline(hotspot_top_k=1.5)


def test_chrome_export(trace, tmp_path):
    a = np.ones((32, 32), np.float32)
    lc.matmul2d(a, a, "cpu")
    lc.metal_available()
    document = json.loads(lc.runtime_trace_chrome())
    rows = document["traceEvents"]
    (dispatch,) = [r for r in rows if r["name"] == "matmul"]
    (event,) = dispatches()
    assert dispatch["ph"] == "X" and dispatch["args"]["bytes"] == event["size_bytes"]
    assert dispatch["args"]["kernel"] == event["kernel"] and dispatch["args"]["reason"] == event["reason"]
    assert dispatch["ts"] == pytest.approx(event["timestamp_ns"] / 1e3)
    assert dispatch["dur"] == pytest.approx(event["duration_ns"] / 1e3)
    assert {r["args"]["name"] for r in rows if r["name"] == "process_name"} == {"cpu", "runtime"}
    assert [r["ph"] for r in rows if r["name"] == "is_metal_available"] == ["i"]

    path = tmp_path / "trace.json"
    path.write_text("old")
    assert lc.runtime_trace_chrome(path) is None
    assert json.loads(path.read_text()) == document
    assert lc.runtime_trace_chrome(str(path)) is None
    with pytest.raises(lc.LightningError, match="missing"):
        lc.runtime_trace_chrome(tmp_path / "missing" / "trace.json")
    assert [p.name for p in tmp_path.iterdir()] == ["trace.json"]


def test_threads_have_their_own_numbers(trace):
    x = np.ones(8, np.float32)
    workers = [threading.Thread(target=lambda: lc.vector_add(x, x, "cpu")) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    events = dispatches()
    assert len(events) == 3 and len({e["thread"] for e in events}) == 3
