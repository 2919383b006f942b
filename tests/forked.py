"""Processes for tests, forked from one that has imported the libraries and not yet used them.

To import TensorFlow and Keras takes longer than most of what tests do with them. What a process
of the system has of its own, devices, environment and memory, a forked one has too; only seeds of
hashes are shared.
"""

import multiprocessing
import os
import pathlib

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.forked_imports"])


class Forked:
    """A process that calls a function of a module with these arguments."""

    def __init__(self, target, *arguments, errors: pathlib.Path, environment=None):
        self._errors, self._output = errors, errors.with_suffix(".output")
        environment = {"CUDA_VISIBLE_DEVICES": "-1", **(environment or {})}
        self._process = _CONTEXT.Process(
            target=_run, args=((self._output, errors), environment, target, arguments)
        )
        self._process.start()

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    def kill(self) -> None:
        """Sends SIGKILL."""
        self._process.kill()

    def wait(self) -> int:
        """Returns the exit status, of a signal its negative number."""
        self._process.join()
        return self._process.exitcode

    def output(self) -> str:
        """Returns what the process printed."""
        return self._output.read_text()

    def errors(self) -> str:
        """Returns what it said on the error stream."""
        return self._errors.read_text()


def _run(streams, environment, target, arguments):
    """Is the new process."""
    for number, path in enumerate(streams, 1):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
    os.environ.update(environment)
    target(*arguments)


def check(directory: pathlib.Path, target, *arguments) -> None:
    """Calls a function in a process of its own; fails with what it says if it does."""
    process = Forked(target, *arguments, errors=directory / "errors")
    assert process.wait() == 0, process.errors()[-2000:]


def make_two_devices() -> None:
    """Makes two logical devices of the processor, which is possible before TensorFlow is used."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
