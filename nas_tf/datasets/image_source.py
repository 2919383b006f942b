"""Where images come from, and chosen ones of them with labels. Imports no TensorFlow.

A source is either pixels in memory or files that are decoded. What it holds is known by an
identity that is found without decoding an image.

Shapes: m images of a source, n chosen ones, H and W pixels, C channels.
"""

import dataclasses
import hashlib
from collections.abc import Callable

import numpy as np


class ArraySource:
    """Images that are in memory from their first use on.

    Attributes:
        identity: what the content is known by.
        shape: (H, W, C).
    """

    def __init__(
        self, load: Callable[[], np.ndarray], identity: str, shape: tuple[int, int, int]
    ):
        """
        Args:
            load: returns uint8 [m, H, W, C]; called at the first use.
            identity: what the content is known by.
            shape: (H, W, C).
        """
        self.identity, self.shape = identity, shape
        self._load, self._pixels = load, None

    def name(self, index: int) -> str:
        """Returns which image it is, for messages."""
        return f"image {index}"

    def pixels(self, indices: np.ndarray) -> np.ndarray:
        """Returns uint8 [n, H, W, C].

        Raises:
            DataError: an image is damaged; the message names the file.
        """
        if self._pixels is None:
            self._pixels = self._load()
        return self._pixels[indices]


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Chosen images of a source.

    Attributes:
        source: an `ArraySource`, or what is decoded image by image (`encoded_source`).
        labels: int32 [n].
        indices: int64 [n], numbers of the images in the source.
    """

    source: object
    labels: np.ndarray
    indices: np.ndarray

    @classmethod
    def all_of(cls, source, labels: np.ndarray) -> "Images":
        """Returns all images of a source; labels are int [m]."""
        labels = np.asarray(labels, np.int32)
        return cls(source, labels, np.arange(len(labels), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, positions: np.ndarray) -> "Images":
        """Returns those at some positions, int or bool [n]."""
        return dataclasses.replace(
            self, labels=self.labels[positions], indices=self.indices[positions]
        )

    def checksum(self) -> str:
        """Returns the SHA-256 of what the source is known by, and of which images with which
        labels these are."""
        digest = hashlib.sha256(self.source.identity.encode())
        digest.update(self.indices.astype("<i8").tobytes())
        digest.update(self.labels.astype("<i4").tobytes())
        return digest.hexdigest()
