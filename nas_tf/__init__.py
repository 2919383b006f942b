"""nas_tf: neural architecture search for TensorFlow and Keras 3.

    import nas_tf

    digits = nas_tf.benchmarks.digits()
    study = nas_tf.search(digits, nas_tf.RandomSearch(), num_runs=500, num_queries=150)
    study.plot().savefig("regret.png")

Nothing is imported before it is asked for.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_MODULES = ("benchmarks", "spaces")
_API = "nas_tf.api"
_HOMES = {
    "pretrain": _API,
    "search": _API,
    "compare": _API,
    "load": _API,
    "architecture": "nas_tf.studies.architectures",
    "Encoder": _API,
    "Study": _API,
    "Comparison": _API,
    "build": _API,
    "parameters": _API,
    "multiply_adds": _API,
    "train": _API,
    "predict": _API,
    "export": _API,
    "TrainedNetwork": _API,
    "Predictions": _API,
    "Pretraining": "nas_tf.studies.pretraining",
    "Training": "nas_tf.training.settings",
    "Data": "nas_tf.datasets.settings",
    "Network": "nas_tf.networks.settings",
    "Strategy": "nas_tf.strategies.strategy",
    "Needs": "nas_tf.strategies.strategy",
    "SearchSpace": "nas_tf.spaces.space",
    "ChoiceSpace": "nas_tf.spaces.choices",
    "NasError": "nas_tf.core",
    "InvalidArchitectureError": "nas_tf.core",
}  # recipes of strategies are named by their registry


def _recipes() -> dict[str, type]:
    """Returns the recipes of strategies by their names in Python."""
    registry = importlib.import_module("nas_tf.strategies.registry")
    return {recipe.__name__: recipe for recipe in registry.STRATEGIES}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for."""
    if name in _MODULES:
        return importlib.import_module(f"nas_tf.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif not name[:1].isupper() or name not in _recipes():  # a module of ours may be half imported
        raise AttributeError(f"module 'nas_tf' has no attribute {name!r}")
    else:
        value = _recipes()[name]
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(["__version__", *_MODULES, *_HOMES, *_recipes()])
