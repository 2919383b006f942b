"""Entry point: `nas_tf --flagfile=nb101_rl`, or `python -m nas_tf` in its stead.

What takes long to import is imported once signals are caught and the flags are known good.
"""

import contextlib
import gc
import importlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence

_HELP = ("--help", "-help", "-h", "--helpshort", "--helpfull")
_VERSION = ("--version", "-version")
_GOES_ON = "the same command goes on where the last checkpoint is"


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line.

    Args:
        arguments: those after the program's name; of this process when None.

    Returns:
        the exit status: 0, 1 after an error the user can mend, 130 after Ctrl-C, 143 after SIGTERM.
    """
    stop = _Stop()
    try:
        return _run(sys.argv[1:] if arguments is None else arguments, stop)
    except KeyboardInterrupt:
        stop.leave()
    except BrokenPipeError:  # of `nas_tf --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception:
        if not stop.status:
            raise
        stop.leave()  # what an interrupted program raises is no fault of its own
    return 1


def _run(arguments: Sequence[str], stop: "_Stop") -> int:
    if any(argument in _VERSION for argument in arguments):
        return _print_version()
    from nas_tf import __version__
    from nas_tf.core import NasError
    from nas_tf.jobs import flags, running

    if any(argument in _HELP for argument in arguments):
        print(flags.help_text(), end="", flush=True)
        return 0
    try:
        given = flags.parse(arguments)
        job, reader = running.resolve(given)
        directory = reader.values()["output_dir"]
        print(f"nas_tf {__version__}: {job.name}, results go to {directory}", flush=True)
        _import_libraries(stop)
        with stop.gently():
            running.run(given)
    except NasError as error:
        print(f"nas_tf: {error}", file=sys.stderr)
        return stop.status or 1
    return 0


def _print_version() -> int:
    from nas_tf import __version__

    print(f"nas_tf {__version__}", flush=True)
    return 0


def _import_libraries(stop: "_Stop") -> None:
    """Imports what jobs work with, and so TensorFlow, whatever the user's Keras is set to."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["MPLBACKEND"] = "Agg"
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    import logging as standard_logging

    from absl import flags as absl_flags
    from absl import logging

    absl_flags.FLAGS.mark_as_parsed()  # else absl says that its logging is not set up
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)  # such as of a table that is read for the first time
    handler = logging.get_absl_handler()
    handler.setFormatter(standard_logging.Formatter("%(message)s"))
    handler.addFilter(_is_for_users)
    with _stderr_kept_back(stop), _without_collector():
        _import_keras()
        importlib.import_module("nas_tf.api")
    standard_logging.getLogger("tensorflow").setLevel(standard_logging.ERROR)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Within, no garbage is looked for: a fifth of what imports take, and they leave none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _is_for_users(record) -> bool:
    """Tells whether a log record is a warning, or anything that the library says itself."""
    own = record.pathname.startswith(os.path.dirname(os.path.abspath(__file__)))
    return own or record.levelno >= 30  # logging.WARNING


def _import_keras() -> None:
    """Imports Keras with its own defaults in place of the user's.

    Raises:
        NasError: the user's settings keep it from being imported.
    """
    from nas_tf.core import ConfigError

    try:
        import keras
    except (ValueError, TypeError, AttributeError, OSError) as error:  # `[]`, or no file
        line = " ".join(str(error).split())
        raise ConfigError(f"Keras refuses its settings, keras.json or KERAS_*: {line}") from None
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


class _Stop:
    """Ends the process on Ctrl-C and SIGTERM: at once, or where there is work by an exception.

    A second signal ends it at once in any case.

    Attributes:
        status: the exit status of the signal that came; 0 before.
        stderr: file descriptor of what the user sees.
    """

    def __init__(self):
        self.status = 0
        self.stderr = 2
        self._at_work = False
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as in the background of a script
                signal.signal(number, self._on_signal)

    @contextlib.contextmanager
    def gently(self) -> Iterator[None]:
        """Within, a signal is a KeyboardInterrupt, so that a search saves where it is."""
        self._at_work = True
        yield
        self._at_work = False

    def leave(self) -> None:
        """Ends the process with a line, without waiting for threads."""
        reason = "terminated" if self.status == 128 + signal.SIGTERM else "interrupted"
        line = f"nas_tf: {reason}; {_GOES_ON}" if self._at_work else f"nas_tf: {reason}"
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            sys.stdout.flush()
        with contextlib.suppress(OSError):
            os.write(self.stderr, f"{line}\n".encode())
        os._exit(self.status or 128 + signal.SIGINT)

    def _on_signal(self, number: int, unused_frame) -> None:
        again, self.status = self.status, 128 + number
        if again or not self._at_work:
            self.leave()
        raise KeyboardInterrupt


@contextlib.contextmanager
def _stderr_kept_back(stop: _Stop) -> Iterator[None]:
    """Hides what TensorFlow's C++ prints while it is imported, unless the import fails.

    Its lines about absent GPUs come before any log level is heeded.
    """
    from nas_tf.core import NasError

    stderr = stop.stderr = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except NasError:
            raise
        except BaseException:
            kept.seek(0)
            os.write(stderr, kept.read())
            raise
        finally:
            os.dup2(stderr, 2)
            stop.stderr = 2
            os.close(stderr)


if __name__ == "__main__":
    sys.exit(run())
