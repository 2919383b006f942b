"""What `tools.benchmark` measures without importing TensorFlow: cells, tables, whole commands.

Every public function takes `full` and returns figures by the names of `benchmark_figures`.
"""

import hashlib
import itertools
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

from nas_tf import caching
from nas_tf.spaces import nasbench101
from nas_tf.tables.nasbench101 import EMBEDDED_FILE, NasBench101Table
from tools import make_nasbench101_records

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_RECORDS = "nasbench101_synthetic_full.tfrecord"
_SMALL_RECORDS = "nasbench101_synthetic_small.tfrecord.gz"
_MAIN_FLAGS = "configs/nb101_rl.flags"


def peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    """Returns the peak resident memory of this process, or of its children, in 10^6 bytes."""
    return resource.getrusage(who).ru_maxrss * 1024 / 1e6  # Linux counts in KiB


def benchmark_directory() -> pathlib.Path:
    """Returns the directory of what is expensive to make."""
    directory = caching.cache_directory() / "benchmark"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def enumerate_space(full: bool) -> dict[str, float]:
    """Enumerates all cells, then reads them from the cache."""
    del full
    started = time.monotonic()
    count = len(nasbench101.generate_cells(7, 9))
    seconds, peak = time.monotonic() - started, peak_mb()
    if count != 423_624:
        raise RuntimeError(f"{count} cells, expected 423624")
    nasbench101.enumerate_cells()
    started = time.monotonic()
    nasbench101.enumerate_cells()
    cached = time.monotonic() - started
    return {"enumerate_sec": seconds, "enumerate_peak_mb": peak, "enumerate_cached_sec": cached}


def enumerate_six(full: bool) -> dict[str, float]:
    """Enumerates the cells of up to six vertices."""
    del full
    started = time.monotonic()
    nasbench101.generate_cells(6, 9)
    return {"enumerate_6_sec": time.monotonic() - started}


def enumerate_plain(full: bool) -> dict[str, Any]:
    """Enumerates with the library and with a plain loop in Python."""
    size = 6 if full else 5
    started = time.monotonic()
    count = len(nasbench101.generate_cells(size, 9))
    seconds = time.monotonic() - started
    started = time.monotonic()
    found = len(plain_enumeration(size, 9))
    peer = time.monotonic() - started
    if found != count:
        raise RuntimeError(f"{count} cells, the plain loop finds {found}")
    return {"enumerate_plain_sec": seconds, "enumerate_plain_sec_peer": peer,
            "note": f"{count:,} cells of up to {size} vertices"}


def plain_enumeration(max_vertices: int, max_edges: int) -> set[str]:
    """Enumerates unique cells one graph at a time, as one would without arrays.

    Every subset of edges and every labeling is looked at; a hash that is the same for isomorphic
    graphs (labels refined by those of the neighbours, as many times as there are vertices) tells
    which were seen. The official generator does this and also checks equal hashes for isomorphism.

    Returns:
        the hashes.
    """
    seen = set()
    for size in range(2, max_vertices + 1):
        pairs = [(x, y) for y in range(size) for x in range(y)]
        for bits in range(1 << len(pairs)):
            edges = [pair for bit, pair in enumerate(pairs) if bits >> bit & 1]
            if len(edges) <= max_edges and _every_node_used(edges, size):
                for interior in itertools.product("abc", repeat=size - 2):
                    seen.add(_refined_hash(edges, ["in", *interior, "out"]))
    return seen


def _every_node_used(edges: list[tuple[int, int]], size: int) -> bool:
    sources, targets = {x for x, _ in edges}, {y for _, y in edges}
    return len(sources) == size - 1 and len(targets) == size - 1


def _refined_hash(edges: list[tuple[int, int]], labels: list[str]) -> str:
    size = len(labels)
    before = [[x for x, y in edges if y == node] for node in range(size)]
    after = [[y for x, y in edges if x == node] for node in range(size)]
    hashes = [_md5(f"{len(after[n])} {len(before[n])} {labels[n]}") for n in range(size)]
    for _ in range(size):
        hashes = [_md5(f"{sorted(hashes[x] for x in before[n])} "
                       f"{sorted(hashes[y] for y in after[n])} {hashes[n]}") for n in range(size)]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("ascii")).hexdigest()


