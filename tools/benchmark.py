"""Measures every speed and memory figure the project promises.

    python -m tools.benchmark                                  # all of them, about ten minutes
    python -m tools.benchmark --only=enumerate,quality --json=figures.json
    python -m tools.benchmark --full                           # larger, and the test suite as well
    python -m tools.benchmark --peers=peers.json               # beside other code, measured here

A figure of other code stands beside ours with where and when it was measured; how many times better
ours is, is said only where both come from the same processor (`benchmark_peers`).

Every item (`benchmark_figures.ITEMS`) runs in a process of its own, so that its peak memory is its
own. What is expensive to make, such as a full-size record file of invented metrics, is kept under
`benchmark/` in the cache directory.
"""

import argparse
import dataclasses
import datetime
import importlib
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
from typing import Any

from nas_tf import storage
from tools import benchmark_peers
from tools.benchmark_figures import ITEMS, Figure, Item
from tools.benchmark_peers import Peer

_VERSIONS = ("nas_tf", "tensorflow", "keras", "numpy")
_HEADER = ("figure", "measured", "limit", "target", "arithmetic", "peer", "better", "")


def measure(item: Item, full: bool) -> dict[str, Any]:
    """Runs an item's preparations and then the item, each in a fresh process.

    Args:
        item: what to measure.
        full: at its full size.

    Raises:
        RuntimeError: one of the processes failed; the message has the last line it wrote.
    """
    for function in item.prepare:
        run_alone(function, full)
    return run_alone(item.function, full)


def run_alone(function: str, full: bool) -> dict[str, Any]:
    """Calls "module:function" in a fresh process and returns what it returned."""
    with tempfile.TemporaryDirectory() as directory:
        output = pathlib.Path(directory) / "figures.json"
        command = [sys.executable, "-m", "tools.benchmark", f"--worker={function}",
                   f"--json={output}", *(["--full"] if full else [])]
        root = pathlib.Path(__file__).resolve().parent.parent
        environment = {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ}
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
            raise RuntimeError(f"{function}: exit status {done.returncode}: {lines[-1]}")
        return json.loads(output.read_text("utf-8"))


def work(function: str, output: str, full: bool) -> None:
    """Is what a fresh process does: calls the function and writes what it returns."""
    module, name = function.split(":")
    storage.write_json(output, getattr(importlib.import_module(module), name)(full=full))


def rows_of(
    item: Item, values: dict[str, Any], peers: list[Peer], where: dict[str, Any]
) -> list[dict[str, Any]]:
    """Returns one row for every figure of an item.

    Args:
        item: what was measured.
        values: what it returned; see `Item.function`.
        peers: of all figures.
        where: `machine()`.
    """
    return [row_of(item, figure, values, peers, where) for figure in item.figures]


def row_of(
    item: Item, figure: Figure, values: dict[str, Any], peers: list[Peer], where: dict[str, Any]
) -> dict[str, Any]:
    """Returns everything the table and the JSON say of one figure; arguments as in `rows_of`."""
    value = values.get(figure.name)
    value = math.nan if value is None else float(value)
    peer = _peer_of(figure, values, peers, where)
    comparable = peer is not None and peer.processor == where["processor"]
    return {
        "item": item.name,
        "figure": figure.name,
        "text": figure.text,
        "unit": figure.unit,
        "value": value,
        "limit": figure.limit,
        "target": figure.target,
        "gflops": values.get(f"{figure.name}_gflops"),
        "peak_gflops": values.get(f"{figure.name}_peak_gflops"),
        "peer": None if peer is None else dataclasses.asdict(peer),
        "times_better": figure.times_better(value, peer.value) if comparable else None,
        "verdict": figure.verdict(value),
        "note": values.get("note", ""),
    }


def _peer_of(
    figure: Figure, values: dict[str, Any], peers: list[Peer], where: dict[str, Any]
) -> Peer | None:
    """Returns the peer that the item measured itself, or else the fitting one of `peers`."""
    measured = values.get(f"{figure.name}_peer")
    if measured is None:
        return benchmark_peers.choose(figure.name, peers, where["processor"])
    return Peer(figure.name, measured, figure.unit, where["processor"], where["date"],
                f"{figure.measured_peer}, in the same run")


def format_table(rows: list[dict[str, Any]], where: dict[str, Any]) -> str:
    """Returns the rows as a Markdown table, its columns aligned, with remarks below.

    Args:
        rows: from `rows_of`.
        where: `machine()`.
    """
    lines = [list(_HEADER), *(_cells(row) for row in rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(_HEADER))]
    lines.insert(1, ["-" * width for width in widths])
    table = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
             for line in lines]
    notes = dict.fromkeys(f"{row['item']}: {row['note']}" for row in rows if row["note"])
    peers = [_remark(row, where) for row in rows if row["peer"]]
    paragraphs = ["\n".join(table), "\n".join(notes)]
    if peers:
        paragraphs.append("\n".join(["Peers:", *peers]))
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def _remark(row: dict[str, Any], where: dict[str, Any]) -> str:
    peer = Peer(**row["peer"])
    return benchmark_peers.remark(peer, format_value(peer.value, peer.unit), where)


