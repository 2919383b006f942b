"""Small folders of images."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"


def write_image(path: pathlib.Path, pixels: np.ndarray) -> None:
    """Writes pixels uint8 [h, w, c] as PNG, or as JPEG where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encode = tf.io.encode_png if path.suffix == ".png" else tf.io.encode_jpeg
    path.write_bytes(encode(pixels).numpy())


def write_classes(root: pathlib.Path, counts: dict[str, int], size=(6, 6), seed=0) -> pathlib.Path:
    """Writes random PNG images by class; counts are by the class's name."""
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        for number in range(count):
            pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            write_image(root / name / f"{number:03d}.png", pixels)
    return root


@pytest.fixture
def folder(tmp_path):
    """30 images of three classes, not split."""
    return write_classes(tmp_path / "images", {"ant": 10, "bee": 14, "cat": 6})


@pytest.fixture
def parted(tmp_path):
    """Two classes with folders of their own for training, validation and test."""
    root = tmp_path / "parted"
    for seed, (part, count) in enumerate({"train": 8, "val": 3, "test": 4}.items()):
        write_classes(root / part, {"ant": count, "bee": count}, seed=seed)
    return root
