"""Resident sessions: one meaning on every device, own buffers, checked operands."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import lightning_core as lc
import numpy as np
import pytest

# "metal" follows the fallback policy where there is none.
DEVICES = ["cpu", "auto", "metal"]
on_devices = pytest.mark.parametrize("device", DEVICES)

pytestmark = pytest.mark.filterwarnings("ignore::lightning_core.FallbackWarning")


def close(got, want, tol=1e-4):
    want = np.asarray(want)
    np.testing.assert_allclose(np.asarray(got).reshape(want.shape), want, rtol=tol, atol=tol)


def conv_reference(x, w, bias, stride=(1, 1), pad=(0, 0), relu=False):
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))[:, :, :: stride[0], :: stride[1]]
    out = np.einsum("nchwij,ocij->nohw", windows, w.astype(np.float64))
    if bias is not None:
        out += bias.astype(np.float64)[None, :, None, None]
    return np.maximum(out, 0) if relu else out


@pytest.fixture
def matrices(rng):
    return rng.standard_normal((5, 7), np.float32), rng.standard_normal((7, 3), np.float32)


def binary_sessions(device="cpu"):
    """Every session on `a` and `b`, as (session, prefix of its methods, a, b, result)."""
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((5, 7), np.float32), rng.standard_normal((7, 3), np.float32)
    c, d = rng.standard_normal((4, 6), np.float32), 1 + rng.random((4, 6), np.float32)
    f64 = np.float64
    return [
        (lc.MatMulMetalResidentSession(5, 7, 3, device=device), "", a, b, a.astype(f64) @ b.astype(f64)),
        (lc.VectorAddMetalResidentSession(24, device=device), "", c.copy(), d.copy(), c.astype(f64) + d),
        (lc.MatrixElemwiseMetalResidentSession(4, 6, device=device), "sub_", c.copy(), d.copy(), c.astype(f64) - d),
        (lc.MatrixElemwiseMetalResidentSession(4, 6, device=device), "div_", c.copy(), d.copy(), c.astype(f64) / d),
    ]


@on_devices
def test_b14_lists_have_the_real_values(device):
    for session, prefix, a, b, want in binary_sessions(device):
        n = want.size
        la, lb = a.ravel().tolist(), b.ravel().tolist()
        for name in ("start", "run", "finish"):
            got = getattr(session, prefix + name)(la, lb, n)
            assert type(got) is list
            close(got, want)
        once = {"": "add", "sub_": "sub", "div_": "div"}[prefix]
        if hasattr(session, once):
            # The convenience uploads: no stale operands of an earlier start.
            getattr(session, prefix + "start")(lb, la, n)
            close(getattr(session, once)(a, b, n), want)


@on_devices
def test_d4_only_finish_and_the_batch_with_a_result_write(device):
    for session, prefix, a, b, want in binary_sessions(device):
        out = np.full(want.size, 7, np.float32)
        for name in ("start_into", "run_into", "sync_into"):
            method = getattr(session, prefix + name, None)
            if method is None:
                continue  # the original's elementwise session has no sync
            method(a, b, out)
            assert (out == 7).all(), name
        getattr(session, prefix + "finish_into")(a, b, out)
        close(out, want)


@on_devices
def test_d4_batches_of_products(device, matrices):
    a, b = matrices
    session = lc.MatMulMetalResidentSession(5, 7, 3, device=device)
    out = np.full((5, 3), 7, np.float32)
    session.start_into(a, b, out)
    session.run_batch_sync_no_download_into(a, b, out, 3)
    session.run_batch_sync_cached_no_download(4)
    assert (out == 7).all()
    session.run_batch_sync_into(a, b, out, 3)
    close(out, a @ b)
    assert lc.last_receipt().launches == 3
    close(session.run_batch_sync(a, b, 15, 2), a @ b)
    close(session.sync(a, b, 15), a @ b)
    # Float32 throughout: batched results are those of a single call, to the bit.
    np.testing.assert_array_equal(out, np.asarray(session.finish(None, None, 15), np.float32).reshape(5, 3))


def test_d4_sync_and_finish_launch_nothing(matrices):
    a, b = matrices
    session = lc.MatMulMetalResidentSession(5, 7, 3, device="cpu")
    out = np.empty((5, 3), np.float32)
    launches = []
    lc.runtime_trace_clear()
    lc.runtime_trace_enable(True)
    for call in (
        lambda: session.start_into(a, b, out),
        lambda: session.run_into(a, b, out),
        lambda: session.sync_into(a, b, out),
        lambda: session.finish_into(a, b, out),
        lambda: session.finish_into(a, b, out),
        lambda: session.run_batch_sync_cached_no_download(5),
    ):
        call()
        launches.append(sum(e["type"] == "op_dispatch" for e in lc.runtime_trace_events()))
        lc.runtime_trace_clear()
    lc.runtime_trace_enable(False)
    assert launches == [1, 1, 0, 0, 0, 5]


@on_devices
def test_run_uses_what_is_resident(device):
    for session, prefix, a, b, want in binary_sessions(device):
        out = np.empty(want.size, np.float32)
        keep_a, keep_b = a.copy(), b.copy()
        getattr(session, prefix + "start_into")(a, b, out)
        a[:] = np.nan
        b[:] = np.nan
        getattr(session, prefix + "run_into")(a, b, out)
        getattr(session, prefix + "finish_into")(None, None, out)
        close(out, want)
        getattr(session, prefix + "start_into")(keep_a * 2, keep_b, out)
        getattr(session, prefix + "finish_into")(None, None, out)
        assert np.abs(out.reshape(want.shape) - want).max() > 0.1, "a new start takes the new operands"


@on_devices
def test_b7_sessions_and_one_shot_calls_share_nothing(device, rng):
    first, second = (lc.MatMulMetalResidentSession(8, 8, 8, device=device) for _ in range(2))
    bigger = lc.MatMulMetalResidentSession(32, 32, 32, device=device)
    a, b, c, d = (rng.standard_normal((8, 8), np.float32) for _ in range(4))
    big = rng.standard_normal((32, 32), np.float32)
    out = np.empty((8, 8), np.float32)
    first.start_into(a, b, out)
    second.start_into(c, d, out)
    bigger.start_into(big, big, np.empty((32, 32), np.float32))
    lc.matmul2d(d, a, device)
    close(first.run(None, None, 64), a @ b)
    close(second.run(None, None, 64), c @ d)
    del second
    gc.collect()
    close(first.run(None, None, 64), a @ b)
    assert first.resident_bytes >= 3 * a.nbytes and first.device in ("cpu", "metal", "cuda")


@on_devices
def test_before_start(device, matrices):
    for session, prefix, a, b, want in binary_sessions(device):
        out = np.full(want.size, 7, np.float32)
        calls = [
            lambda: getattr(session, prefix + "run")(a, b, want.size),  # noqa: B023
            lambda: getattr(session, prefix + "run_into")(a, b, out),  # noqa: B023
            lambda: getattr(session, prefix + "finish")(a, b, want.size),  # noqa: B023
            lambda: getattr(session, prefix + "finish_into")(a, b, out),  # noqa: B023
        ]
        if not prefix:
            calls += [
                lambda: session.sync_into(a, b, out),  # noqa: B023
                lambda: session.run_batch_sync_into(a, b, out, 2),  # noqa: B023
                lambda: session.run_batch_sync_cached_no_download(2),  # noqa: B023
            ]
        for call in calls:
            with pytest.raises(lc.NotInitializedError, match="^not initialized"):
                call()
        assert (out == 7).all()


@on_devices
def test_b4_every_array_is_checked_against_the_session(device):
    for session, prefix, a, b, want in binary_sessions(device):
        n = want.size
        out = np.full(n, 7, np.float32)
        bad_out = [np.empty(n - 1, np.float32), np.empty(n + 1, np.float32)]
        read_only = np.empty(n, np.float32)
        read_only.flags.writeable = False
        for name in ("start_into", "run_into", "finish_into"):
            method = getattr(session, prefix + name)
            for x, y, argument in ((a.ravel()[:-1], b, "a"), (a, b.ravel()[:-1], "b"), (a, np.ones(1), "b")):
                with pytest.raises(ValueError, match=f"`{argument}`"):
                    method(x, y, out)
            for wrong in [*bad_out, read_only, np.empty(2 * n, np.float32)[::2]]:
                with pytest.raises(ValueError, match="`out`"):
                    method(a, b, wrong)
            for wrong in (np.empty(n), [0.0] * n, None):
                with pytest.raises(TypeError, match="`out`"):
                    method(a, b, wrong)
        for name in ("start", "run", "finish"):
            method = getattr(session, prefix + name)
            for size in (0, 1, n - 1, n + 1, -1, 2**70):
                with pytest.raises(ValueError, match="out_size"):
                    method(a, b, size)
            with pytest.raises(ValueError, match="`a`"):
                method([1.0], b, n)
        with pytest.raises(TypeError, match="`a`"):
            getattr(session, prefix + "start_into")(None, b, out)
        with pytest.raises(lc.NotInitializedError):  # nothing of the above counted as a start
            getattr(session, prefix + "run_into")(a, b, out)
        assert (out == 7).all()


def test_any_shape_with_the_right_number_of_elements():
    for session, prefix, a, b, want in binary_sessions():
        out = np.empty((1, want.size, 1), np.float32)
        strided = np.repeat(a.ravel(), 2)[::2].reshape(1, -1)
        getattr(session, prefix + "start_into")(strided, b.ravel().astype(np.float64), out)
        getattr(session, prefix + "finish_into")(strided, b.ravel(), out)
        close(out.ravel(), want.ravel())


@pytest.mark.parametrize("bad", [0, -1, 2**70, 2**62])
def test_sizes_that_cannot_be(bad):
    makers = [
        *(lambda i=i: lc.MatMulMetalResidentSession(*[bad if i == j else 4 for j in range(3)]) for i in range(3)),
        *(
            lambda i=i: lc.MatrixElemwiseMetalResidentSession(*[bad if i == j else 4 for j in range(2)])
            for i in range(2)
        ),
        *(lambda i=i: lc.Conv2dMetalResidentSession(*[bad if i == j else 4 for j in range(7)]) for i in range(7)),
        lambda: lc.VectorAddMetalResidentSession(bad),
    ]
    for make in makers:
        with pytest.raises(ValueError):
            make()
    with pytest.raises(TypeError):
        lc.MatMulMetalResidentSession(1.5, 1, 1)


def test_b15_repeat_counts_are_bounded(matrices):
    a, b = matrices
    session = lc.MatMulMetalResidentSession(5, 7, 3, device="cpu")
    out = np.empty((5, 3), np.float32)
    session.start_into(a, b, out)
    for count in (0, -1, 2**20 + 1, 2**64 - 1, 2**70):
        with pytest.raises(ValueError, match="repeat_count"):
            session.run_batch_sync_cached_no_download(count)
        with pytest.raises(ValueError, match="repeat_count"):
            session.run_batch_sync_into(a, b, out, count)
    with pytest.raises(TypeError):
        session.run_batch_sync_cached_no_download(1.0)


@on_devices
def test_division_is_ieee(device):
    session = lc.MatrixElemwiseMetalResidentSession(1, 4, device=device)
    got = session.div([1.0, -1.0, 0.0, np.inf], [0.0, 0.0, 0.0, np.inf], 4)
    assert got[:2] == [np.inf, -np.inf] and np.isnan(got[2:]).all()


@on_devices
def test_sub_and_div_share_their_operands(device):
    session = lc.MatrixElemwiseMetalResidentSession(1, 2, device=device)
    out = np.empty(2, np.float32)
    session.sub_start_into([6.0, 8.0], [2.0, 4.0], out)
    session.div_run_into(None, None, out)
    with pytest.raises(lc.NotInitializedError, match="sub"):
        session.sub_finish_into(None, None, out)
    session.div_finish_into(None, None, out)
    assert out.tolist() == [3.0, 2.0]
    assert session.sub_run(None, None, 2) == [4.0, 4.0]


# Convolution.

CONVS = [
    # batch, channels, height, width, filters, kernel, stride, pad
    (1, 3, 8, 8, 4, (3, 3), (1, 1), (1, 1)),
    (2, 5, 9, 7, 6, (3, 3), (1, 1), (1, 1)),
    (2, 3, 11, 6, 5, (3, 2), (2, 1), (0, 2)),
    (1, 1, 1, 1, 1, (1, 1), (1, 1), (0, 0)),
]


def conv_case(case, rng):
    n, c, h, w, o, kernel, stride, pad = case
    x = rng.standard_normal((n, c, h, w), np.float32)
    weights = rng.standard_normal((o, c, *kernel), np.float32)
    return x, weights, rng.standard_normal(o, np.float32), stride, pad


def conv_session(case, **more):
    n, c, h, w, o, kernel, stride, pad = case
    return lc.Conv2dMetalResidentSession(n, c, h, w, o, *kernel, *stride, *pad, **more)


@on_devices
@pytest.mark.parametrize("case", CONVS)
@pytest.mark.parametrize("relu", [False, True])
def test_d6_convolution_with_and_without_bias(device, case, relu, rng):
    x, w, bias, stride, pad = conv_case(case, rng)
    session = conv_session(case, apply_relu=relu, device=device)
    for given in (None, bias, None):
        want = conv_reference(x, w, given, stride, pad, relu)
        out = np.full(want.shape, 7, np.float32)
        session.start_into(x, w, given, out)
        session.run_into(x, w, given, out)
        session.sync_into(x, w, given, out)
        assert (out == 7).all()
        session.finish_into(x, w, given, out)
        close(out, want)
        out[:] = 7
        session.run_batch_sync_into(None, None, None, out, 3)
        close(out, want)


def test_d6_none_in_run_keeps_the_resident_bias(rng):
    case = CONVS[0]
    x, w, bias, stride, pad = conv_case(case, rng)
    session = conv_session(case, apply_relu=False, device="cpu")
    out = np.empty((1, 4, 8, 8), np.float32)
    session.start_into(x, w, bias, out)
    session.run_into(x, w, None, out)
    session.run_into(x, w, bias, out)
    session.finish_into(x, w, None, out)
    close(out, conv_reference(x, w, bias, stride, pad))
    session.start_into(x, w, None, out)
    with pytest.raises(lc.NotInitializedError, match="bias"):
        session.run_into(x, w, bias, out)


def test_b4_convolution_operands(rng):
    case = CONVS[0]
    x, w, bias, *_ = conv_case(case, rng)
    session = conv_session(case, device="cpu")
    out = np.full((1, 4, 8, 8), 7, np.float32)
    for bad in ((x[:, :2], w, bias), (x, w[:3], bias), (x, w, bias[:3])):
        with pytest.raises(ValueError):
            session.start_into(*bad, out)
        with pytest.raises(ValueError):
            session.run_into(*bad, out)
    with pytest.raises(ValueError, match="`out`"):
        session.start_into(x, w, bias, out[:, :3].copy())
    with pytest.raises(TypeError):
        session.start_into(None, w, bias, out)
    with pytest.raises(lc.NotInitializedError):
        session.run_into(x, w, bias, out)
    assert (out == 7).all()


def test_convolution_constructor(rng):
    session = lc.Conv2dMetalResidentSession(
        batch=1, in_channels=3, in_h=8, in_w=8, out_channels=4, kernel_h=3, kernel_w=3, pad_h=1, pad_w=1
    )
    x, w, bias, stride, pad = conv_case(CONVS[0], rng)
    out = np.empty((1, 4, 8, 8), np.float32)
    session.start_into(x, w, bias, out)
    session.finish_into(x, w, bias, out)
    close(out, conv_reference(x, w, bias, stride, pad, relu=True))
    for wrong in ({"stride_h": 0}, {"pad_h": -1}, {"pad_h": 2**62}, {"stride_w": 2**70}):
        with pytest.raises(ValueError):
            lc.Conv2dMetalResidentSession(1, 3, 8, 8, 4, 3, 3, **wrong)
    with pytest.raises(ValueError):
        lc.Conv2dMetalResidentSession(1, 3, 2, 2, 4, 3, 3)


@on_devices
def test_resident_convolution_by_phases(device, rng):
    x, w, bias, stride, pad = conv_case(CONVS[1], rng)
    want = conv_reference(x, w, bias, stride, pad)
    out = np.full(want.shape, 7, np.float32)

    def phase(name, given=bias, **more):
        lc.conv2d_nchw_metal_resident(x, w, given, out, 1, 1, 1, 1, name, device=device, **more)

    with pytest.raises(lc.NotInitializedError, match="start"):
        phase("run", apply_relu=True)
    phase("start")
    phase("run")
    phase("sync")
    assert (out == 7).all()
    phase("finish")
    close(out, want)
    out[:] = 7
    phase("run_batch_sync")
    close(out, want)
    assert lc.last_receipt().launches == 8
    phase("run_batch_sync:3")
    assert lc.last_receipt().launches == 3
    phase("start", apply_relu=True)
    phase("finish", apply_relu=True)
    close(out, np.maximum(want, 0))
    phase("finish")
    close(out, want)


@pytest.mark.parametrize(
    "phase",
    ["", "Start", "stop", "run_batch_sync:", "run_batch_sync:0", "run_batch_sync:-1", "run_batch_sync:+1",
     "run_batch_sync: 1", "run_batch_sync:1x", "run_batch_sync:1.0", "run_batch_sync8", "run_batch_sync:1048577",
     "run_batch_sync:18446744073709551615", "run_batch_sync:99999999999999999999999", "run_batch_syncs"],
)  # fmt: skip
def test_b15_phases_are_parsed_strictly(phase):
    x, w = np.ones((1, 1, 3, 3), np.float32), np.ones((1, 1, 3, 3), np.float32)
    out = np.empty((1, 1, 1, 1), np.float32)
    with pytest.raises(ValueError, match="phase"):
        lc.conv2d_nchw_metal_resident(x, w, None, out, phase=phase)


def test_resident_convolutions_are_kept_apart_and_bounded(rng):
    x = rng.standard_normal((1, 1, 16, 16), np.float32)
    filters = [rng.standard_normal((1, 1, k, k), np.float32) for k in range(1, 10)]

    def out_for(w):
        return np.empty((1, 1, 17 - w.shape[2], 17 - w.shape[2]), np.float32)

    for w in filters:
        lc.conv2d_nchw_metal_resident(x, w, None, out_for(w), phase="start", device="cpu")
    with pytest.raises(lc.NotInitializedError):
        lc.conv2d_nchw_metal_resident(x, filters[0], None, out_for(filters[0]), phase="finish", device="cpu")
    for w in filters[1:]:
        out = out_for(w)
        lc.conv2d_nchw_metal_resident(x, w, None, out, phase="finish", device="cpu")
        close(out, conv_reference(x, w, None))


# Policies, threads, memory.


def test_a_device_that_is_denied_is_refused_when_the_session_is_made():
    if lc.metal_available():
        pytest.skip("needs a machine without Metal")
    makers = [
        lambda **k: lc.MatMulMetalResidentSession(2, 2, 2, **k),
        lambda **k: lc.VectorAddMetalResidentSession(2, **k),
        lambda **k: lc.MatrixElemwiseMetalResidentSession(2, 2, **k),
        lambda **k: lc.Conv2dMetalResidentSession(1, 1, 2, 2, 1, 1, 1, **k),
        lambda **k: lc.AttentionSession(2, 2, **k),
    ]
    for make in makers:
        with pytest.raises(lc.NotSupportedError, match="metal"):
            make(device="metal", policy=lc.Policy(fallback="deny"))
        with lc.policy(fallback="deny"), pytest.raises(lc.NotSupportedError):
            make(device="metal")
        assert make(policy=lc.Policy(device="cpu", fallback="deny")).device == "cpu"
        with pytest.raises(ValueError):
            make(device="gpu")
        with pytest.raises(TypeError):
            make(policy=3)


def run_threads(work, count=4):
    failures = []

    def guarded(i):
        try:
            work(i)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    workers = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert not worker.is_alive(), "a thread hangs"
    assert not failures, failures


@pytest.mark.parametrize("n", [4, 96])
def test_threads_share_a_session(n, rng):
    a, b = (rng.standard_normal((n, n), np.float32) for _ in range(2))
    want = a.astype(np.float64) @ b
    session = lc.MatMulMetalResidentSession(n, n, n, device="cpu")
    session.start_into(a, b, np.empty((n, n), np.float32))

    def work(_):
        out = np.empty((n, n), np.float32)
        for _ in range(50):
            session.run_into(None, None, out)
            session.run_batch_sync_into(None, None, out, 2)
            close(out, want, 1e-3)

    run_threads(work)


def test_threads_with_a_session_each(rng):
    operands = [
        (rng.standard_normal((48, 48), np.float32), rng.standard_normal((48, 48), np.float32)) for _ in range(4)
    ]

    def work(i):
        a, b = operands[i]
        session = lc.MatMulMetalResidentSession(48, 48, 48, device="cpu")
        out = np.empty((48, 48), np.float32)
        for _ in range(30):
            session.start_into(a, b, out)
            session.run_into(a, b, out)
            session.finish_into(a, b, out)
            close(out, a @ b, 1e-3)

    run_threads(work)


def resident_kib():
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("needs /proc")
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))


def test_a_hundred_thousand_calls_do_not_grow(rng):
    a, b = (rng.standard_normal((4, 4), np.float32) for _ in range(2))
    out = np.empty((4, 4), np.float32)
    attention = lc.AttentionSession(4, 4, device="cpu")

    def calls(count):
        for i in range(count):
            session = lc.MatMulMetalResidentSession(4, 4, 4, device="cpu")
            session.start_into(a, b, out)
            session.finish_into(a, b, out)
            attention.forward_into(a, a, b, out)
            if i % 10 == 0:
                attention.train_step(a, a, b, a, 0.1)
                lc.Tensor([4, 4]).numpy()

    calls(3000)
    gc.collect()
    before = resident_kib()
    calls(25_000)  # four calls a turn
    gc.collect()
    assert resident_kib() - before < 2048
