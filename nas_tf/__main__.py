"""`python -m nas_tf`, the command without its installation."""

import sys

from nas_tf.main import run

if __name__ == "__main__":
    sys.exit(run())
