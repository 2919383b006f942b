"""Trains networks on the real CIFAR-10 images and shows how they learn.

    python -m tools.learning_curves --images=cifar10.tar.gz --table=nas_bench_201.csv.gz

`curves` trains the published DARTS cell, a NAS-Bench-201 cell and a ResNet of like size the same
way; `ranking` trains ten NAS-Bench-201 cells, spread over the table's ranking, for a few epochs, and
compares their order with the table's. Both go on where they were killed; `page` writes the figures
and the page about what was trained. Checkpoints and results are under `learning_curves/` and
`trained/` in the cache directory.

Shapes: M cells that are compared.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
from typing import Any

import numpy as np

import nas_tf
from nas_tf import caching, core, storage
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.image_data import open_data
from nas_tf.datasets.settings import Data
from nas_tf.networks import resnet
from nas_tf.networks.settings import Network
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.tables.nasbench201 import NasBench201Table
from nas_tf.training.classification import train_classifier
from nas_tf.training.determinism import make_deterministic
from nas_tf.training.progress import Checkpoint
from nas_tf.training.settings import Training
from tools import learning_page

GOOD_CELL = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
TRAINING = Training(
    epochs=8, batch_size=64, learning_rate=0.05, warmup_epochs=1.0, clip_norm=5.0,
    weight_decay=3e-4, seed=0,
)
CURVE_IMAGES, CURVE_VALIDATION = 4_000, 1_000
RANKING = dataclasses.replace(TRAINING, epochs=4)
RANKING_IMAGES, RANKING_VALIDATION = 2_500, 1_500
NUM_CELLS = 10
SMALL = Network(channels=16, cells=1)  # around NAS-Bench-201's cells
RESNET_CHANNELS = 10

_TRAINING_IMAGES = 50_000
_PARTS = ("curves", "ranking", "page")


def images(path: str, count: int, validation: int) -> Data:
    """Returns a part of CIFAR-10: so many images to train and test on, and to validate."""
    return Data("cifar10", path=path, limit=count, validation=validation / _TRAINING_IMAGES)


def train_curves(path: str) -> None:
    """Trains the three networks, or goes on with them."""
    data = images(path, CURVE_IMAGES, CURVE_VALIDATION)
    train_resnet(data)
    train_architecture("nasbench201", GOOD_CELL, data, SMALL)
    train_architecture("darts", "darts_v2", data, Network(channels=16, cells=8))


def train_architecture(name: str, architecture: str, data: Data, network: Network) -> None:
    """Trains the network of an architecture with `nas_tf.train`; keeps its summary and history."""
    trained = nas_tf.train(
        architecture, data, settings=TRAINING, network=network, output_dir=work() / name
    )
    summary = trained.summary()
    around = {"channels": network.channels, "cells": network.cells}
    _keep(name, {
        "history": trained.history,
        "parameters": nas_tf.parameters(architecture, **around),
        "multiply_adds": nas_tf.multiply_adds(architecture, **around),
        "test_accuracy": summary["test_accuracy"],
        "seconds": summary["training_sec"],
    })


def train_resnet(settings: Data) -> None:
    """Trains the ResNet on the same images in the same way; `nas_tf.train` has cells alone."""
    if _path("resnet").exists():
        return
    data = open_data(settings, Augmentation.usual(settings.data), seed=TRAINING.seed)
    make_deterministic(TRAINING.seed)
    model = resnet.build_network(
        "resnet18", input_shape=data.image_shape, num_classes=len(data.class_names),
        channels=RESNET_CHANNELS,
    )
    identity = dataclasses.asdict(TRAINING) | {"images": data.summary()}
    trained = train_classifier(
        model, data, TRAINING, checkpoint=Checkpoint(work() / "resnet", identity), title="resnet"
    )
    weights = model.trainable_variables
    _keep("resnet", {
        "history": trained.history,
        "parameters": int(sum(np.prod(weight.shape) for weight in weights)),
        "multiply_adds": _multiply_adds(model),
        "test_accuracy": trained.test_accuracy,
        "seconds": trained.train_sec,
    })


def train_ranking(path: str, table_path: str) -> None:
    """Trains ten cells with the trained evaluator, which remembers those that it has trained."""
    table = NasBench201Table.load(table_path)
    chosen = spread(table.accuracy("cifar10", "valid", 200), NUM_CELLS)
    benchmark = nas_tf.benchmarks.trained(
        "nasbench201", images(path, RANKING_IMAGES, RANKING_VALIDATION), training=RANKING,
        network=SMALL,
    )
    space, evaluator = NasBench201Space(), benchmark.evaluator([0])
    rows = []
    for index in caching.progress_bar(chosen.tolist(), desc="cells", unit="cell"):
        cell = table.cells[index : index + 1]
        found = evaluator.evaluate(core.Suggestion(cell[None]), len(rows))
        rows.append({
            "cell": space.architectures(cell)[0].text(),
            "index": index,
            "validation": float(found.validation_accuracy[0, 0]),
            "test": float(found.test_accuracy[0, 0]),
            "seconds": float(found.cost_sec[0, 0]),
            **{f"{split}_{epochs}": float(table.accuracy("cifar10", split, epochs)[index])
               for split, epochs in (("valid", 12), ("valid", 200), ("test", 200))},
        })
    _keep("ranking", {"rows": rows})


def spread(accuracy: np.ndarray, count: int) -> np.ndarray:
    """Returns cells in the middle of `count` equal parts of a ranking, the worst first.

    Args:
        accuracy: [M].
        count: of cells.
    """
    places = (np.arange(count) + 0.5) / count * len(accuracy)
    return np.argsort(accuracy, kind="stable")[places.astype(np.int64)]


def work() -> pathlib.Path:
    """Returns the directory of checkpoints and results."""
    return caching.cache_directory() / "learning_curves"


def read(name: str) -> dict[str, Any]:
    """Returns what was kept of a training.

    Raises:
        FileNotFoundError: it has not ended.
    """
    return json.loads(_path(name).read_text("utf-8"))


def _path(name: str) -> pathlib.Path:
    return work() / f"{name}.json"


def _keep(name: str, values: dict[str, Any]) -> None:
    storage.write_json(_path(name), values)


def _multiply_adds(model) -> int:
    """Counts convolutions and classifier, from the shapes of kernels and outputs."""
    total = 0
    for layer in model.layers:
        if getattr(layer, "kernel", None) is not None:
            pixels = layer.output.shape[1:-1]
            total += int(np.prod(layer.kernel.shape) * np.prod(pixels, dtype=np.int64))
    return total


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--images", required=True, help="CIFAR-10, archive or folder")
    parser.add_argument("--table", required=True, help="NAS-Bench-201, CSV or NATS-Bench folder")
    parser.add_argument("--output", default="docs/training", help="directory of page and figures")
    parser.add_argument("--only", default="", help=f"some of {','.join(_PARTS)}")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line."""
    options = parse(arguments)
    parts = options.only.split(",") if options.only else _PARTS
    if not set(parts) <= set(_PARTS):
        print(f"learning_curves: --only={options.only}: expected some of {','.join(_PARTS)}",
              file=sys.stderr)
        return 1
    if "curves" in parts:
        train_curves(options.images)
    if "ranking" in parts:
        train_ranking(options.images, options.table)
    if "page" in parts:
        command = (f"python -m tools.learning_curves --images={options.images} "
                   f"--table={options.table} --output={options.output}")
        learning_page.write(pathlib.Path(options.output), command, {
            name: read(name) for name in (*learning_page.CURVES, "ranking")
        }, _settings())
    return 0


def _settings() -> dict[str, Any]:
    """Returns what the page says of how networks were trained."""
    return {
        "curves": TRAINING, "ranking": RANKING, "cell": GOOD_CELL,
        "curve_images": (CURVE_IMAGES, CURVE_VALIDATION),
        "ranking_images": (RANKING_IMAGES, RANKING_VALIDATION),
    }


if __name__ == "__main__":
    sys.exit(main())
