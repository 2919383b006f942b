"""Figures of other code that `tools.benchmark` sets beside ours, with where and when they came about.

A ratio is only taken between figures of one processor: `--peers=FILE` names a JSON file of figures
measured on the machine that runs the benchmark, best in the same half hour, since a shared
machine's speed changes from day to day. The file is a list of objects with these six fields:

    [{"figure": "pretrain_graphs_per_sec", "value": 5580, "unit": "1/s",
      "processor": "what the benchmark prints for this machine", "date": "2026-11-26",
      "how": "released arch2vec, PyTorch 2.13, one thread, second pass"}]

`RECORDED` are facts that stand in the table where no such file speaks of a figure; they were
measured on another machine than the reader's, and give no ratio.
"""

import dataclasses
import datetime
import json
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Peer:
    """One figure of other code.

    Attributes:
        figure: the name of ours that it stands beside.
        value: of it.
        unit: as our figure's.
        processor: that it was measured on, as `benchmark.machine` names it.
        date: of the measurement, year-month-day.
        how: what code was measured, and with what.
    """

    figure: str
    value: float
    unit: str
    processor: str
    date: str
    how: str

    def __post_init__(self):
        """Raises ValueError for the first field that cannot be."""
        for name in ("figure", "unit", "processor", "date", "how"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"{name}={text!r}: expected a text")
        number = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
        if not number or not 0 < self.value < math.inf:
            raise ValueError(f"value={self.value!r}: expected a positive number")
        try:
            datetime.date.fromisoformat(self.date)
        except ValueError:
            raise ValueError(f"date={self.date!r}: expected a date such as 2026-11-26") from None


_MACHINE = "AMD EPYC with AVX-512, 2 cores"
_DATE = "2026-11-26"
_RELEASED = "released arch2vec on PyTorch 2.13, "

# The better end of every range, so that nothing is held against the other code.
RECORDED = (
    Peer("pretrain_graphs_per_sec", 5580, "1/s", _MACHINE, _DATE,
         _RELEASED + "batch 32, second pass; 4,060 to 5,580"),
    Peer("reinforce_201_run_sec", 0.36, "s", _MACHINE, _DATE,
         _RELEASED + "the search loop alone, as here: embedding loaded, imports done; 0.36 to "
         "0.50; one process a seed, as its scripts run it, 3.8 to 4.4"),
    Peer("bayesian_201_run_sec", 80.8, "s", _MACHINE, _DATE,
         _RELEASED + "one process a seed, without its imports; 83.0 with them"),
    Peer("graphpnas_201_sec", 418, "s", _MACHINE, _DATE, "released GraphPNAS on PyTorch 2.13"),
    Peer("graphpnas_201_run_sec", 418, "s", _MACHINE, _DATE, "released GraphPNAS on PyTorch 2.13"),
)


def load(path: str | os.PathLike, units: Mapping[str, str]) -> list[Peer]:
    """Reads a file of peers.

    Args:
        path: of the JSON file.
        units: of our figures, by name.

    Raises:
        ValueError: the file cannot be read or is no such list, or an entry is wrong; the message
            has the file and the entry.
    """
    try:
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(entries, list):
        raise ValueError(f"{path}: expected a list of figures, received {type(entries).__name__}")
    peers = []
    for number, entry in enumerate(entries, 1):
        try:
            peers.append(_checked(entry, units, peers))
        except ValueError as error:
            raise ValueError(f"{path}, entry {number}: {error}") from error
    return peers


def _checked(entry: Any, units: Mapping[str, str], earlier: Iterable[Peer]) -> Peer:
    """Returns an entry of a file; raises ValueError when it is wrong, or there twice."""
    fields = [field.name for field in dataclasses.fields(Peer)]
    if not isinstance(entry, dict) or set(entry) != set(fields):
        found = sorted(entry) if isinstance(entry, dict) else entry
        raise ValueError(f"expected the fields {', '.join(fields)}, received {found}")
    peer = Peer(**entry)
    if peer.figure not in units:
        raise ValueError(f"figure={peer.figure!r}: expected one of {', '.join(units)}")
    if peer.unit != units[peer.figure]:
        raise ValueError(f"unit={peer.unit!r}: {peer.figure} has {units[peer.figure]!r}")
    if any(peer.figure == other.figure and peer.processor == other.processor for other in earlier):
        raise ValueError(f"{peer.figure} was given before for {peer.processor!r}")
    return peer


def choose(figure: str, peers: Iterable[Peer], processor: str) -> Peer | None:
    """Returns the peer that stands beside a figure.

    That is one measured on this processor if there is one, else the latest; None without any.

    Args:
        figure: its name.
        peers: of all figures.
        processor: of this machine.
    """
    found = [peer for peer in peers if peer.figure == figure]
    return max(found, key=lambda peer: (peer.processor == processor, peer.date), default=None)


def remark(peer: Peer, value: str, where: Mapping[str, Any]) -> str:
    """Returns where and when a peer's figure was measured, and what that means for a ratio.

    Args:
        peer: the figure.
        value: it in words.
        where: this machine, with `processor` and `date`.
    """
    text = f"{peer.figure}: {value}, {peer.how}; on {peer.processor}, {peer.date}"
    if peer.processor != where["processor"]:
        return f"{text}. Another processor by its name: no ratio"
    if peer.date != where["date"]:
        return f"{text}. Another day: this machine's speed may have been another"
    return text
