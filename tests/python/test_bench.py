"""The bench harness: statistics, checks, reports. No test here asserts a time."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightning_core.bench import (
    cases,
    cli,
    environ,
    fusion,
    machine,
    ours,
    page,
    peers,
    plots,
    report,
    runner,
    scaling,
    suites,
    timing,
)
from lightning_core.bench.peers import Peer
from lightning_core.bench.timing import Candidate

COLUMNS = [c for c in peers.COLUMNS if c != "torch_mps"]
# So high that no measured time is near them.
FREE = machine.Limits(1, 1e18, "test", ((1, 1e18),), "test", 1.08)
ABOUT = {
    "generated_at": "", "date": "", "processor": "p", "system": "s", "cpus": 2, "threads": 1, "seconds_per_row": 1.0,
    "versions": {}, "peers": {"numpy": "numpy"}, "missing": {"mkl": "ImportError"}, "removed_variables": {},
    "own_variables": {}, "limits": FREE.as_dict(),
}  # fmt: skip


def numpy_peer() -> Peer:
    return peers.load(["numpy"], 1, False)[0][0]


def tiny_row(case: Any = lambda: cases.add(8), form: str = ours.INTO) -> suites.Row:
    return suites.Row("suite", "bench", "shape", suites.ONE_SHOT, form, case)


def run(row: suites.Row, found: list[Peer] | None = None, limits: machine.Limits = FREE) -> runner.Result:
    return runner.run_row(row, [numpy_peer()] if found is None else found, limits, 0.02, "auto")


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "rest_until_quiet", lambda longest: None)


class TestStatistics:
    def test_median_and_percentiles(self) -> None:
        s = timing.stats([5.0, 1.0, 2.0, 4.0, 3.0])
        assert (s.median, s.n) == (3.0, 5)
        assert (s.p10, s.p90) == (pytest.approx(1.4), pytest.approx(4.6))

    def test_no_samples(self) -> None:
        with pytest.raises(ValueError):
            timing.stats([])

    def test_candidates_take_turns(self) -> None:
        order: list[str] = []
        made = [Candidate(n, "", "f(n)", {"f": order.append, "n": n}) for n in "ab"]
        timing.interleave(made, 0.01)
        for c in made:
            assert len(c.rounds) >= timing.MIN_ROUNDS and len(c.samples) >= timing.MIN_ROUNDS
        turns = [n for i, n in enumerate(order) if i == 0 or order[i - 1] != n]
        # A slice of one is between slices of the other, or beside its own where the order rotates.
        assert len(turns) >= timing.MIN_ROUNDS

    def test_short_calls_share_a_sample(self) -> None:
        c = Candidate("a", "", "f()", {"f": lambda: None})
        timing.interleave([c], 0.01)
        assert c.calls > 10

    def test_a_candidate_that_raises_is_marked(self) -> None:
        class Panic(BaseException):
            pass

        def bad() -> None:
            raise Panic("first line\nsecond line")

        good, failing = Candidate("a", "", "f()", {"f": lambda: 1}), Candidate("b", "", "f()", {"f": bad})
        timing.interleave([good, failing], 0.01)
        assert failing.error == "Panic: first line" and not failing.samples and good.samples and good.last == 1

    def test_interrupt_is_not_a_result(self) -> None:
        def stop() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            timing.interleave([Candidate("a", "", "f()", {"f": stop})], 0.01)


SMALL = [
    cases.matmul(5, 7, 3), cases.attention(6, 4), cases.attention(6, 4, True), cases.conv_relu(2, 3, 5, 6, 4),
    cases.conv_attention(9, 8), cases.linear(4, 5, 3), cases.ffn(4, 5, 6, "gelu"), cases.ffn(4, 5, 6, "relu"),
    cases.ln_proj(4, 6, 3), cases.sub(3, 4), cases.add(9),
]  # fmt: skip


class TestCases:
    @pytest.mark.parametrize("case", SMALL, ids=lambda c: c.op)
    @pytest.mark.parametrize("form", [ours.INTO, ours.NEW])
    def test_our_calls_compute_the_case(self, case: cases.Case, form: str) -> None:
        c = ours.candidate(case, form, "cpu")
        assert c is not None
        if c.poison is not None:
            c.poison()
        c.sample(2)
        assert case.error_of(c.read(c.last)) <= case.tolerance
        assert ours.receipt()["device"] == "cpu"

    @pytest.mark.parametrize("case", SMALL, ids=lambda c: c.op)
    def test_numpy_computes_the_case(self, case: cases.Case) -> None:
        for c in numpy_peer().candidates(case, False):
            c.sample(1)
            assert case.error_of(c.read(c.last)) <= case.tolerance, c.label

    def test_tolerance_tells_reduced_precision(self) -> None:
        case = cases.matmul(64, 512, 64)
        half = {n: a.astype(np.float16).astype(np.float64) for n, a in case.arrays.items()}
        assert case.error_of((half["a"] @ half["b"]).astype(np.float32)) > case.tolerance
        exact = case.arrays["a"] @ case.arrays["b"]
        assert case.error_of(exact) <= case.tolerance

    def test_nan_shape_and_dtype_are_wrong(self) -> None:
        case = cases.add(4)
        right = case.reference.astype(np.float32)
        assert case.error_of(right) == 0
        for wrong in (right[:3], right.astype(np.float64), np.full(4, np.nan, np.float32)):
            assert math.isinf(case.error_of(wrong))


FUSED = {
    "chain": cases.chain(9, 33), "gate": cases.gate(7, 40), "long_chain": cases.long_chain(9, 33),
    "conv_bias_relu": cases.conv_bias_relu(2, 3, 6, 6, 4), "attention": cases.masked_attention(40, 8),
    "matmul_bias_gelu": cases.matmul_bias_gelu(5, 7, 6), "ffn": cases.ffn(4, 5, 6, "gelu"),
    "ln_proj": cases.ln_proj(4, 6, 3), "conv_attention": cases.conv_attention(9, 8),
}  # fmt: skip
LAUNCHES = {"long_chain": 6, "attention": 5, "ln_proj": 2}


class TestFusion:
    @pytest.mark.parametrize("name", FUSED)
    @pytest.mark.parametrize("form", fusion.FORMS)
    @pytest.mark.parametrize("device", ["auto", "cpu"])
    def test_all_three_ways_compute_the_case(self, name: str, form: str, device: str) -> None:
        case = FUSED[name]
        made = fusion.candidates(case, form, device)
        for c in made:
            c.sample(2)
            assert case.error_of(c.read(c.last)) <= case.tolerance, c.label
        packs = 1 if name == "conv_attention" else 0
        eager = LAUNCHES.get(name, 3)
        counts = fusion.launches(made)
        assert counts == {ours.COLUMN: 1, fusion.UNFUSED: eager + packs, fusion.EAGER: eager}

    def test_every_row_has_its_functions(self) -> None:
        rows = suites.rows("fusion")
        assert {row.bench for row in rows} == set(FUSED)
        assert {row.form for row in rows} == set(fusion.FORMS)
        assert all((row.form == fusion.CONSTANTS) == (row.residency == suites.RESIDENT) for row in rows)

    def test_a_row_has_launches_and_both_ratios(self, tmp_path: Path) -> None:
        result = run(suites.Row("fusion", "chain", "s", suites.ONE_SHOT, fusion.GRAPH, lambda: cases.chain(9, 33)))
        assert not result.failures and result.launches[ours.COLUMN] == 1
        cells = runner.row_dict(result, fusion.COLUMNS)
        assert cells["lightning_core_launches"] == 1 and cells["lc_eager_launches"] == 3
        assert cells["speedup_lc_unfused_over_lc"] > 0 and cells["speedup_lc_eager_over_lc"] > 0
        assert "launches: chain s" in report.table([result])
        report.write_csv(tmp_path / "r.csv", [result], fusion.COLUMNS)
        assert "lc_unfused_ms" in (tmp_path / "r.csv").read_text()


class TestScaling:
    def test_slices_alternate_between_all_threads_and_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_to: list[int] = []
        monkeypatch.setattr(ours, "set_threads", set_to.append)
        row = tiny_row(lambda: cases.matmul(5, 7, 3), scaling.FORM)
        limits = machine.Limits(3, 1e18, "test", ((1, 1e18),), "test", 1.08)
        result = run(row, limits=limits)
        assert not result.failures and result.ours is not None and result.ours.counts
        peer = result.fastest()
        assert peer is not None and peer.peer == scaling.ONE_THREAD
        assert set(set_to) == {1, 3} and set_to[-1] == 3
        assert set_to.count(1) >= timing.MIN_ROUNDS and set_to.count(3) >= timing.MIN_ROUNDS
        cells = runner.row_dict(result, scaling.COLUMNS)
        assert cells["speedup_lc_one_thread_over_lc"] > 0 and cells["verified"] is True

    def test_one_thread_ends_with_a_failure_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_to: list[int] = []
        monkeypatch.setattr(ours, "set_threads", set_to.append)
        monkeypatch.setattr(runner, "interleave", lambda *_: None)
        limits = machine.Limits(3, 1e18, "test", ((1, 1e18),), "test", 1.08)
        result = run(tiny_row(lambda: cases.matmul(5, 7, 3), scaling.FORM), limits=limits)
        assert result.failures == ["no samples"] and set_to == [3, 3]


class TestChecks:
    def test_a_wrong_output_of_ours_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def wrong(case: cases.Case, form: str, device: str) -> Candidate:
            return Candidate(ours.COLUMN, form, "a", {"a": np.zeros(8, np.float32)})

        monkeypatch.setattr(ours, "candidate", wrong)
        result = run(tiny_row())
        assert "wrong output" in result.failures[0] and result.speedup is None
        cells = runner.row_dict(result, COLUMNS)
        assert cells["lightning_core_ms"] is None and cells["verified"] is False

    def test_memory_left_from_before_is_wrong(self, monkeypatch: pytest.MonkeyPatch) -> None:
        out = np.zeros(8, np.float32)

        def lazy(case: cases.Case, form: str, device: str) -> Candidate:
            out[:] = case.reference
            return Candidate(
                ours.COLUMN, form, "None", {}, read=lambda _: out, poison=lambda: out.fill(np.nan)
            )

        monkeypatch.setattr(ours, "candidate", lazy)
        assert "wrong output" in run(tiny_row()).failures[0]

    def test_a_wrong_peer_is_left_out(self) -> None:
        def wrong(case: cases.Case, resident: bool) -> list[Candidate]:
            return [Candidate("mkl", "form", "a", {"a": np.zeros(8, np.float32)})]

        result = run(tiny_row(), [Peer("mkl", ("mkl",), wrong, "")])
        assert not result.failures and "left out" in result.notes[0]
        assert result.fastest() is None and runner.row_dict(result, COLUMNS)["mkl_ms"] is None

    def test_a_time_above_the_roofline_fails(self) -> None:
        slow = machine.Limits(1, 1.0, "test", ((1, 1e18),), "test", 1.08)
        result = run(tiny_row(), limits=slow)
        assert any("above the compute limit" in f for f in result.failures)
        slow = machine.Limits(1, 1e18, "test", ((1, 1.0),), "test", 1.08)
        assert any("above the memory limit" in f for f in run(tiny_row(), limits=slow).failures)

    def test_memory_is_measured_again_before_a_time_counts_as_impossible(self) -> None:
        asked: list[int] = []

        def rate(size: int, now: float) -> float:
            asked.append(size)
            return now

        still = machine.Limits(1, 1e18, "test", ((1, 1.0),), "test", 1.08, lambda size: rate(size, 1.5))
        assert any("above the memory limit" in f for f in run(tiny_row(), limits=still).failures)
        faster = machine.Limits(1, 1e18, "test", ((1, 1.0),), "test", 1.08, lambda size: rate(size, 1e18))
        result = run(tiny_row(), limits=faster)
        assert not result.failures and "measured again" in result.notes[0] and asked == [1, 1]

    def test_a_peer_that_cannot_is_blank(self) -> None:
        def cannot(case: cases.Case, resident: bool) -> list[Candidate]:
            raise RuntimeError("no such op")

        result = run(tiny_row(), [Peer("jax", ("jax",), cannot, "")])
        assert not result.failures and result.notes == ["jax: RuntimeError: no such op"]

    def test_bandwidth_is_that_of_the_level_that_holds_the_data(self) -> None:
        limits = machine.Limits(1, 1.0, "", ((100, 8.0), (1000, 4.0), (10000, 2.0)), "", 1.08)
        assert [limits.bandwidth_for(n) for n in (50, 100, 999, 5000, 10**6)] == [8.0, 8.0, 4.0, 4.0, 2.0]

    def test_noise_in_the_curve_never_lowers_a_limit(self) -> None:
        assert machine._falling(((1, 5.0), (2, 7.0), (3, 2.0))) == ((1, 7.0), (2, 7.0), (3, 2.0))


class TestSuites:
    def test_every_row_has_a_case_and_a_label_of_its_own(self) -> None:
        for name in suites.NAMES:
            labels = [row.suite + row.label for row in suites.rows(name)]
            assert labels and len(set(labels)) == len(labels)

    def test_published_rows_are_there(self) -> None:
        def shapes(suite: str, bench: str) -> list[str]:
            return list(dict.fromkeys(r.shape for r in suites.rows(suite) if r.bench == bench))

        assert shapes("quick", "matmul") == [f"m={n},k={n},n={n}" for n in (256, 1024, 2048)]
        assert shapes("quick", "attention2d") == ["seq=8,head_dim=16", "seq=96,head_dim=48", "seq=256,head_dim=64"]
        assert shapes("kernel", "attention2d")[:3] == ["seq=8,head_dim=16", "seq=8,head_dim=32", "seq=12,head_dim=12"]
        sides = [(1, 16), (1, 24), (2, 16), (1, 28)]
        assert shapes("kernel", "conv2d_relu") == [f"batch={n},in_ch=3,h={s},w={s},out_ch=16,k=3" for n, s in sides]
        # After the published ones come two whose maps do not repeat.
        published = [f"seq={s},head_dim={d}" for s, d in ((48, 48), (192, 48), (192, 8), (96, 48))]
        assert shapes("pipeline", "conv_attention")[:4] == published and len(shapes("pipeline", "ln_proj")) == 2
        assert shapes("ml", "feature_scaling_vector_add") == [f"n={n}" for n in (65536, 262144, 1048576, 4194304)]
        assert len(shapes("ml", "linear_classifier_inference")) == len(shapes("ml", "matrix_preprocessing_sub")) == 3
        assert "m=4096,k=1024,n=4096" in shapes("gemm", "matmul")
        assert "n=8" in shapes("overhead", "vector_add")

    def test_list(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["all", "--list"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == len(suites.rows("all"))


class TestEnvironment:
    def test_limiting_variables_are_found(self) -> None:
        found = environ.handicaps({"OPENBLAS_CORETYPE": "Haswell", "PATH": "/bin", "OMP_NUM_THREADS": "1", "LC_X": "1"})
        assert found == {"OMP_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell"}

    def test_the_restart_drops_them_and_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
        started: dict[str, str] = {}

        def execve(path: str, arguments: list[str], environment: dict[str, str]) -> None:
            started.update(environment)
            raise SystemExit

        monkeypatch.setattr("os.execve", execve)
        with pytest.raises(SystemExit):
            environ.clean_restart(["quick"], 3)
        assert "OPENBLAS_CORETYPE" not in started and started["OMP_NUM_THREADS"] == "3"
        monkeypatch.setenv("LC_BENCH_STARTED_WITHOUT", started["LC_BENCH_STARTED_WITHOUT"])
        assert environ.clean_restart(["quick"], 3)["OPENBLAS_CORETYPE"] == "Haswell"

    def test_disturbance(self, monkeypatch: pytest.MonkeyPatch) -> None:
        readings = iter([(10.0, 1.0, 4.0), (16.0, 1.5, 8.0), (0.0, 0.0, 0.0)])
        monkeypatch.setattr(environ.Disturbance, "_read", staticmethod(lambda: next(readings)))
        expected = "others used 0.50 processors during the run, the hypervisor took 0.12"
        assert environ.Disturbance().text(4.0) == expected
        monkeypatch.setattr(environ.Disturbance, "_read", staticmethod(lambda: None))
        assert environ.Disturbance().text(1.0) is None

    def test_a_missing_peer_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        found, missing = peers.load(["numpy", "onnxruntime"], 1, False)
        assert [p.name for p in found] == ["numpy"] and "onnxruntime" in missing


class TestReports:
    def test_csv(self, tmp_path: Path) -> None:
        path = tmp_path / "r.csv"
        report.write_csv(path, [run(tiny_row())], COLUMNS)
        with path.open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0])[:3] == ["suite", "bench", "shape"]
        for column in COLUMNS:
            assert f"{column}_ms" in rows[0] and f"speedup_{column}_over_lc" in rows[0]
        assert "torch_mps_ms" not in rows[0]
        assert rows[0]["device"] == "cpu" and rows[0]["kernel"] and rows[0]["verified"] == "True"
        assert rows[0]["mkl_ms"] == "" and float(rows[0]["numpy_ms"]) > 0
        ratio = float(rows[0]["numpy_ms"]) / float(rows[0]["lightning_core_ms"])
        assert float(rows[0]["speedup_numpy_over_lc"]) == pytest.approx(ratio)

    def test_json(self, tmp_path: Path) -> None:
        path = tmp_path / "r.json"
        report.write_json(path, [run(tiny_row())], COLUMNS, ABOUT)
        read = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(name))
        assert read["summary"]["rows"] == 1 and read["rows"][0]["mkl_ms"] is None
        named = {(c["peer"], c["form"]) for c in read["rows"][0]["candidates"]}
        assert {("lightning_core", "out="), ("numpy", "array"), ("numpy", "out=")} <= named
        assert all(c["p10_ms"] <= c["median_ms"] <= c["p90_ms"] for c in read["rows"][0]["candidates"])

    def test_the_page_needs_nothing_else(self) -> None:
        text = page.html([run(tiny_row())], ABOUT)
        assert "<svg" in text and "numpy" in text
        for outside in ("http:", "https:", "src=", "<script", "@import", "url("):
            assert outside not in text

    def test_one_picture_has_every_suite(self, tmp_path: Path) -> None:
        pytest.importorskip("matplotlib")
        results = [run(tiny_row()), run(tiny_row(), [])]
        results.append(run(suites.Row("other", "bench", "shape", suites.ONE_SHOT, ours.INTO, lambda: cases.add(8))))
        path = plots.write(tmp_path / "all.png", results, ABOUT)
        assert path.read_bytes()[:4] == b"\x89PNG"
        headings, places, bottom = plots._places(results)
        assert [name for name, _ in headings] == ["suite", "other"]
        assert sorted(places) == places and len(places) == len(results) and bottom > places[-1]

    def test_the_readme_shows_pictures_that_a_run_writes(self, tmp_path: Path) -> None:
        pytest.importorskip("matplotlib")
        fused = suites.Row("fusion", "chain", "s", suites.ONE_SHOT, fusion.GRAPH, lambda: cases.chain(9, 33))
        written = plots.write_readme(tmp_path, [run(tiny_row()), run(fused)], ABOUT)
        readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
        for path in written:
            assert path.read_bytes()[:4] == b"\x89PNG" and f"(docs/images/{path.name})" in readme

    def test_durations(self) -> None:
        given = [5e-9, 1.234e-6, 0.0123, 2.0, None]
        assert [report.duration(s) for s in given] == ["5 ns", "1.23 us", "12.3 ms", "2 s", "-"]


class TestCommand:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(environ, "clean_restart", lambda given, threads: {"OMP_NUM_THREADS": "1"})
        monkeypatch.setattr(machine, "measure", lambda threads: FREE)

    ARGUMENTS = ("overhead", "--rows", "vector_add n=8", "--peers", "numpy", "--seconds", "0.02", "--threads", "1")

    def test_writes_what_it_says(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "new" / "folder"
        assert cli.main([*self.ARGUMENTS, "--out", str(out), "--csv", "--json", "--html"]) == 0
        names = sorted(path.name for path in out.iterdir())
        assert names == ["api_overhead_bench.csv", "api_overhead_bench.html", "api_overhead_bench.json"]
        text = capsys.readouterr().out
        assert "OMP_NUM_THREADS=1" in text and "vector_add n=8" in text and "cpu" in text

    def test_a_failed_row_is_the_exit_status(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "measure", lambda threads: machine.Limits(1, 1.0, "", ((1, 1.0),), "", 1.08))
        assert cli.main(list(self.ARGUMENTS)) == 1

    @pytest.mark.parametrize(
        "arguments", [["--peers", "nonsense"], ["--rows", "nothing has this"], ["--threads", "-1"], ["--seconds", "0"]]
    )
    def test_usage_errors(self, arguments: list[str]) -> None:
        assert cli.main(["quick", *arguments]) == 2
