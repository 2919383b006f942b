"""Files of other code's figures: what is taken, what is refused, which one is chosen."""

import json

import pytest

from tools import benchmark_peers
from tools.benchmark_peers import Peer

UNITS = {"a_sec": "s", "b_rate": "1/s"}
ENTRY = {"figure": "a_sec", "value": 20, "unit": "s", "processor": "Abacus 3",
         "date": "2026-11-26", "how": "other code"}


def write(path, entries):
    path.write_text(json.dumps(entries), "utf-8")
    return path


def test_a_file_is_read(tmp_path):
    other = ENTRY | {"figure": "b_rate", "unit": "1/s", "value": 1.5}
    again = ENTRY | {"processor": "Abacus 2"}
    path = write(tmp_path / "peers.json", [ENTRY, other, again])
    assert benchmark_peers.load(path, UNITS) == [Peer(**ENTRY), Peer(**other), Peer(**again)]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"value": 0}, "value=0: expected a positive number"),
        ({"value": "20"}, "value='20': expected a positive number"),
        ({"value": True}, "value=True: expected a positive number"),
        ({"value": float("inf")}, "value=inf: expected a positive number"),
        ({"date": "yesterday"}, "date='yesterday': expected a date such as 2026-11-26"),
        ({"how": " "}, "how=' ': expected a text"),
        ({"processor": None}, "processor=None: expected a text"),
        ({"figure": "c"}, "figure='c': expected one of a_sec, b_rate"),
        ({"unit": "1/s"}, "unit='1/s': a_sec has 's'"),
        ({"day": 1}, "expected the fields figure, value, unit, processor, date, how, received"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, change, message):
    path = write(tmp_path / "peers.json", [ENTRY | {"processor": "Abacus 1"}, ENTRY | change])
    with pytest.raises(ValueError) as caught:
        benchmark_peers.load(path, UNITS)
    assert str(caught.value).startswith(f"{path}, entry 2: {message}")


def test_files_that_are_no_lists_of_figures(tmp_path):
    path = tmp_path / "peers.json"
    with pytest.raises(ValueError, match="peers.json: cannot be read as JSON"):
        benchmark_peers.load(path, UNITS)
    path.write_text("figure,value\n", "utf-8")
    with pytest.raises(ValueError, match="peers.json: cannot be read as JSON"):
        benchmark_peers.load(path, UNITS)
    with pytest.raises(ValueError, match="expected a list of figures, received dict"):
        benchmark_peers.load(write(path, ENTRY), UNITS)
    with pytest.raises(ValueError, match="entry 1: expected the fields .* received 3"):
        benchmark_peers.load(write(path, [3]), UNITS)
    with pytest.raises(ValueError, match="entry 2: a_sec was given before for 'Abacus 3'"):
        benchmark_peers.load(write(path, [ENTRY, ENTRY | {"value": 3}]), UNITS)


def test_this_machines_figure_is_chosen_before_later_ones():
    here = Peer(**ENTRY | {"date": "2026-01-01"})
    other = Peer(**ENTRY | {"processor": "Abacus 2"})
    oldest = Peer(**ENTRY | {"processor": "Abacus 1", "date": "2025-01-01"})
    peers = [oldest, here, other]
    assert benchmark_peers.choose("a_sec", peers, "Abacus 3") is here
    assert benchmark_peers.choose("a_sec", peers, "Abacus 9") is other
    assert benchmark_peers.choose("b_rate", peers, "Abacus 3") is None
