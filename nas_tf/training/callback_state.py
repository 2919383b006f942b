"""What callbacks remember, saved with a training and given back.

Saved are the attributes that have changed since the training began, as numbers, texts, lists,
dictionaries and arrays; a new patience of EarlyStopping holds, its best weights come back. What is
none of these, such as an open file, is the callback's own business. A callback that names its own
in `saved_attributes` (a tuple, which may be empty) is asked for no others.
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import csv
import io
import json
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

_KERAS_OWN = ("_model", "model", "params", "validation_data")
_ARRAY, _TUPLE = "__array__", "__tuple__"


class _NotPlain(Exception):
    """A value that is not saved."""


class CallbackState:
    """Saves the changes of callbacks.

    Args:
        callbacks: after `on_train_begin`.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]):
        self._callbacks = callbacks
        self._start = [_encoded(callback) for callback in callbacks]

    def to_bytes(self) -> bytes:
        """Returns the changes, as an archive of arrays."""
        arrays, entries = {}, []
        for callback, start in zip(self._callbacks, self._start, strict=True):
            now = _encoded(callback)
            values = {name: value for name, value in now.items()
                      if name not in start or not _same(value, start[name])}
            entries.append({
                "class": type(callback).__name__,
                "monitors": getattr(callback, "monitor_op", None) is not None,
                "values": _without_arrays(values, arrays),
            })
        stream = io.BytesIO()
        np.savez(stream, entries=np.array(json.dumps(entries)), **arrays)
        return stream.getvalue()

    def restore(self, data: bytes) -> None:
        """Gives callbacks their changes back, to the first of a class what the first had."""
        if not data:
            return
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = dict(archive)
        entries = json.loads(str(arrays.pop("entries")))
        for callback in self._callbacks:
            kind = type(callback).__name__
            entry = next((entry for entry in entries if entry["class"] == kind), None)
            if entry is None:
                continue
            entries.remove(entry)
            if entry["monitors"] and callback.monitor_op is None:
                callback._set_monitor_op()  # before its changes: it turns min_delta round
            for name, value in entry["values"].items():
                setattr(callback, name, _decode(value, arrays))


def prepare_monitors(callbacks: Sequence[keras.callbacks.Callback]) -> None:
    """Tells callbacks that monitor an accuracy that more is better.

    Keras asks the model's compiled metrics, which there are none of.
    """
    for callback in callbacks:
        if getattr(callback, "mode", None) == "auto" and "acc" in getattr(callback, "monitor", ""):
            callback.mode = "max"


def resume_csv(callbacks: Sequence[keras.callbacks.Callback], epoch: int) -> None:
    """Lets CSV logs of a training that goes on keep their rows of the passes before `epoch`."""
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.CSVLogger) or not epoch:
            continue
        if not os.path.exists(callback.filename):
            continue
        with open(callback.filename, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file, delimiter=callback.sep))
        kept = [row for row in rows if not row or not row[0].isdigit() or int(row[0]) < epoch]
        with open(callback.filename, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=callback.sep).writerows(kept)
        callback.append = True


def _encoded(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """Returns the plain attributes of a callback; arrays stay arrays, but are copied."""
    names = getattr(callback, "saved_attributes", None)
    if names is None:
        names = [name for name in vars(callback) if name not in _KERAS_OWN]
    values = {}
    for name in names:
        try:
            values[name] = _encode(getattr(callback, name))
        except _NotPlain:
            continue
    return values


def _encode(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (np.ndarray, np.generic)) and not value.dtype.hasobject:
        return np.array(value)  # a scalar too: `set_weights` wants one with a shape
    if isinstance(value, tuple):
        return {_TUPLE: [_encode(item) for item in value]}
    if isinstance(value, list):
        return [_encode(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _encode(item) for key, item in value.items()}
    raise _NotPlain


def _same(one: Any, other: Any) -> bool:
    """Compares encoded values; arrays count as changed unless they are equal."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return type(one) is type(other) and np.array_equal(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


def _without_arrays(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Moves arrays to `arrays`."""
    if isinstance(value, np.ndarray):
        name = f"array_{len(arrays)}"
        arrays[name] = value
        return {_ARRAY: name}
    if isinstance(value, list):
        return [_without_arrays(item, arrays) for item in value]
    if isinstance(value, dict):
        return {key: _without_arrays(item, arrays) for key, item in value.items()}
    return value


def _decode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if isinstance(value, dict):
        if value.keys() == {_ARRAY}:
            array = arrays[value[_ARRAY]]
            return array if array.ndim else array[()]
        if value.keys() == {_TUPLE}:
            return tuple(_decode(item, arrays) for item in value[_TUPLE])
        return {key: _decode(item, arrays) for key, item in value.items()}
    return value
