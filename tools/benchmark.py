"""Measures every speed and memory figure the project promises.

    python -m tools.benchmark                                  # all of them, about ten minutes
    python -m tools.benchmark --only=enumerate,quality --json=figures.json
    python -m tools.benchmark --full                           # larger, and the test suite as well

Every item (`benchmark_figures.ITEMS`) runs in a process of its own, so that its peak memory is its
own. What is expensive to make, such as a full-size record file of invented metrics, is kept under
`benchmark/` in the cache directory.
"""

import argparse
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
from tools.benchmark_figures import ITEMS, Figure, Item

_VERSIONS = ("nas_tf", "tensorflow", "keras", "numpy")
_HEADER = ("figure", "measured", "limit", "target", "peer", "better", "")


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


def rows_of(item: Item, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns one row for every figure of an item.

    Args:
        item: what was measured.
        values: what it returned; "note" is remarks, `<figure>_peer` a peer measured.
    """
    return [row_of(item, figure, values) for figure in item.figures]


def row_of(item: Item, figure: Figure, values: dict[str, Any]) -> dict[str, Any]:
    """Returns everything the table and the JSON say of one figure."""
    value = values.get(figure.name)
    value = math.nan if value is None else float(value)
    peer = values.get(f"{figure.name}_peer", figure.peer)
    return {
        "item": item.name,
        "figure": figure.name,
        "text": figure.text,
        "unit": figure.unit,
        "value": value,
        "limit": figure.limit,
        "target": figure.target,
        "peer": peer,
        "peer_name": figure.peer_name,
        "times_better": figure.times_better(value, peer),
        "verdict": figure.verdict(value),
        "note": values.get("note", ""),
    }


def format_table(rows: list[dict[str, Any]]) -> str:
    """Returns the rows as a Markdown table, its columns aligned, with the notes below."""
    lines = [list(_HEADER), *(_cells(row) for row in rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(_HEADER))]
    lines.insert(1, ["-" * width for width in widths])
    table = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
             for line in lines]
    notes = dict.fromkeys(f"{row['item']}: {row['note']}" for row in rows if row["note"])
    return "\n".join([*table, "", *notes]).rstrip() + "\n"


def _cells(row: dict[str, Any]) -> list[str]:
    unit, better = row["unit"], row["times_better"]
    peer = format_value(row["peer"], unit)
    return [
        row["text"],
        format_value(row["value"], unit),
        format_value(row["limit"], unit),
        format_value(row["target"], unit),
        f"{peer} ({row['peer_name']})" if peer else "",
        "" if better is None else f"{better:.3g} x" if better < 100 else f"{better:,.0f} x",
        row["verdict"],
    ]


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
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


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


def run_items(items: list[Item], full: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """Measures items one after the other, with a line on each; returns rows and failures."""
    rows, failures = [], []
    for number, item in enumerate(items, 1):
        print(f"[{number}/{len(items)}] {item.name} ...", end=" ", file=sys.stderr, flush=True)
        started = time.monotonic()
        try:
            values = measure(item, full)
        except RuntimeError as error:
            values = {"note": f"failed, {error}"}
            failures.append(f"{item.name}: {error}")
        rows += rows_of(item, values)
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return rows, failures


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    names = ",".join(item.name for item in ITEMS)
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--only", default="", metavar="NAME,...", help=f"some of {names}")
    parser.add_argument("--json", metavar="PATH", help="write the figures here as well")
    parser.add_argument("--full", action="store_true", help="full sizes, and the test suite")
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
    except ValueError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    where = machine()
    rows, failures = run_items(items, options.full)
    print(format_machine(where))
    print(format_table(rows), end="")
    if options.json:
        storage.write_json(options.json, {"machine": where, "full": options.full,
                                          "figures": rows, "failures": failures})
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
