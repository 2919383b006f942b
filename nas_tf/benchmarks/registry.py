"""The benchmarks that `--benchmark` knows, one line each."""

from collections.abc import Collection

from nas_tf.benchmarks.benchmark import BenchmarkRecipe
from nas_tf.benchmarks.embedded_digits import Digits
from nas_tf.benchmarks.macro_files import Macro
from nas_tf.benchmarks.nasbench101_files import NasBench101
from nas_tf.benchmarks.nasbench201_files import NasBench201
from nas_tf.benchmarks.trained_networks import Trained
from nas_tf.config import Component, by_name, flag_of, settings_of

BENCHMARKS: tuple[type[BenchmarkRecipe], ...] = (
    Digits,
    NasBench101,
    NasBench201,
    Macro,
    Trained,
)
NAMES = tuple(benchmark.name for benchmark in BENCHMARKS)
# Of all benchmarks, with what they are made of.
COMPONENTS: tuple[type[Component], ...] = tuple(
    component for benchmark in BENCHMARKS for component in (benchmark, *benchmark.parts.values())
)


def named(name: str) -> type[BenchmarkRecipe]:
    """Returns the recipe of a word of `--benchmark`.

    Raises:
        ConfigError: it is none.
    """
    return by_name(BENCHMARKS, name, "benchmark")


def of_space(space: str, given: Collection[str]) -> type[BenchmarkRecipe] | None:
    """Returns the recipe that follows from a space and the flags that were given.

    Args:
        space: name of the space.
        given: names of flags.

    Returns:
        the recipe that one of the flags chooses, else that which needs none; None where nothing
        measures the space.
    """
    fitting = [one for one in BENCHMARKS if space in one.spaces and one.follows]
    chosen = [benchmark for benchmark in fitting if _chosen(benchmark, given)]
    return next(iter([*chosen, *fitting]), None)


def _chosen(benchmark: type[BenchmarkRecipe], given: Collection[str]) -> bool:
    fields = [field for field in settings_of(benchmark) if field.name in benchmark.chosen_by]
    return any(flag_of(benchmark, field) in given for field in fields)
