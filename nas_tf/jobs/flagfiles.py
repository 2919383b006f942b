"""Flagfiles: files of flags, one a line, that may name others.

A file names another by a path from the directory it lies in; on the command line a path starts at
the working directory. What is not found there may be a published experiment, which the package
comes with: `--flagfile=nb101_rl` is found from anywhere.
"""

import dataclasses
import difflib
import importlib.resources
import os
import pathlib
import re
from collections.abc import Iterator, Sequence

from nas_tf.core import ConfigError
from nas_tf.config import expand_home

ENDING = ".flags"
_FLAG = re.compile(r"--?flagfile(?:=(.*))?", re.DOTALL)
_COMMENTS = ("#", "//")


@dataclasses.dataclass(frozen=True)
class Argument:
    """A flag, and where it stands.

    Attributes:
        text: such as "--seed=3".
        origin: "FILE, line 3: ", to begin messages with; "" on the command line.
        shared: it stands in a file that another file names.
    """

    text: str
    origin: str = ""
    shared: bool = False


def expand(arguments: Sequence[str]) -> list[Argument]:
    """Returns a command line's arguments with those of the files it names in their place.

    Raises:
        ConfigError: a file is missing, no UTF-8 text, or names itself; or a line is no flag.
    """
    found, rest = [], iter(arguments)
    for text in rest:
        directive = _FLAG.fullmatch(text)
        if text == "--":
            return [*found, Argument(text), *map(Argument, rest)]
        if directive is None:
            found.append(Argument(text))
        else:
            name = next(rest, "") if directive[1] is None else directive[1]
            found += _read(_find(name, [pathlib.Path()]), ())
    return found


def experiments() -> pathlib.Path:
    """Returns the directory of the published experiments' flagfiles.

    It is within an installed package, and beside one that runs from its sources.
    """
    package = pathlib.Path(str(importlib.resources.files("nas_tf")))
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def read_lines(path: pathlib.Path) -> list[str]:
    """Returns the lines of a text file in UTF-8, with or without a byte-order mark.

    Raises:
        ConfigError: it cannot be read, or is text in another encoding.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error})") from None
    try:
        text = content.decode("utf-8-sig")
        bad = text.find("\0")
    except UnicodeDecodeError as error:
        bad = error.start
    if bad >= 0:
        line = content[:bad].count(b"\n") + 1
        raise ConfigError(
            f"{path}, line {line}: byte {content[bad]:#04x} is not UTF-8 text; save the file as UTF-8"
        )
    return re.split("\r\n|\r|\n", text)


def _read(path: pathlib.Path, readers: tuple[pathlib.Path, ...]) -> Iterator[Argument]:
    """Yields the flags of a file; `readers` are those that led to it."""
    readers = (*readers, path)
    for number, line in enumerate(read_lines(path), start=1):
        text, origin = line.strip(), f"{path}, line {number}: "
        if not text or text.startswith(_COMMENTS):
            continue
        if not re.match("--?[^-]", text):
            raise ConfigError(f"{origin}{text}: expected a flag, which begins with --")
        directive = _FLAG.fullmatch(text)
        if directive is None:
            yield Argument(text, origin, shared=len(readers) > 1)
            continue
        named = _find(directive[1] or "", [path.parent, pathlib.Path()], origin)
        if any(named.resolve() == reader.resolve() for reader in readers):
            raise ConfigError(f"{origin}{text}: that file names this one in turn; remove one line")
        yield from _read(named, readers)


def _find(name: str, bases: Sequence[pathlib.Path], origin: str = "") -> pathlib.Path:
    """Returns the file that a flagfile's name means, looked for from several directories."""
    if not name:
        raise ConfigError(f"{origin}--flagfile=: expected the name of a file")
    candidates = [*(base / expand_home(name) for base in bases), *_published(name)]
    for path in candidates:
        if os.path.exists(path) and not os.path.isdir(path):  # unlike Path's, of any name
            return path
    raise ConfigError(f"{origin}--flagfile={name}: {_advice(name, candidates[0])}")


def _published(name: str) -> list[pathlib.Path]:
    """Returns the paths that a published experiment of some name would have."""
    path = pathlib.PurePath(name)
    if path.parent not in (pathlib.PurePath(), pathlib.PurePath("configs")):
        return []
    return [experiments() / path.name, experiments() / f"{path.name}{ENDING}"]


def _advice(name: str, path: pathlib.Path) -> str:
    """Returns what to say of a file that is not there."""
    if os.path.isfile(path / "config.flags"):
        return f"is a directory; --flagfile={path / 'config.flags'} repeats its job"
    if os.path.isdir(path):
        return "is a directory; name a file in it"
    known = sorted(file.stem for file in experiments().glob(f"*{ENDING}"))
    wanted = pathlib.PurePath(name).name.removesuffix(ENDING)
    close = difflib.get_close_matches(wanted, known, n=3) or known[:3]
    return f"no such file, and no published experiment; of these there are {', '.join(close)}, …"
