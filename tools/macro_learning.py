"""Trains three networks of NAS-Bench-Macro, spread over its ranking, on the real CIFAR-10 images.

    python -m tools.macro_learning --images=cifar10.tar.gz --table=nas_bench_macro.csv.gz

They are the benchmark's networks at full size, trained for a few epochs on a part of the images;
the page compares their order with the table's. It goes on where it was killed: checkpoints and
results are under `macro_learning/` in the cache directory.

Shapes: M networks of the table.
"""

import argparse
import pathlib
import sys
from typing import Any

import numpy as np

import nas_tf
from nas_tf import caching, storage
from nas_tf.datasets.settings import Data
from nas_tf.reports.wording import percent, table
from nas_tf.spaces.macro import MacroSpace
from nas_tf.tables.macro_table import MacroTable
from nas_tf.training.settings import Training

TRAINING = Training(
    epochs=6, batch_size=32, learning_rate=0.05, momentum=0.9, warmup_epochs=1.0, clip_norm=5.0,
    weight_decay=5e-4, seed=0,
)
IMAGES, VALIDATION = 1_500, 1_000
SHARES = (0.01, 0.5, 1.0)  # of the ranking that a network is not below, the worst first

_TRAINING_IMAGES = 50_000


def chosen(accuracy: np.ndarray) -> np.ndarray:
    """Returns the indices of the networks at `SHARES` of a ranking of accuracies [M]."""
    places = np.ceil(np.array(SHARES) * len(accuracy)).astype(np.int64) - 1
    return np.argsort(accuracy, kind="stable")[places]


def train(images: str, measured: MacroTable, index: int) -> dict[str, Any]:
    """Trains one network, or goes on with it; returns its row of the page."""
    cell = measured.cells[index : index + 1]
    architecture = MacroSpace().architectures(cell)[0]
    data = Data("cifar10", path=images, limit=IMAGES, validation=VALIDATION / _TRAINING_IMAGES)
    trained = nas_tf.train(
        architecture, data, settings=TRAINING,
        output_dir=caching.cache_directory() / "macro_learning" / architecture.text(),
    )
    mean = measured.test_accuracy.mean(axis=1)
    return {
        "code": architecture.text(),
        "rank": int((mean > mean[index]).sum()) + 1,
        "table": float(mean[index]),
        "parameters": nas_tf.parameters(architecture),
        "multiply_adds": nas_tf.multiply_adds(architecture),
        "history": [float(epoch["validation_accuracy"]) for epoch in trained.history],
        "test": float(trained.summary()["test_accuracy"]),
        "seconds": float(trained.summary()["training_sec"]),
    }


def page(rows: list[dict[str, Any]], command: str) -> str:
    """Returns the page in Markdown."""
    lines = [
        {
            "Network": f"`{row['code']}`",
            "Parameters": f"{row['parameters']:,}",
            "Multiply-adds (M)": f"{row['multiply_adds'] / 1e6:.1f}",
            **{f"Epoch {number}": percent(value, 1, unit="")
               for number, value in enumerate(row["history"], 1)},
            "Test": percent(row["test"], 1, unit=""),
            "Table (rank)": f"{percent(row['table'], 2, unit='')} ({row['rank']:,})",
            "Seconds": f"{row['seconds']:.0f}",
        }
        for row in rows
    ]
    return (
        "# NAS-Bench-Macro's networks on CIFAR-10\n\n"
        f"Three networks of the table at full size, {TRAINING.epochs} epochs on {IMAGES:,} of the "
        f"50,000 images (batch {TRAINING.batch_size}, SGD {TRAINING.learning_rate:g} with cosine, one "
        f"epoch of warm-up, weight decay {TRAINING.weight_decay:g}); validation accuracy in per cent "
        f"on {VALIDATION:,} others after every epoch, test accuracy on {IMAGES:,} test images. The "
        "table's number is the mean of its three trainings of 50 epochs on all images. The images are "
        "JPEG-compressed. So few epochs show that the networks learn, and not more than the coarse "
        f"order.\n\n{table(lines)}\n\nMade by `{command}`.\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--images", required=True, help="CIFAR-10, archive or folder")
    parser.add_argument("--table", required=True, help="NAS-Bench-Macro, CSV")
    parser.add_argument("--output", default="docs/training/macro.md", help="the page")
    options = parser.parse_args(arguments)
    measured = MacroTable.load(options.table)
    indices = chosen(measured.test_accuracy.mean(axis=1)).tolist()
    rows = [train(options.images, measured, index) for index in indices]
    names = [pathlib.Path(path).name for path in (options.images, options.table)]
    command = f"python -m tools.macro_learning --images={names[0]} --table={names[1]}"
    with storage.atomic_write(pathlib.Path(options.output)) as file:
        file.write(page(rows, command).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
