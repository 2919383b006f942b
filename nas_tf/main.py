"""Entry point: `python -m nas_tf.main --flagfile=configs/nb101_rl.flags`."""

import os
import sys

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
        from nas_tf import jobs  # takes seconds to import: not before the flags are known good

        jobs.run(settings)
    except NasError as error:
        print(f"nas_tf: {error}", file=sys.stderr)
        return 1
    return None


def run() -> None:
    """Parses the command line and runs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in flags.define():
        absl_flags.declare_key_flag(name)  # so that --help lists it
    app.run(main)


if __name__ == "__main__":
    run()
