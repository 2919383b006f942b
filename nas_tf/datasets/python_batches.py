"""The official Python batches of CIFAR, read without running them.

A pickle is a program for a stack machine, which may call whatever it names. Here the few steps that
make dictionaries, lists, numbers, texts and arrays of bytes are followed, one by one; a step or a
name beyond these is refused. So nothing that a file says is run.
"""

import os
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np

from nas_tf import storage
from nas_tf.core import DataError

_MARK = object()
_RECONSTRUCT = {
    "numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct",
}
_NAMES = _RECONSTRUCT | {"numpy ndarray", "numpy dtype", "_codecs encode"}
_VALUES = {  # operations that push their argument
    "BININT", "BININT1", "BININT2", "INT", "LONG1", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINUNICODE", "SHORT_BINUNICODE",
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_MAKERS = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_IGNORED = {"PROTO", "FRAME"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Name(str):
    """A name that a pickle would import."""


class _Array:
    """An array that is not filled yet, or a number format that is."""

    def __init__(self, dtype: str | None = None):
        self.dtype, self.value = dtype, None


def read_batch(path: str | os.PathLike) -> dict[str, Any]:
    """Reads a file of the official Python version: its dictionary, texts decoded.

    Args:
        path: such as `data_batch_1`.

    Returns:
        numbers, texts, lists of these, and arrays of uint8, by name.

    Raises:
        DataError: it cannot be read, is damaged, or does more than that.
    """
    try:
        with open(path, "rb") as handle:
            content = handle.read()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    try:
        found = _Machine().run(content)
        if not isinstance(found, dict):
            raise ValueError("no dictionary")
        return {_text(name): _plain(value) for name, value in found.items()}
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: no batch of CIFAR's Python version, or damaged ({storage.one_line(error)})"
        ) from error


class _Machine:
    """The stack machine of pickles, for the steps that data need."""

    def __init__(self):
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, content: bytes) -> Any:
        """Returns what the first program in some bytes leaves."""
        for operation, argument, _ in pickletools.genops(content):
            name = operation.name
            if name == "STOP":
                return self._stack.pop()
            if name in _VALUES:
                self._stack.append(argument)
            elif name in _CONSTANTS:
                self._stack.append(_CONSTANTS[name])
            elif name in _MAKERS:
                self._stack.append(_MAKERS[name]())
            elif name not in _IGNORED:
                self._step(name, argument)
        raise ValueError("it ends too soon")

    def _step(self, name: str, argument: Any) -> None:
        step: Callable[[Any], None] | None = getattr(self, f"_{name.lower()}", None)
        if name in _TUPLES:
            self._stack[-_TUPLES[name]:] = [tuple(self._stack[-_TUPLES[name]:])]
        elif step is None or name not in _STEPS:
            raise ValueError(f"it wants the step {name}")
        else:
            step(argument)

    def _marked(self) -> list[Any]:
        """Takes what lies above the last mark, and the mark."""
        place = len(self._stack) - 1
        while self._stack[place] is not _MARK:
            place -= 1
        items = self._stack[place + 1:]
        del self._stack[place:]
        return items

    def _mark(self, _):
        self._stack.append(_MARK)

    def _binput(self, number):
        self._memo[number] = self._stack[-1]

    _long_binput = _put = _binput

    def _memoize(self, _):
        self._memo[len(self._memo)] = self._stack[-1]

    def _binget(self, number):
        self._stack.append(self._memo[number])

    _long_binget = _get = _binget

    def _tuple(self, _):
        self._stack.append(tuple(self._marked()))

    def _append(self, _):
        item = self._stack.pop()
        self._stack[-1].append(item)

    def _appends(self, _):
        items = self._marked()
        self._stack[-1].extend(items)

    def _setitem(self, _):
        name, value = self._stack[-2:]
        del self._stack[-2:]
        self._stack[-1][name] = value

    def _setitems(self, _):
        items = self._marked()
        self._stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def _global(self, argument):
        if argument not in _NAMES:
            raise ValueError(f"it wants to call {argument}")
        self._stack.append(_Name(argument))

    def _stack_global(self, _):
        module, name = self._stack[-2:]
        del self._stack[-2:]
        self._global(f"{module} {name}")

    def _reduce(self, _):
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, _Name):
            raise ValueError("it calls what is no name")
        if called == "_codecs encode":
            self._stack.append(str(arguments[0]).encode("latin1"))
        elif called == "numpy dtype":
            self._stack.append(_Array(_text(arguments[0])))
        elif called in _RECONSTRUCT:
            self._stack.append(_Array())
        else:
            raise ValueError(f"it wants to call {called}")

    def _build(self, _):
        state, built = self._stack.pop(), self._stack[-1]
        if not isinstance(built, _Array):
            raise ValueError("it fills what is no array")
        if built.dtype is None:
            built.value = _filled(state)


_STEPS = {
    "MARK", "BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE", "BINGET", "LONG_BINGET", "GET", "TUPLE",
    "APPEND", "APPENDS", "SETITEM", "SETITEMS", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
}


def _filled(state: tuple) -> np.ndarray:
    """Returns the array of a state: version, shape, dtype, whether by columns, bytes."""
    _, shape, dtype, by_columns, content = state
    if dtype.dtype != "u1":
        raise ValueError(f"an array of {dtype.dtype}, expected one of bytes (u1)")
    content = content.encode("latin1") if isinstance(content, str) else content
    order = "F" if by_columns else "C"
    return np.frombuffer(content, np.uint8).reshape(shape, order=order)


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _text(value) if isinstance(value, (bytes, str)) else value


def _text(value: bytes | str) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)