def make_records(full: bool) -> dict[str, float]:
    """Writes the full-size record file unless it is there; some minutes, 0.5 GB."""
    del full
    path = benchmark_directory() / _RECORDS
    if not path.exists():
        make_nasbench101_records.write_file(path)
    return {}


def read_table_first(full: bool) -> dict[str, Any]:
    """Reads the record file for the first time."""
    del full
    path, columns = benchmark_directory() / _RECORDS, benchmark_directory() / "columns"
    shutil.rmtree(columns, ignore_errors=True)
    started = time.monotonic()
    table = NasBench101Table.load(path, columns)
    seconds = time.monotonic() - started
    _check_table(table)
    return {"table_first_sec": seconds, "table_first_peak_mb": peak_mb(),
            "note": f"invented metrics, {path.stat().st_size / 1e6:,.0f} MB"}


def fill_table_cache(full: bool) -> dict[str, float]:
    """Makes sure that the record file's columns are cached."""
    del full
    NasBench101Table.load(benchmark_directory() / _RECORDS, benchmark_directory() / "columns")
    return {}


def read_table_later(full: bool) -> dict[str, float]:
    """Opens the record file again."""
    del full
    started = time.monotonic()
    table = NasBench101Table.load(benchmark_directory() / _RECORDS,
                                  benchmark_directory() / "columns")
    seconds, peak = time.monotonic() - started, peak_mb()
    _check_table(table)
    return {"table_later_sec": seconds, "table_later_peak_mb": peak}


def _check_table(table: NasBench101Table) -> None:
    if table.validation_accuracy.shape != (423_624, 1, 3, 2):
        raise RuntimeError(f"the table's metrics have shape {table.validation_accuracy.shape}")
    if not np.isfinite(table.validation_accuracy).all():
        raise RuntimeError("the table has metrics that are not finite")


def main_command(full: bool) -> dict[str, Any]:
    """Runs the main command as a new user does, with an empty cache."""
    del full
    arguments, note = [], "the embedded table"
    if not (_ROOT / "nas_tf" / "data" / EMBEDDED_FILE).exists():
        arguments, note = [f"--nasbench101_records={_small_records()}"], "invented metrics"
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "NAS_TF_CACHE": f"{directory}/cache"}
        command = [sys.executable, "-m", "nas_tf.main", f"--flagfile={_MAIN_FLAGS}",
                   f"--output_dir={directory}/run", *arguments]
        seconds = _run(command, environment)
        if not (pathlib.Path(directory) / "run" / "summary.json").exists():
            raise RuntimeError("the main command left no summary.json")
    return {"main_sec": seconds, "main_peak_mb": peak_mb(resource.RUSAGE_CHILDREN),
            "note": f"{' '.join(command[1:4])}, {note}"}


def run_page(flagfile: str, *arguments: str) -> float:
    """Runs an analysis from nothing, spaces in the cache apart, and returns its seconds."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "nas_tf.main", f"--flagfile={flagfile}",
                   f"--output_dir={directory}/page", *arguments]
        seconds = _run(command, dict(os.environ))
        if not (pathlib.Path(directory) / "page" / "report.html").exists():
            raise RuntimeError(f"{flagfile} left no page")
    return seconds


def _small_records() -> pathlib.Path:
    """Returns a record file of invented metrics with the embedded table's cells and epochs."""
    path = benchmark_directory() / _SMALL_RECORDS
    if not path.exists():
        make_nasbench101_records.write_file(path, max_vertices=5, epochs=(4, 12, 36),
                                            compress=True)
    return path


def whole_test_suite(full: bool) -> dict[str, Any]:
    """Runs all tests."""
    del full
    return {"tests_sec": _run([sys.executable, "-m", "pytest", "-q"], dict(os.environ))}


def _run(command: list[str], environment: dict[str, str]) -> float:
    """Runs a command in the checkout's root and returns its seconds.

    Raises:
        RuntimeError: it failed.
    """
    started = time.monotonic()
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise RuntimeError(f"{' '.join(command[1:])}: exit status {done.returncode}: {lines}")
    return time.monotonic() - started