def _cells(row: dict[str, Any]) -> list[str]:
    unit, better, peer = row["unit"], row["times_better"], row["peer"]
    return [
        row["text"],
        format_value(row["value"], unit),
        format_value(row["limit"], unit),
        format_value(row["target"], unit),
        _arithmetic(row["gflops"], row["peak_gflops"]),
        format_value(peer["value"], unit) if peer else "",
        "" if better is None else f"{better:.3g} x" if better < 100 else f"{better:,.0f} x",
        row["verdict"],
    ]


def _arithmetic(done: float | None, peak: float | None) -> str:
    """Returns what a figure amounts to, beside the matrix products that this machine does."""
    return "" if done is None else f"{done:.3g} of {peak:.3g} GFLOP/s"


def format_value(value: float | None, unit: str) -> str:
    """Returns a number with its unit, "" for None."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return "not measured"
    digits = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits}/s" if unit == "1/s" else f"{digits} {unit}"


def machine() -> dict[str, Any]:
    """Returns where and with what the figures were measured."""
    versions = {}
    for name in _VERSIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "date": datetime.date.today().isoformat(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": versions,
    }


def format_machine(where: dict[str, Any]) -> str:
    """Returns `machine()` as a line, and another if the machine was busy."""
    line = (f"{where['processor']}, {where['cores']} cores, Python {where['python']}, "
            f"TensorFlow {where['versions']['tensorflow']}, {where['date']}\n")
    if where["load_average"] > 1:
        line += (f"Load average {where['load_average']:.1f} at the start: other programs were "
                 "running, times are too long.\n")
    return line


def _processor() -> str:
    """Returns the processor's name, with the numbers that a virtual machine's name leaves out."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    pairs = (line.split(":", 1) for line in reversed(lines) if ":" in line)
    known = {name.strip(): value.strip() for name, value in pairs}  # the first processor's win
    numbers = [f"{name.removeprefix('cpu ')} {known[name]}"
               for name in ("cpu family", "model", "stepping") if name in known]
    name = known.get("model name", platform.processor())
    return f"{name} ({', '.join(numbers)})" if numbers else name


def chosen(only: str, full: bool) -> list[Item]:
    """Returns the items that the command line asks for.

    Raises:
        ValueError: `only` names an unknown one.
    """
    if not only:
        return [item for item in ITEMS if full or not item.only_full]
    by_name = {item.name: item for item in ITEMS}
    for name in only.split(","):
        if name not in by_name:
            raise ValueError(f"--only={name}: expected some of {','.join(by_name)}")
    return [by_name[name] for name in only.split(",")]


def run_items(
    items: list[Item], full: bool, peers: list[Peer], where: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Measures items one after the other, with a line on each; returns rows and failures."""
    rows, failures = [], []
    for number, item in enumerate(items, 1):
        if not item.can_run:
            print(f"[{number}/{len(items)}] {item.name}: left out, ../{item.data} is not there",
                  file=sys.stderr)
            continue
        print(f"[{number}/{len(items)}] {item.name} ...", end=" ", file=sys.stderr, flush=True)
        started = time.monotonic()
        try:
            values = measure(item, full)
        except RuntimeError as error:
            values = {"note": f"failed, {error}"}
            failures.append(f"{item.name}: {error}")
        rows += rows_of(item, values, peers, where)
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return rows, failures


def known_peers(path: str | None) -> list[Peer]:
    """Returns the peers of a file, and those on record of figures that it does not have.

    Raises:
        ValueError: the file is missing or wrong.
    """
    units = {figure.name: figure.unit for item in ITEMS for figure in item.figures}
    given = benchmark_peers.load(path, units) if path else []
    figures = {peer.figure for peer in given}
    return given + [peer for peer in benchmark_peers.RECORDED if peer.figure not in figures]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    names = ",".join(item.name for item in ITEMS)
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--only", default="", metavar="NAME,...", help=f"some of {names}")
    parser.add_argument("--json", metavar="PATH", help="write the figures here as well")
    parser.add_argument("--full", action="store_true", help="full sizes, and the test suite")
    parser.add_argument("--peers", metavar="PATH",
                        help="figures of other code measured on this machine")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; the exit status is 1 if an item could not be measured."""
    options = parse(arguments)
    if options.worker:
        work(options.worker, options.json, options.full)
        return 0
    try:
        items = chosen(options.only, options.full)
        peers = known_peers(options.peers)
    except ValueError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    where = machine()
    rows, failures = run_items(items, options.full, peers, where)
    print(format_machine(where))
    print(format_table(rows, where), end="")
    if options.json:
        storage.write_json(options.json, {"machine": where, "full": options.full,
                                          "figures": rows, "failures": failures})
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
