"""What `~` means at the start of a path."""

import os

from nas_tf.core import ConfigError


def expand_home(path: str | os.PathLike) -> str:
    """Returns a path with the home directory that its leading `~` or `~USER` stands for.

    Shells do so for words that begin with it, but not in `--output_dir=~/runs`, nor in files.

    Raises:
        ConfigError: no home directory of that user is known.
    """
    text = os.fspath(path)
    expanded = os.path.expanduser(text)
    if expanded.startswith("~"):
        user = expanded.split("/")[0]
        raise ConfigError(
            f"{text}: no home directory is known for {user}; ./{text} is a file of that name"
        )
    return expanded
