"""ImageNet as TFRecord files, as TensorFlow's official scripts write them.

    train-00000-of-01024 ...  validation-00000-of-00128 ...

A record is a `tf.train.Example` with `image/encoded`, `image/class/label` (1 to 1000) and
`image/class/synset`. Images are read in any order: where each record is, and its label, is found in
one reading of all files and kept in the cache directory.

Shapes: m records.
"""

import hashlib
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from nas_tf import caching, storage
from nas_tf.caching import progress_bar
from nas_tf.core import DataError
from nas_tf.datasets.encoded_source import CACHE, EncodedSource
from nas_tf.datasets.image_source import Images
from nas_tf.datasets.mapping import parallel_map

_HEADER_BYTES, _FOOTER_BYTES = 12, 4  # around a record: its length, checksums
_TOGETHER = 16  # records read in one call
_FEATURES = {
    "image/class/label": tf.io.FixedLenFeature([], tf.int64),
    "image/class/synset": tf.io.FixedLenFeature([], tf.string, default_value=""),
}


class RecordSource(EncodedSource):
    """Images in TFRecord files."""

    def __init__(self, files: Sequence[pathlib.Path], columns: Mapping[str, np.ndarray]):
        """
        Args:
            files: where the records are.
            columns: `file` int32, `offset` int64 of the content and `length` int64, all [m].
        """
        self._files = list(files)
        self.identity, self.state = _digest(files, "st_size"), _state(files)
        self._columns = {name: np.asarray(columns[name]) for name in ("file", "offset", "length")}

    def __len__(self) -> int:
        return len(self._columns["file"])

    def name(self, index: int) -> str:
        file, offset = (self._columns[name][index] for name in ("file", "offset"))
        return f"{self._files[file]}: record at byte offset {offset - _HEADER_BYTES}"

    def read(self, index: int) -> tf.Tensor:
        return _image_of(tf.constant(self._contents(np.array([index]))[0]))

    def encoded(self, indices: tf.data.Dataset) -> tf.data.Dataset:
        def contents(chosen):
            found = tf.numpy_function(self._contents, [chosen], tf.string, stateful=False)
            return tf.ensure_shape(found, [None])

        records = parallel_map(indices.batch(_TOGETHER), contents).unbatch()
        return parallel_map(records, _image_of)

    def _contents(self, indices: np.ndarray) -> np.ndarray:
        """Returns records as an array of bytes objects."""
        contents = np.empty(len(indices), object)
        for place, index in enumerate(indices):
            file, offset, length = (column[index] for column in self._columns.values())
            with open(self._files[file], "rb") as handle:
                contents[place] = os.pread(handle.fileno(), int(length), int(offset))
        return contents


def record_files(root: pathlib.Path, part: str) -> list[pathlib.Path]:
    """Returns the record files of a part, in order; `train` or `validation`.

    Raises:
        DataError: one of those that their names count is missing.
    """
    files = sorted(root.glob(f"{part}-?????-of-?????"))
    if files:
        number = int(files[0].name[-5:])
        expected = {f"{part}-{k:05d}-of-{number:05d}" for k in range(number)}
        if missing := sorted(expected - {file.name for file in files}):
            raise DataError(f"{root / missing[0]}: no such record file")
    return files


def read(files: Sequence[pathlib.Path]) -> tuple[Images, dict[int, str]]:
    """Returns the images of record files, and the classes' synsets by label, from 0.

    Raises:
        DataError: a file is damaged or no such file.
    """
    state = _state(files)
    directory = caching.content_directory(caching.cache_directory() / CACHE, "records", state)
    columns = caching.cached_columns(
        directory, lambda: (_scan(files), {}), lambda columns, _: dict(columns),
        name="places of records",
    )
    synsets = dict(zip(columns["class"].tolist(), columns["synset"].tolist()))
    return Images.all_of(RecordSource(files, columns), columns["label"]), synsets


def _scan(files: Sequence[pathlib.Path]) -> dict[str, np.ndarray]:
    """Reads all records; returns the columns of `RecordSource`, labels, classes and synsets."""
    parts, synsets = [], {}
    for number, file in enumerate(progress_bar(files, desc="Looking for records", unit="file")):
        lengths, labels, names = _scan_file(file)
        ends = np.cumsum(lengths + _HEADER_BYTES + _FOOTER_BYTES)
        offsets = ends - lengths - _FOOTER_BYTES
        parts.append((np.full(len(lengths), number, np.int32), offsets, lengths, labels))
        synsets.update(zip(labels.tolist(), names))
    columns = [np.concatenate(column) for column in zip(*parts)]
    classes = sorted(synsets)
    return dict(zip(("file", "offset", "length", "label"), columns)) | {
        "class": np.array(classes, np.int64),
        "synset": np.array([synsets[label] or str(label) for label in classes], np.str_),
    }


def _scan_file(file: pathlib.Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Returns lengths int64, labels from 0 int64, and synsets of the records of a file."""
    dataset = parallel_map(tf.data.TFRecordDataset(str(file)), _describe)
    try:
        found = [*dataset.batch(256).as_numpy_iterator()]
    except tf.errors.OpError as error:
        raise DataError(f"{file}: damaged, or no records of images ({_first(error)})") from error
    if not found:
        raise DataError(f"{file}: holds no record")
    lengths, labels, names = (np.concatenate(column) for column in zip(*found))
    if labels.min() < 1:
        record = int(labels.argmin())
        raise DataError(f"{file}: record {record}: label {labels[record]}, expected 1 or more")
    return lengths, labels - 1, [name.decode("utf-8", "replace") for name in names]


def _describe(record: tf.Tensor):
    features = tf.io.parse_single_example(record, _FEATURES)
    return (
        tf.cast(tf.strings.length(record), tf.int64),
        features["image/class/label"],
        features["image/class/synset"],
    )


def _image_of(record: tf.Tensor) -> tf.Tensor:
    feature = tf.io.FixedLenFeature([], tf.string)
    return tf.io.parse_single_example(record, {"image/encoded": feature})["image/encoded"]


def _first(error: tf.errors.OpError) -> str:
    return storage.one_line(error)[:200]


def _state(files: Sequence[pathlib.Path]) -> str:
    """Returns the SHA-256 of names, sizes and times of change."""
    return _digest(files, "st_size", "st_mtime_ns", "st_ctime_ns")


def _digest(files: Sequence[pathlib.Path], *items: str) -> str:
    digest = hashlib.sha256()
    for file in files:
        state = file.stat()
        numbers = [getattr(state, item) for item in items]
        digest.update(f"{file.name} {numbers}\n".encode())
    return digest.hexdigest()
