"""What `tools.benchmark` measures: every figure with its limit and its target.

Limits are meant for a machine of two cores. What other code reaches is in `benchmark_peers`.
"""

import dataclasses
import math
import pathlib


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number that an item measures.

    Attributes:
        name: its key in what the item returns.
        text: what it is.
        unit: "s", "MB" (10^6 bytes), "1/s", "GFLOP/s", "x" (times as fast) or "%".
        limit: the worst value allowed; None where nobody asked for one.
        target: the value hoped for.
        measured_peer: the code whose figure the item measures beside its own, and returns as
            `<name>_peer`; "" where it does not.
    """

    name: str
    text: str
    unit: str = "s"
    limit: float | None = None
    target: float | None = None
    measured_peer: str = ""

    @property
    def more_is_better(self) -> bool:
        """Whether this is a rate, not a time or a size."""
        return self.unit in ("1/s", "GFLOP/s", "x")

    def verdict(self, value: float) -> str:
        """Returns "FAILED" (not measured), "MISSED", "met", "target met", or "" without a limit."""
        if not math.isfinite(value):
            return "FAILED"
        if not self._reaches(value, self.limit):
            return "MISSED"
        if self.target is not None and self._reaches(value, self.target):
            return "target met"
        return "" if self.limit is None else "met"

    def times_better(self, value: float, peer: float | None) -> float | None:
        """Returns how many times better than the peer a value is; None without a peer."""
        if not peer or not value or not math.isfinite(value):
            return None
        return value / peer if self.more_is_better else peer / value

    def _reaches(self, value: float, bound: float | None) -> bool:
        if bound is None:
            return True
        return value >= bound if self.more_is_better else value <= bound


@dataclasses.dataclass(frozen=True)
class Item:
    """What one fresh process measures.

    Attributes:
        name: for `--only`.
        function: "module:function"; gets `full` and returns figures by name, perhaps "note", and
            of a figure `<name>_gflops` and `<name>_peak_gflops`: the arithmetic that it amounts to
            and the most that this machine does of the kind.
        figures: in the order of the table.
        prepare: functions of the same form, each run before in a process of its own.
        only_full: left out unless `--full` or `--only` asks for it.
        data: a file beside the repository that it reads; left out where this is not there.
    """

    name: str
    function: str
    figures: tuple[Figure, ...]
    prepare: tuple[str, ...] = ()
    only_full: bool = False
    data: str = ""

    @property
    def can_run(self) -> bool:
        """Whether the file it reads is there."""
        return not self.data or (_BESIDE / self.data).is_file()


_BESIDE = pathlib.Path(__file__).resolve().parents[2]
_DATA = "tools.benchmark_data:"
_TABLES = "tools.benchmark_tables:"
_LEARNING = "tools.benchmark_learning:"
_STUDIES = "tools.benchmark_studies:"
_GENERATORS = "tools.benchmark_generators:"
_TRAINING = "tools.benchmark_training:"
_RECORDS = (_DATA + "make_records",)
_ARITHMETIC = "tools.benchmark_arithmetic:"
_MODEL = (_LEARNING + "make_model",)


def _training_item(name: str, text: str) -> Item:
    """Returns the figures of training one network, beside the plainest `Model.fit`."""
    return Item(
        f"train_{name}", f"{_TRAINING}{name}",
        (
            Figure(f"train_{name}_per_sec", f"images trained on, {text}", "1/s",
                   measured_peer="the plainest Model.fit"),
            Figure(f"train_{name}_ratio", "the same beside Model.fit, median of rounds", "x",
                   limit=1.0),
            Figure(f"train_{name}_full_ratio", "with everything on", "x", limit=0.95),
            Figure(f"train_{name}_waiting", "share of a step that waits for images", "%",
                   limit=5),
            Figure(f"train_{name}_peak_mb", "peak memory with everything on", "MB",
                   measured_peer="the plainest Model.fit"),
        ),
        only_full=True,
    )


ITEMS = (
    Item(
        "enumerate", _DATA + "enumerate_space",
        (
            Figure("enumerate_sec", "423,624 cells of up to 7 vertices", limit=10, target=3),
            Figure("enumerate_peak_mb", "their peak memory", "MB", limit=1000),
            Figure("enumerate_cached_sec", "the same from the cache"),
        ),
    ),
    Item(
        "enumerate_6", _DATA + "enumerate_six",
        (Figure("enumerate_6_sec", "64,542 cells of up to 6 vertices"),),
    ),
    Item(
        "enumerate_plain", _DATA + "enumerate_plain",
        (Figure("enumerate_plain_sec", "cells of up to 5 (--full: 6) vertices",
                measured_peer="plain Python loop"),),
    ),
    Item(
        "table_first", _DATA + "read_table_first",
        (
            Figure("table_first_sec", "first read of 423,624 x 3 records", limit=20),
            Figure("table_first_peak_mb", "its peak memory", "MB", limit=1500),
        ),
        prepare=_RECORDS,
    ),
    Item(
        "table_later", _DATA + "read_table_later",
        (
            Figure("table_later_sec", "later read of the same", limit=0.5),
            Figure("table_later_peak_mb", "its peak memory", "MB"),
        ),
        prepare=(*_RECORDS, _DATA + "fill_table_cache"),
    ),
    Item(
        "hashes", _TABLES + "hashes",
        (
            Figure("hashes_sec", "official hashes of 423,624 cells", limit=10),
            Figure("hashes_cached_sec", "the same from the cache", limit=0.5),
        ),
    ),
    Item(
        "sample", _TABLES + "sample",
        (
            Figure("sample_later_sec", "later read of 10,000 cells as a CSV file", limit=0.5),
            *(
                Figure(f"sample_{name}_ratio", f"{text} there beside NAS-Bench-201, a query", "x",
                       limit=1.0)
                for name, text in (("random", "random search"), ("evolution", "evolution"),
                                   ("local_search", "local search"))
            ),
        ),
        data="shared/data/nas_bench_101/nas_bench_101_sample.csv.gz",
    ),
    Item(
        "matrix_products", _ARITHMETIC + "matrix_products",
        (
            Figure("square_gflops", "matrix product, 2,048 x 2,048", "GFLOP/s"),
            Figure("tall_224_gflops", "224 x 128 times 128 x 128 (32 cells)", "GFLOP/s"),
            Figure("tall_1792_gflops", "1,792 x 128 likewise", "GFLOP/s"),
            Figure("tall_14336_gflops", "14,336 x 128 likewise", "GFLOP/s"),
        ),
    ),
    Item(
        "pretrain", _LEARNING + "pretraining_throughput",
        (
            Figure("pretrain_graphs_per_sec", "graphs pre-trained, batch 32", "1/s", limit=5000,
                   target=7500),
            Figure("pretrain_peak_mb", "peak memory of it", "MB"),
        ),
    ),
    Item(
        "quality", _LEARNING + "prior_check",
        (
            Figure("quality_sec", "validity and uniqueness of 10,000 samples", limit=0.3),
            Figure("quality_first_sec", "the first such check of a process"),
        ),
        prepare=_MODEL,
    ),
    Item(
        "reinforce_embedded", _LEARNING + "search_embedded",
        (
            Figure("reinforce_embedded_sec", "REINFORCE, 500 runs x 150 queries, embedded table",
                   limit=10),
            Figure("reinforce_embedded_peak_mb", "its peak memory", "MB"),
        ),
        prepare=_MODEL,
    ),
    Item(
        "reinforce_201", _STUDIES + "reinforce_201",
        (
            Figure("reinforce_201_sec", "REINFORCE, 500 runs x 150 queries, NAS-Bench-201",
                   limit=30, target=15),
            Figure("reinforce_201_run_sec", "the same, one run's share"),
            Figure("reinforce_201_peak_mb", "its peak memory", "MB", limit=8000),
        ),
    ),
    Item(
        "bayesian_201", _STUDIES + "bayesian_201",
        (
            Figure("bayesian_201_sec", "arch2vec-BO, the same (scaled from 40 runs)",
                   limit=1800, target=900),
            Figure("bayesian_201_run_sec", "the same, one run's share"),
            Figure("bayesian_201_peak_mb", "its peak memory", "MB", limit=8000),
        ),
    ),
    Item(
        "bananas_201", _STUDIES + "bananas_201",
        (Figure("bananas_201_sec", "BANANAS, the same (scaled from 40 runs)"),),
    ),
    Item(
        "gaussian_process_201", _STUDIES + "gaussian_process_201",
        (
            Figure("gaussian_process_201_sec", "Gaussian process, 500 runs x 150 queries, "
                   "NAS-Bench-201", limit=120),
            Figure("gaussian_process_201_peak_mb", "its peak memory", "MB", limit=3000),
        ),
    ),
    Item(
        "gaussian_process_101", _STUDIES + "gaussian_process_101",
        (
            Figure("gaussian_process_101_describe_sec", "features of 423,624 cells"),
            Figure("gaussian_process_101_query_sec", "Gaussian process, a query over them, two runs "
                   "side by side", limit=0.5),
            Figure("gaussian_process_101_peak_mb", "its peak memory", "MB", limit=3000),
        ),
    ),
    Item(
        "gaussian_process_darts", _STUDIES + "gaussian_process_darts",
        (
            Figure("gaussian_process_darts_describe_sec", "features of 600,000 DARTS cells"),
            Figure("gaussian_process_darts_query_sec", "Gaussian process, a query over them, two "
                   "runs side by side", limit=0.5),
            Figure("gaussian_process_darts_peak_mb", "its peak memory", "MB", limit=3000),
        ),
    ),
    Item(
        "supervised_201", _STUDIES + "supervised_201",
        (
            Figure("supervised_reinforce_201_sec", "supervised RL, the same (scaled from 16 runs)"),
            Figure("supervised_bayesian_201_sec", "supervised BO, the same (scaled from 16 runs)"),
        ),
    ),
    Item(
        "baselines_201", _STUDIES + "baselines_201",
        (
            Figure("reinforce_categorical_201_sec", "REINFORCE over decisions, the same"),
            Figure("random_201_sec", "random search, 500 x 150, NAS-Bench-201", limit=10, target=3),
            Figure("evolution_201_sec", "regularized evolution, the same", limit=10, target=3),
            Figure("local_search_201_sec", "local search, the same", limit=10, target=3),
        ),
    ),
    Item(
        "reinforce_space", _LEARNING + "search_space",
        (
            Figure("reinforce_space_sec", "REINFORCE, 500 runs x 400 queries, 423,624 cells",
                   limit=300),
            Figure("reinforce_space_peak_mb", "its peak memory", "MB"),
        ),
        prepare=_MODEL,
    ),
    Item(
        "graphpnas_201", _GENERATORS + "graphpnas_201",
        (
            Figure("graphpnas_201_sec", "GraphPNAS, 100 queries, NAS-Bench-201, one run", limit=60),
            Figure("graphpnas_201_peak_mb", "its peak memory", "MB"),
        ),
    ),
    Item(
        "graphpnas_201_together", _GENERATORS + "graphpnas_201_together",
        (Figure("graphpnas_201_run_sec", "the same, a run's share of ten together", limit=20),),
    ),
    Item(
        "sample_101", _GENERATORS + "sample_101",
        (Figure("sample_101_sec", "1,000 samples of a NAS-Bench-101 generator", limit=1),),
    ),
    Item(
        "randwire", _GENERATORS + "randwire",
        (
            Figure("randwire_pass_sec", "RandWire generator, a pass over 32 graphs"),
            Figure("randwire_sample_sec", "the same, 8 samples"),
            Figure("randwire_peak_mb", "the same, peak memory", "MB"),
        ),
    ),
    _training_item("darts", "DARTS, 8 cells of 16 channels"),
    _training_item("randwire", "RandWire base at 64 x 64"),
    _training_item("enas", "ENAS macro, 24 channels"),
    _training_item("nasbench101", "NAS-Bench-101"),
    _training_item("nasbench201", "NAS-Bench-201"),
    Item(
        "page_201", _GENERATORS + "page_201",
        (Figure("page_201_sec", "page on NAS-Bench-201's representation", limit=300),),
        only_full=True,
    ),
    Item(
        "page_101", _GENERATORS + "page_101",
        (Figure("page_101_sec", "page on NAS-Bench-101's representation", limit=1800),),
        only_full=True,
    ),
    Item(
        "page_darts", _GENERATORS + "page_darts",
        (Figure("page_darts_sec", "page on the DARTS space's representation", limit=2700),),
        only_full=True,
    ),
    Item(
        "main", _DATA + "main_command",
        (
            Figure("main_sec", "the main command, nothing cached", limit=180),
            Figure("main_peak_mb", "its peak memory", "MB"),
        ),
    ),
    Item(
        "tests", _DATA + "whole_test_suite",
        (Figure("tests_sec", "the whole test suite", limit=720),),
        only_full=True,
    ),
)
