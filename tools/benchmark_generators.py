"""What `tools.benchmark` measures of generators of graphs, and of the pages on representations.

Accuracies of NAS-Bench-201 are invented. Every public function takes `full` and returns figures by
the names of `benchmark_figures`.
"""

import csv
import pathlib
import tempfile
import time
from typing import Any

import numpy as np
import tensorflow as tf

from nas_tf.core import Strategy
from nas_tf.graphpnas.distribution import GraphDistribution
from nas_tf.graphpnas.explorer import Exploration, Explorer
from nas_tf.graphpnas.fitting import Buffer, fit_program, fresh_adam
from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.rows import Graphs
from nas_tf.graphpnas.learning import Learning
from nas_tf.graphpnas.search import GraphSearch
from nas_tf.spaces.graph_form import RANDWIRE
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space, to_strings
from tools.benchmark_data import peak_mb, run_page
from tools.benchmark_studies import study_seconds

_QUERIES = 100
_TOGETHER = 10  # runs
_SAMPLES = 1000
_BUFFER, _DRAWN, _BATCH = 32, 8, 2  # RandWire: graphs learned from, drawn, of a step


def graphpnas_201(full: bool) -> dict[str, Any]:
    """One search, in the settings of the released code on CIFAR-100."""
    del full
    return {"graphpnas_201_sec": _search(1), "graphpnas_201_peak_mb": peak_mb(),
            "note": "60 passes over the best 10 cells after each of the last 85 queries"}


def graphpnas_201_together(full: bool) -> dict[str, Any]:
    """Ten of them side by side."""
    del full
    seconds = _search(_TOGETHER)
    return {"graphpnas_201_run_sec": seconds / _TOGETHER, "note": f"{seconds:.0f} s for ten runs"}


def sample_101(full: bool) -> dict[str, Any]:
    """A thousand graphs of NAS-Bench-101 from a generator of the paper's size."""
    del full
    generator = GraphGenerator(NasBench101Space().graph_form().description)
    graphs = GraphDistribution(generator, _weights(generator))
    first = _seconds(lambda: graphs.sample(_SAMPLES, seed=(0, 0)))
    return {"sample_101_sec": _seconds(lambda: graphs.sample(_SAMPLES, seed=(0, 1))),
            "note": f"{first:.1f} s with compiling, the first time"}


def randwire(full: bool) -> dict[str, Any]:
    """RandWire: a pass over 32 graphs of 32 nodes, and a sample of eight."""
    del full
    generator = GraphGenerator(RANDWIRE)
    weights = _weights(generator)
    edges, labels = Explorer(RANDWIRE, probability=0.3).sample(np.random.default_rng(0), _BUFFER)
    order = np.arange(_BUFFER, dtype=np.int32).reshape(1, -1, _BATCH)
    buffer = Buffer(
        Graphs(edges[None], labels[None]), np.ones((1, _BUFFER), np.float32),
        np.zeros((1, _BUFFER), np.float32), order,
    )
    fit = fit_program(generator, 1e-3, 1.0)

    def learn(steps: int) -> None:
        fit(weights, fresh_adam(weights), buffer, tf.constant(steps))[2].numpy()

    compiling = _seconds(lambda: learn(0))
    graphs = GraphDistribution(generator, weights)
    graphs.sample(_DRAWN, seed=(0, 0))
    return {
        "randwire_pass_sec": _seconds(lambda: learn(_BUFFER // _BATCH)),
        "randwire_sample_sec": _seconds(lambda: graphs.sample(_DRAWN, seed=(0, 1))),
        "randwire_peak_mb": peak_mb(),
        "note": f"compiling takes {compiling:.0f} s more",
    }


def page_201(full: bool) -> dict[str, Any]:
    """The page on NAS-Bench-201's representation, on invented accuracies."""
    del full
    with tempfile.TemporaryDirectory() as directory:
        table = pathlib.Path(directory) / "invented.csv"
        _write_table(table)
        seconds = run_page("configs/analyze_nb201.flags", f"--nasbench201_table={table}")
    return {"page_201_sec": seconds, "note": "invented accuracies, pre-training included"}


def page_101(full: bool) -> dict[str, Any]:
    """The page on NAS-Bench-101's representation, with the embedded table."""
    del full
    return {"page_101_sec": run_page("configs/analyze_nb101.flags")}


def page_darts(full: bool) -> dict[str, Any]:
    """The page on the representation of the DARTS space."""
    del full
    return {"page_darts_sec": run_page("configs/analyze_darts.flags")}


def _search(runs: int) -> float:
    form = NasBench201Space().graph_form()
    generator = GraphGenerator(form.description, hidden=24)

    def make(seeds: range) -> Strategy:
        return GraphSearch(
            NasBench201Space().enumerate_cells(), form, generator, seeds=seeds,
            learning=Learning(objective="rank", keep_top=10, epochs=60, period=1, restart=True),
            explorer=Explorer(form.description, probability=1.0),
            exploration=Exploration("step", steps=15),
        )

    return study_seconds(make, runs, _QUERIES)


def _weights(generator: GraphGenerator) -> dict[str, np.ndarray]:
    drawn = generator.initial_weights(np.random.default_rng(0))
    return {name: value[None] for name, value in drawn.items()}


def _seconds(work) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _write_table(path: pathlib.Path) -> None:
    strings = to_strings(NasBench201Space().enumerate_cells())
    accuracy = np.random.default_rng(0).uniform(10, 94, (len(strings), 4)).round(3)
    names = [f"cifar10_{kind}_acc_{epochs}ep" for kind in ("valid", "test") for epochs in (12, 200)]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["arch_str", *names])
        writer.writerows([string, *row] for string, row in zip(strings, accuracy.tolist()))
