"""Device "vulkan" from Python: ops, sessions, graphs, tensors, receipts. Skipped by name where there is no adapter."""

import os
import subprocess
import sys

import lightning_core as lc
import numpy as np
import pytest

CAPABILITIES = lc.runtime_backend_capabilities("vulkan")
REQUIRED = os.environ.get("LC_REQUIRE_GPU", "0") not in ("", "0") and sys.platform != "darwin"
# A software adapter needs its name under fallback "deny"; "allow" takes it, and receipts say whether it was taken.
POLICY = lc.Policy(device="vulkan", fallback="allow")


def test_there_is_an_adapter_where_one_is_required():
    assert CAPABILITIES["available"] or not REQUIRED, CAPABILITIES["reason"]


adapter = pytest.mark.skipif(not CAPABILITIES["available"], reason=f"no Vulkan adapter: {CAPABILITIES['reason']}")


def values(shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def has(op):
    return "float32" in lc.capabilities()[op].get("vulkan", ())


@pytest.fixture(scope="module", autouse=True)
def scope():
    with lc.policy(POLICY):
        yield


def ran_there(op="add"):
    receipt = lc.last_receipt()
    assert (receipt.op, receipt.selected_device, receipt.fallback) == (op, "vulkan", False)
    assert receipt.kernel.startswith("vulkan.")
    assert receipt.reason in ("requested device", "requested device, emulated in software")
    return receipt


@adapter
def test_capabilities_are_those_of_a_device_with_its_own_memory():
    assert CAPABILITIES["built"] and CAPABILITIES["compute_surface"]
    assert CAPABILITIES["memory_surface"] and CAPABILITIES["sync_surface"]
    assert CAPABILITIES["memory_model"] == "native-device"
    assert CAPABILITIES["name"] and CAPABILITIES["reason"] == ""
    assert has("add") and "float64" not in lc.capabilities()["add"]["vulkan"]
    assert not lc.metal_available() and lc.backend_name() != "vulkan", "never a silent choice"


@adapter
def test_one_shot_calls_run_there_and_say_what_they_copied():
    a, b = values((33, 17)), values((33, 17), 1)
    np.testing.assert_array_equal(lc.api.add(a, b), a + b)
    receipt = ran_there()
    assert receipt.launches == 1 and receipt.waits == 1
    assert (receipt.bytes_uploaded, receipt.bytes_downloaded) == (2 * a.nbytes, a.nbytes)


@adapter
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
def test_strided_operands(name):
    a, b = values((40, 60)).T[::-1, ::2], values((60, 20), 1) + 2
    want = {"add": a + b, "sub": a - b, "mul": a * b, "div": a / b}[name]
    got = getattr(lc.api, name)(a, b)
    np.testing.assert_allclose(got, want, rtol=1e-6)
    ran_there(name)


@adapter
def test_float64_runs_on_the_cpu():
    a = np.ones((3, 3))
    np.testing.assert_array_equal(lc.api.add(a, a), a + a)
    receipt = lc.last_receipt()
    assert (receipt.selected_device, receipt.fallback) == ("cpu", True)
    with pytest.raises(lc.LightningError, match="no kernel|not available"):
        lc.api.add(a, a, policy=lc.Policy(device="vulkan", fallback="deny"))


@adapter
@pytest.mark.parametrize("op", ["matmul", "softmax", "layer_norm", "conv2d", "attention"])
def test_ops_agree_with_the_cpu(op):
    if not has(op):
        pytest.skip(f"no kernel for {op} on this adapter")
    q = values((2, 3, 24, 16))
    calls = {
        "matmul": lambda: lc.api.matmul(values((70, 33)), values((33, 65), 1)),
        "softmax": lambda: lc.api.softmax(values((9, 130))),
        "layer_norm": lambda: lc.api.layer_norm(values((9, 130)), values(130, 1), values(130, 2)),
        "conv2d": lambda: lc.conv2d_nchw(values((2, 3, 12, 12)), values((4, 3, 3, 3), 1)),
        "attention": lambda: lc.api.scaled_dot_product_attention(q, q, q),
    }
    got = calls[op]()
    assert lc.last_receipt().selected_device == "vulkan"
    with lc.policy(device="cpu"):
        want = calls[op]()
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


@adapter
def test_sessions_stay_there():
    if not has("matmul"):
        pytest.skip("no kernel for matmul on this adapter")
    a, b = values((64, 48)), values((48, 32), 1)
    session = lc.matmul2d_resident_session(a, b)
    out = np.empty((64, 32), np.float32)
    session.start_into(a, b, out)
    session.run_batch_sync_no_download_into(a, b, out, 8)
    session.finish_into(a, b, out)
    np.testing.assert_allclose(out, a @ b, rtol=2e-5, atol=2e-5)
    assert lc.last_receipt().selected_device == "vulkan"


@adapter
def test_graphs_run_there():
    x, y = values((8, 16)), values((8, 16), 1)
    traced = lc.graph(lambda x, y: (x + y) * x - y)
    np.testing.assert_allclose(traced(x, y), (x + y) * x - y, rtol=1e-6, atol=1e-6)
    assert lc.last_receipt().selected_device == "vulkan"


@adapter
def test_tensors_are_in_its_memory():
    tensor = lc.Tensor([4, 3], "vulkan")
    assert tensor.device() == "vulkan"
    data = values((4, 3))
    tensor.from_numpy(data)
    np.testing.assert_array_equal(tensor.numpy(), data)
    np.testing.assert_array_equal(tensor.add(tensor).numpy(), data + data)


@adapter
def test_launches_are_on_the_trace_with_the_devices_own_times():
    a = values(100_000)
    lc.api.add(a, a)
    lc.runtime_trace_enable(True)
    lc.runtime_trace_clear()
    lc.api.add(a, a)
    lc.runtime_trace_enable(False)
    kinds = [event["type"] for event in lc.runtime_trace_events()]
    assert kinds.count("upload") == 2 and kinds.count("op_dispatch") == kinds.count("download") == 1
    assert kinds.count("device_work") == int(CAPABILITIES["profiling_surface"])


@adapter
def test_threads_share_the_device():
    from concurrent.futures import ThreadPoolExecutor

    def work(seed):
        with lc.policy(POLICY):
            a = values((50, 50), seed)
            return all(np.array_equal(lc.api.add(a, a), a + a) for _ in range(20))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def in_a_process(code, **env):
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_on_the_cpu_loads_no_vulkan():
    code = """
import lightning_core as lc, numpy as np
a = np.ones((8, 8), np.float32)
lc.matmul2d(a, a); lc.api.add(a, a); lc.backend_name(); lc.runtime_sync_apply("always")
print("vulkan" in open("/proc/self/maps").read())
"""
    assert in_a_process(code).strip() == "False"


@pytest.mark.skipif(sys.platform == "darwin", reason="Vulkan is not built there")
def test_an_adapter_that_is_not_there_is_told():
    code = """
import lightning_core as lc, numpy as np, warnings
a = np.ones(8, np.float32)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    lc.api.add(a, a, policy=lc.Policy(device="vulkan"))
print(seen[0].message)
try:
    lc.api.add(a, a, policy=lc.Policy(device="vulkan", fallback="deny"))
except lc.NotSupportedError as error:
    print(error)
table = lc.runtime_backend_capabilities("vulkan")
print(table["built"], table["available"], table["reason"])
"""
    out = in_a_process(code, LC_VULKAN_ADAPTER="no such adapter").splitlines()
    assert len(out) == 3 and all("no such adapter" in line for line in out), out
    assert out[2].startswith("True False")
