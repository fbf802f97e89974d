"""The command ``python -m lightning_core.bench``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from lightning_core.bench import environ, machine, ours, page, peers, plots, report, suites
from lightning_core.bench.runner import Result, compared, run_row

FORMATS = ("csv", "json", "html", "png")


class Progress:
    """A bar on a terminal; elsewhere one line a row."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self.total, self.stream = total, stream
        self.tty = stream.isatty()
        self.done, self.name, self.shown = 0, "", 0.0
        self.start = time.monotonic()

    def begin(self, name: str) -> None:
        """The next row starts."""
        self.name = name
        self.tick(force=True)

    def tick(self, force: bool = False) -> None:
        """Something happened within the row."""
        now = time.monotonic()
        if not self.tty or (now - self.shown < 0.1 and not force):
            return
        self.shown = now
        filled = 24 * self.done // max(self.total, 1)
        bar = "#" * filled + "." * (24 - filled)
        text = f"[{bar}] {self.done}/{self.total} {now - self.start:4.0f} s  {self.name}"
        self.stream.write("\r\x1b[2K" + text[:118])
        self.stream.flush()

    def end(self, result: Result) -> None:
        """The row is done."""
        self.done += 1
        if self.tty:
            self.tick(force=True)
            if self.done == self.total:
                self.stream.write("\r\x1b[2K")
        else:
            mine = result.ours
            median = report.duration(mine.stats.median if mine is not None and mine.stats else None)
            ratio = f"{result.speedup:.2f}x" if result.speedup is not None else "-"
            self.stream.write(f"[{self.done}/{self.total}] {result.row.label}: {median}, {ratio}\n")
        self.stream.flush()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m lightning_core.bench",
        description="Times Lightning Core against the installed peers, checks every output, and holds every time "
        "against the measured limits of this machine. Ends with status 1 if an output of ours is wrong or a time is "
        "impossible.",
    )
    made.add_argument("suite", nargs="?", default="quick", choices=suites.NAMES, help="which rows (default: quick)")
    made.add_argument("--out", type=Path, metavar="DIR", help="write results to DIR: all formats, or those named")
    made.add_argument("--threads", type=int, metavar="N", help="threads on every side (default: all processors)")
    made.add_argument("--peers", metavar="A,B", help=f"which of {','.join(peers.NAMES)} (default: all installed)")
    made.add_argument("--seconds", type=float, default=2.0, metavar="S", help="time for each row, over all sides "
                      "(default: 2; rows whose calls are long take more)")  # fmt: skip
    made.add_argument("--device", default="auto", metavar="D", help="device of our side (default: auto)")
    made.add_argument("--rows", metavar="TEXT", help="only rows whose label contains TEXT")
    made.add_argument("--no-compile", action="store_true", help="leave out torch.compile, which takes some seconds a "
                      "row the first time")  # fmt: skip
    made.add_argument("--list", action="store_true", help="print the rows and end")
    for name in FORMATS:
        text = f"write {name.upper()} (to bench-results without --out)"
        made.add_argument(f"--{name}", action="store_true", help=text)
    return made


