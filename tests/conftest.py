"""A cache of the session's own: no test reads a user's, and all share one enumeration."""

import os
import tempfile


def pytest_configure(config):
    """Sets what tests and the processes they start inherit."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    directory = tempfile.TemporaryDirectory(prefix="nas_tf-tests-", ignore_cleanup_errors=True)
    os.environ["NAS_TF_CACHE"] = directory.name
    config.add_cleanup(directory.cleanup)
