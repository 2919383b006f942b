"""A benchmark of one's own: a function that measures an architecture."""

import hashlib
from collections.abc import Callable
from typing import Any

from nas_tf.benchmarks.benchmark import Benchmark
from nas_tf.core import ConfigError
from nas_tf.evaluators.function import FunctionEvaluator
from nas_tf.spaces.space import SearchSpace


def of_function(
    space: SearchSpace,
    measure: Callable[[Any], Any],
    *,
    name: str = "",
    dataset: str = "unknown",
    epochs: int = 1,
) -> Benchmark:
    """Returns a benchmark that measures cells by calling a function.

    Args:
        space: any search space.
        measure: takes what `space.to_values` makes of a cell and returns its validation accuracy in
            [0, 1], or validation and test accuracy; it raises `InvalidArchitectureError` for one
            that cannot be built.
        name: of the benchmark; the function's when empty.
        dataset: what the networks are trained on.
        epochs: how long.
    """
    if not callable(measure) or not isinstance(space, SearchSpace):
        raise ConfigError(
            f"measured({space!r}, {measure!r}): expected a search space and a function of an "
            "architecture"
        )
    name = name or getattr(measure, "__name__", "function")
    identity = space.name, space.op_names, space.max_nodes, name, dataset, epochs
    checksum = hashlib.sha256(repr(identity).encode()).hexdigest()
    return Benchmark(
        space=space,
        name=name,
        dataset=dataset,
        evaluator=lambda seeds: FunctionEvaluator(measure, space, seeds),
        epochs=(epochs,),
        report_epochs=epochs,
        cells=space.enumerate_cells() if space.has("enumerate_cells") else None,
        checksum=checksum,
        table_checksum=checksum,
    )
