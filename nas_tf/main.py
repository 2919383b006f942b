"""Entry point: `python -m nas_tf.main --flagfile=configs/nb101_rl.flags`."""

import contextlib
import logging as standard_logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from absl import app
from absl import flags as absl_flags
from absl import logging

from nas_tf import flags
from nas_tf.core import NasError


def main(argv: list[str]) -> int | None:
    """Runs the job that the flags describe; returns 1 after an error the user can mend."""
    logging.set_verbosity(logging.WARNING)
    try:
        if len(argv) > 1:
            raise NasError(f"{argv[1]}: unexpected argument; flags begin with --")
        settings = flags.read()
        with _stderr_kept_back():
            from nas_tf import jobs  # takes seconds to import: not before the flags are known good
        standard_logging.getLogger("tensorflow").setLevel(standard_logging.ERROR)
        jobs.run(settings)
    except NasError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return _fail("interrupted; the same command goes on where the last checkpoint is")
    return None


def _fail(reason: object) -> int:
    print(f"nas_tf: {reason}", file=sys.stderr)
    return 1


@contextlib.contextmanager
def _stderr_kept_back() -> Iterator[None]:
    """Hides what TensorFlow's C++ prints while it is imported, unless the import fails.

    Its lines about absent GPUs come before any log level is heeded.
    """
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(stderr, kept.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def run() -> None:
    """Parses the command line and runs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in flags.define():
        absl_flags.declare_key_flag(name)  # so that --help lists it
    app.run(main, flags_parser=_parse)


def _parse(argv: list[str]) -> list[str]:
    """Parses the flags; a mistake in them is one line."""
    try:
        return absl_flags.FLAGS(argv)
    except absl_flags.Error as error:
        # absl shows some messages as the tuple they were raised with.
        sys.exit(_fail(re.sub(r"\('(.*?)', '.*?'\)", r"\1", str(error))))


if __name__ == "__main__":
    run()
