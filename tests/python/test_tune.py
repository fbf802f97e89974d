"""Tuning from Python: each test in a process of its own, since the store is found once a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(code: str, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CJ_")}
    return subprocess.run(
        [sys.executable, "-c", "import lightning_core as lc, numpy as np\nfrom pathlib import Path\n" + code],
        env={**kept, "LC_CACHE_DIR": str(cache), **environment},
        cwd=cache,
        capture_output=True,
        text=True,
        check=False,
    )


def ok(code: str, cache: Path, **environment: str) -> str:
    done = run(code, cache, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_choice_is_kept_and_the_receipt_says_so(tmp_path: Path) -> None:
    ok(
        """
found = lc.tune("matmul", (48, 40), (40, 32), device="cpu", budget_ms=10)
assert found["op"] == "matmul" and found["bucket"].startswith("48x48,48x32"), found
winners = [c for c in found["candidates"] if c["won"]]
assert [w["kernel"] for w in winners] == [found["winner"]] and winners[0]["why"] == "fastest"
assert all(c["p10_ns"] <= c["median_ns"] <= c["p90_ns"] for c in found["candidates"] if c["median_ns"])
assert not any(c["rejected"] for c in found["candidates"])
a, b = np.ones((48, 40), np.float32), np.ones((40, 32), np.float32)
assert (lc.matmul2d(a, b) == 40).all()
""",
        tmp_path,
    )
    text = ok(
        """
assert len(lc.tuning.entries()) == 1
assert Path(lc.tuning.path()).is_file()
a, b = np.ones((48, 40), np.float32), np.ones((40, 32), np.float32)
c = lc.matmul2d(a, b)
print(lc.last_receipt().reason)
with lc.policy(tune="off"):
    lc.matmul2d(a, b)
print(lc.last_receipt().reason)
""",
        tmp_path,
    )
    assert text.split("\n")[:2] == ["kernel measured to be the fastest", "best available device"]


def test_a_policy_with_tune_on_measures(tmp_path: Path) -> None:
    ok(
        """
a = np.ones((30, 30), np.float32)
with lc.policy(tune="on", tune_ms=5):
    assert (lc.matmul2d(a, a) == 30).all()
assert [e["op"] for e in lc.tuning.entries()] == (["matmul"] if lc.cpu_isa() != "scalar" else [])
""",
        tmp_path,
    )


def test_export_merge_clear(tmp_path: Path) -> None:
    ok(
        """
lc.tune("softmax", (16, 64), budget_ms=5, axis=-1)
lc.tune("attention", (16, 8), (16, 8), (16, 8), None, budget_ms=5, causal=True, dtype="float64")
lc.tuning.export("shared.jsonl")
lc.tuning.clear()
assert lc.tuning.entries() == [] and not Path(lc.tuning.path()).exists()
assert lc.tuning.merge(Path("shared.jsonl")) == (2, 0)
assert sorted(e["dtype"] for e in lc.tuning.entries()) == ["float32", "float64"]
""",
        tmp_path,
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("lc.tune('matmull', (2, 2), (2, 2))", "ValueError"),
        ("lc.tune('matmul', (2, 2), (3, 2))", "ValueError"),
        ("lc.tune('matmul', (2, 2), 'x')", "TypeError"),
        ("lc.tune('matmul', (2, 0), (0, 2))", "ValueError"),
        ("lc.tune('matmul', (2, 2), (2, 2), device='gpu')", "ValueError"),
        ("lc.tune('matmul', (2, 2), (2, 2), device='cuda')", "lc.NotSupportedError"),
        ("lc.tune('matmul', (2, 2), (2, 2), dtype='int8')", "ValueError"),
        ("lc.tune('matmul', (2, 2), (2, 2), budget_ms=-1)", "ValueError"),
        ("lc.tune('matmul', (2, 2), (2, 2), colour=1)", "ValueError"),
        ("lc.tune('matmul', (2, 2), (2, 2), activation=3)", "TypeError"),
        ("lc.tuning.merge('/nowhere/at/all')", "lc.LightningError"),
    ],
)
def test_mistakes_are_typed_errors(tmp_path: Path, call: str, error: str) -> None:
    if "cuda" in call:
        probe = "import sys\nif lc.cuda_available(): sys.exit()\n"
    else:
        probe = ""
    ok(f"{probe}try:\n    {call}\nexcept {error}:\n    pass\nelse:\n    raise SystemExit('no error')", tmp_path)


def test_a_damaged_store_costs_a_warning_and_no_result(tmp_path: Path) -> None:
    (tmp_path / "tuning.v1.jsonl").write_bytes(b"\xff\xfe{}\n{\"schema\":1}\nnot a line")
    done = run("assert (lc.matmul2d(np.eye(3, dtype='f'), np.eye(3, dtype='f')) == np.eye(3)).all()", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("3 damaged or foreign lines ignored") == 1


def test_variables_of_the_original_warn_once_and_precision_switches_are_read(tmp_path: Path) -> None:
    code = "print(lc.default_policy().math)"
    variables = {"CJ_MATMUL_BATCH_FP16": "0", "CJ_ATTN_TUNE_CACHE_FILE": "x.csv", "PYTHONWARNINGS": "default"}
    done = run(code, tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "ieee_f32"
    assert done.stderr.count("DeprecationWarning: CJ_") == 2, done.stderr
    assert "Policy(math=\"ieee_f32\")" in done.stderr and "LC_CACHE_DIR" in done.stderr


def test_fusions_are_raced_when_asked_and_remembered(tmp_path: Path) -> None:
    graph = """
import json
w = np.ones((24, 16), np.float32)
layer = lc.graph(lambda x: lc.api.relu(x @ w))
x = np.ones((8, 24), np.float32)
"""
    ok(
        graph
        + """
assert (layer(x, policy=lc.Policy(tune="on", tune_ms=30)) == 24).all()
races = [e for e in lc.tuning.entries() if e["op"] == "fuse.matmul_epilogue"]
assert len(races) == 1, lc.tuning.entries()
assert {c["kernel"] for c in races[0]["candidates"]} == {"fused", "apart"}
assert all(c["median_ns"] > 0 and c["max_error"] < 1e-5 for c in races[0]["candidates"]), races
""",
        tmp_path,
    )
    ok(
        graph
        + """
assert (layer(x) == 24).all()
fusion = json.loads(layer.explain("json"))["fusions"][0]
said = fusion["times"] or fusion["refused"]
assert said.startswith("measured ") and said.endswith(" us apart"), fusion
layer(x, policy=lc.Policy(tune="off"))
fusion = json.loads(layer.explain("json"))["fusions"][0]
assert fusion["refused"] is None and fusion["times"] is None, fusion
""",
        tmp_path,
    )


def test_predictions_say_whether_they_were_measured(tmp_path: Path) -> None:
    code = """
import json
layer = lc.graph(lambda x: lc.api.softmax(x))
layer(np.ones((8, 64), np.float32))
call = json.loads(layer.explain("json"))["calls"][0]
print(call["predicted_from"], call["predicted_error"])
"""
    assert ok(code, tmp_path) == "prior None\n"
    ok('lc.tuning.fit("softmax", device="cpu", budget_ms=20)', tmp_path)
    source, error = ok(code, tmp_path).split()
    assert source == "measured" and 0 <= float(error) < 1
