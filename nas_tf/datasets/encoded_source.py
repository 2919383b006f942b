"""Images that are decoded when they are needed, and those that are decoded once and kept.

Shapes: m images of a source, n chosen ones, H and W pixels, C channels.
"""

import functools
import hashlib
import os
import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nas_tf import caching
from nas_tf.datasets import decoding
from nas_tf.datasets.decoding import Decoding
from nas_tf.datasets.mapping import parallel_map

CACHE = "images"  # directory within the cache directory
_KEPT_FROM = 2_000  # images of a source whose pixels are kept in the cache directory
_WHOLE_SHARE = 0.25  # of a source that is decoded as a whole when so much of it is wanted


class EncodedSource:
    """Base of sources of encoded images.

    Attributes:
        identity: what the content is known by.
        state: changes whenever the files do, sooner than the identity.
    """

    identity: str
    state: str

    def __len__(self) -> int:
        """Returns m."""
        raise NotImplementedError

    def name(self, index: int) -> str:
        """Returns where an image is, for messages."""
        raise NotImplementedError

    def read(self, index: int) -> tf.Tensor:
        """Returns the bytes of an image, a scalar string."""
        raise NotImplementedError

    def encoded(self, indices: tf.data.Dataset) -> tf.data.Dataset:
        """Returns the bytes of images, read in parallel, in the order of their int64 indices."""
        raise NotImplementedError


class FileSource(EncodedSource):
    """A file an image."""

    def __init__(self, root: str | os.PathLike, files: Sequence[str]):
        """
        Args:
            root: folder that the images lie below.
            files: m paths below it.
        """
        self.root, self.files = pathlib.Path(root), list(files)

    def __len__(self) -> int:
        return len(self.files)

    @functools.cached_property
    def identity(self) -> str:
        """SHA-256 of the files' names and sizes."""
        return self._digest(lambda state: state.st_size)

    @functools.cached_property
    def state(self) -> str:
        """SHA-256 of the files' names, sizes and times of change."""
        return self._digest(lambda state: (state.st_size, state.st_mtime_ns, state.st_ctime_ns))

    @functools.cached_property
    def _paths(self) -> tf.Tensor:
        with tf.device("CPU:0"):
            return tf.constant([os.path.join(self.root, file) for file in self.files])

    def name(self, index: int) -> str:
        return os.path.join(self.root, self.files[index])

    def read(self, index: int) -> tf.Tensor:
        return tf.io.read_file(self.name(index))

    def encoded(self, indices: tf.data.Dataset) -> tf.data.Dataset:
        paths = self._paths
        return parallel_map(indices, lambda index: tf.io.read_file(tf.gather(paths, index)))

    def _digest(self, describe) -> str:
        digest = hashlib.sha256()
        for file in self.files:
            state = describe(os.stat(os.path.join(self.root, file)))
            digest.update(f"{file} {state}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


class DecodedSource:
    """Images of an encoded source as pixels in memory.

    The pixels of a whole source are kept in the cache directory; where that cannot be written they
    are decoded again next time.

    Attributes:
        identity: what the content is known by.
    """

    def __init__(self, source: EncodedSource, form: Decoding):
        """
        Args:
            source: of encoded images.
            form: how they come to one size.
        """
        self._source, self._form, self._whole = source, form, None

    @property
    def identity(self) -> str:
        return self._source.identity

    def name(self, index: int) -> str:
        """Returns where an image is, for messages."""
        return self._source.name(index)

    def pixels(self, indices: np.ndarray) -> np.ndarray:
        """Returns uint8 [n, H, W, C].

        Raises:
            DataError: an image is damaged or of another size; the message names the file.
        """
        if self._whole is None and len(indices) < _WHOLE_SHARE * len(self._source):
            return decoding.decode_all(self._source, indices, self._form)
        if self._whole is None:
            self._whole = self._decode_whole()
        return self._whole[indices]

    def _decode_whole(self) -> np.ndarray:
        everything = np.arange(len(self._source), dtype=np.int64)

        def make():
            return {"pixels": decoding.decode_all(self._source, everything, self._form)}, {}

        if len(everything) < _KEPT_FROM:
            return make()[0]["pixels"]
        root = caching.cache_directory() / CACHE
        identity = f"{self._source.state} {self._form}"
        directory = caching.content_directory(root, "pixels", identity)
        return caching.cached_columns(
            directory, make, lambda columns, _: columns["pixels"], name="decoded images"
        )
