"""Devices, sync policy, capabilities, threads, receipts."""

from __future__ import annotations

import lightning_core as lc
import numpy as np
import pytest

CAPABILITY_KEYS = [
    "device",
    "built",
    "available",
    "compute_surface",
    "memory_surface",
    "sync_surface",
    "profiling_surface",
    "runtime_trace_surface",
    "sync_policy_surface",
    "memory_model",
    "name",
    "software",
    "reason",
]


def test_devices_agree_with_each_other():
    assert lc.backend_name() == ("metal" if lc.metal_available() else "cuda" if lc.cuda_available() else "cpu")
    assert lc.memory_model_name() == ("native-device" if lc.cuda_available() else "host-managed-compat")


@pytest.mark.parametrize("device", ["cpu", "cuda", "metal", "vulkan"])
def test_capabilities_have_the_keys_in_order(device):
    table = lc.runtime_backend_capabilities(device)
    assert list(table) == CAPABILITY_KEYS
    assert table["device"] == device
    assert all(isinstance(table[key], bool) for key in CAPABILITY_KEYS[1:9])
    assert table["runtime_trace_surface"] and table["sync_policy_surface"]
    if device == "cpu":
        assert table["built"] and table["available"] and table["compute_surface"]
        assert table["memory_model"] == "host-managed-compat"
    assert bool(table["name"]) == table["available"] != bool(table["reason"])


def test_active_capabilities_are_those_of_the_preferred_device():
    assert lc.runtime_active_backend_capabilities() == lc.runtime_backend_capabilities(lc.backend_name())
    assert lc.runtime_backend_capabilities("auto")["device"] == lc.backend_name()


def test_capabilities_of_an_unknown_device():
    with pytest.raises(ValueError, match="tpu"):
        lc.runtime_backend_capabilities("tpu")


def test_every_op_has_a_cpu_kernel_in_both_types():
    table = lc.capabilities()
    assert {"matmul", "add", "conv2d", "attention", "softmax", "ffn"} <= set(table)
    for op, devices in table.items():
        assert devices["cpu"] == ("float32", "float64"), op


def test_sync_policy_is_kept_and_checked():
    lc.runtime_sync_policy_set()
    assert lc.runtime_sync_policy_get() == {"mode": "auto", "trace_sync_boundary": False}
    lc.runtime_sync_policy_set("never", True)
    assert lc.runtime_sync_policy_get() == {"mode": "never", "trace_sync_boundary": True}
    with pytest.raises(ValueError):
        lc.runtime_sync_policy_set("sometimes")
    assert lc.runtime_sync_policy_get()["mode"] == "never"
    lc.runtime_sync_apply_default()


@pytest.mark.parametrize("mode", ["auto", "always", "never"])
def test_D3_sync_succeeds_where_there_is_nothing_to_wait_for(mode):
    lc.runtime_sync_apply(mode)
    lc.runtime_sync_apply(mode=mode, trace_sync_boundary=True)


def test_D3_ops_consult_the_default_sync_policy():
    lc.runtime_sync_policy_set("always")
    assert lc.effective_policy().sync == "always"
    with pytest.raises(ValueError):
        lc.runtime_sync_apply("sometimes")


def test_threads_are_set_and_checked():
    a = np.ones((64, 64), np.float32)
    for threads in [1, 2]:
        lc.set_num_threads(threads)
        assert lc.get_num_threads() == threads
        np.testing.assert_array_equal(lc.matmul2d(a, a), a @ a)
    for bad in [0, -1, 2**70]:
        with pytest.raises(ValueError):
            lc.set_num_threads(bad)
    assert lc.get_num_threads() == 2


def test_isa_and_version():
    assert lc.cpu_isa() in {"avx512", "avx2", "neon", "scalar"}
    assert lc.__version__.count(".") == 2


def test_receipt_says_what_ran():
    a = np.ones((3, 4), np.float32)
    lc.matmul2d(a, a.T, "cpu")
    receipt = lc.last_receipt()
    assert receipt is not None
    assert (receipt.op, receipt.requested_device, receipt.selected_device) == ("matmul", "cpu", "cpu")
    assert receipt.dtype == "float32" and receipt.math == "ieee_f32" and not receipt.fallback
    assert receipt.launches == 1 and receipt.waits == 0
    assert receipt.kernel.startswith("cpu.")
    assert receipt.to_dict()["kernel"] == receipt.kernel
    assert list(receipt.to_dict()) == [
        "op",
        "requested_device",
        "selected_device",
        "kernel",
        "dtype",
        "math",
        "fallback",
        "reason",
        "launches",
        "waits",
        "bytes_uploaded",
        "bytes_downloaded",
        "duration_ns",
    ]
    assert repr(receipt).startswith("Receipt(op='matmul', requested_device='cpu'")
    with pytest.raises(AttributeError):
        receipt.op = "add"
    lc.api.add(np.ones(3), 1.0)
    assert lc.last_receipt().dtype == "float64"
    assert lc.last_receipt() != receipt and receipt.op == "matmul"


def test_a_failed_call_leaves_the_receipt():
    a = np.ones((3, 4), np.float32)
    lc.matmul2d(a, a.T)
    before = lc.last_receipt()
    with pytest.raises(ValueError):
        lc.matmul2d(a, a)
    assert lc.last_receipt() == before


def test_D12_resets_and_clears_change_no_result():
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    before = lc.matmul2d(a, a.T)
    lc.matmul_reset_tuning()
    lc.clear_attention2d_session_cache()
    lc.clear_integrated_attention_session_cache()
    lc.api.clear_attention_session_cache()
    np.testing.assert_array_equal(lc.matmul2d(a, a.T), before)


def test_D11_nothing_is_written_to_the_current_directory(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    a = np.ones((32, 32), np.float32)
    lc.matmul2d(a, a, "metal", policy=lc.Policy(fallback="allow"))
    lc.attention2d(a, a, a)
    lc.conv2d_nchw(np.ones((1, 3, 8, 8), np.float32), np.ones((4, 3, 3, 3), np.float32))
    lc.matmul_reset_tuning()
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