def _about(limits: machine.Limits, found: Sequence[peers.Peer], missing: dict[str, str], removed: dict[str, str],
           seconds: float) -> dict[str, Any]:  # fmt: skip
    return {
        "generated_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": environ.processor(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "cpus": environ.cpus(),
        "threads": limits.threads,
        "seconds_per_row": seconds,
        "versions": environ.versions(),
        "peers": {peer.name: peer.about for peer in found},
        "missing": missing,
        "removed_variables": removed,
        "own_variables": environ.own_variables(os.environ),
        "limits": limits.as_dict(),
    }


def _print_about(about: dict[str, Any]) -> None:
    limits = about["limits"]
    print(f"{about['processor']}, {about['threads']} of {about['cpus']} processors, {about['system']}")
    print(f"limit: {limits['gflops']:.0f} GFLOP/s float32 ({limits['gflops_source']})")
    levels = ", ".join(f"{b['gbytes_per_s']:.0f} at {b['bytes'] / 1024:.0f} KiB" for b in limits["bandwidth"])
    print(f"limit: GB/s {levels} ({limits['bandwidth_source']})")
    for text in about["peers"].values():
        print(f"peer: {text}")
    for name, why in about["missing"].items():
        print(f"peer: {name} is not here ({why})")
    for name, value in about["removed_variables"].items():
        print(f"removed from the environment, since it may limit a peer: {name}={value}")
    for name, value in about["own_variables"].items():
        print(f"kept, changes our side: {name}={value}")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(given)
    rows = [r for r in suites.rows(options.suite) if options.rows is None or options.rows in r.label]
    if options.list:
        for row in rows:
            print(f"{row.suite}: {row.label}")
        return 0
    names = peers.NAMES if options.peers is None else tuple(n for n in options.peers.split(",") if n)
    unknown = sorted(set(names) - set(peers.NAMES))
    if unknown or not rows:
        what = f"unknown peers {unknown}" if unknown else f"no row of {options.suite} contains {options.rows!r}"
        print(f"error: {what}", file=sys.stderr)
        return 2
    threads = options.threads or environ.cpus()
    if threads < 1 or options.seconds <= 0:
        print("error: --threads and --seconds must be positive", file=sys.stderr)
        return 2
    removed = environ.clean_restart(given, threads)

    ours.set_threads(threads)
    found, missing = peers.load(names, threads, not options.no_compile)
    limits = machine.measure(threads)
    about = _about(limits, found, missing, removed, options.seconds)
    _print_about(about)
    progress = Progress(len(rows), sys.stderr)
    disturbance, start = environ.Disturbance(), time.monotonic()
    results = []
    for row in rows:
        progress.begin(row.label)
        result = run_row(row, found, limits, options.seconds, options.device, progress.tick)
        progress.end(result)
        results.append(result)
    about["disturbance"] = disturbance.text(time.monotonic() - start)
    print(report.table(results))
    if about["disturbance"]:
        print(about["disturbance"])
    _write(options, results, found, about)
    failed = sum(bool(r.failures) for r in results)
    if failed:
        print(f"{failed} of {len(results)} rows failed", file=sys.stderr)
    return 1 if failed else 0


def _write(options: argparse.Namespace, results: Sequence[Result], found: Sequence[peers.Peer],
           about: dict[str, Any]) -> None:  # fmt: skip
    wanted = [name for name in FORMATS if getattr(options, name)]
    if options.out is None and not wanted:
        return
    wanted = wanted or list(FORMATS)
    folder: Path = options.out or Path("bench-results")
    folder.mkdir(parents=True, exist_ok=True)
    columns = [c for c in peers.COLUMNS if c != "torch_mps" or any("torch_mps" in p.columns for p in found)]
    written: list[Path] = []
    for suite in dict.fromkeys(r.row.suite for r in results):
        members = [r for r in results if r.row.suite == suite]
        own = {compared(r.row) for r in members}
        named = next(iter(own)) if len(own) == 1 else None
        for name in ("csv", "json"):
            if name in wanted:
                path = folder / f"{suite}.{name}"
                written.append(path)
                if name == "csv":
                    report.write_csv(path, members, named or columns)
                else:
                    report.write_json(path, members, named or columns, about)
    # One page and one picture of the whole run; runs of different suites into one folder leave each other's alone.
    page_name, picture_name = ("index", "benchmarks") if options.suite == "all" else (results[0].row.suite,) * 2
    if "html" in wanted:
        written.append(folder / f"{page_name}.html")
        written[-1].write_text(page.html(results, about), encoding="utf-8")
    if "png" in wanted:
        try:
            written.append(plots.write(folder / f"{picture_name}.png", results, about))
            if options.suite == "all":
                written += plots.write_readme(folder, results, about)
        except ImportError as error:
            print(f"no picture: {error}")
    for path in written:
        print(f"wrote {path}")
