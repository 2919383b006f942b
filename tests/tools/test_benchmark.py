"""The benchmark program: its table, its JSON, its processes. No test asserts a time."""

import json
import math

import pytest

from nas_tf.spaces import nasbench101
from tools import benchmark, benchmark_data
from tools.benchmark_figures import ITEMS, Figure, Item
from tools.benchmark_peers import Peer

TIME = Figure("a_sec", "a thing", limit=10, target=3, measured_peer="a plain loop")
RATE = Figure("b_rate", "things", "1/s", limit=5000, target=7500)
FREE = Figure("c_mb", "memory", "MB")
ITEM = Item("made_up", "module:function", (TIME, RATE, FREE))
WHERE = {"processor": "Abacus 3", "date": "2026-11-26"}
HERE = Peer("a_sec", 20, "s", "Abacus 3", "2026-11-26", "other code, one bead")
ELSEWHERE = Peer("a_sec", 20, "s", "Abacus 2", "2026-11-26", "other code, one bead")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    "figure, value, verdict",
    [
        (TIME, 3.0, "target met"), (TIME, 3.1, "met"), (TIME, 10.1, "MISSED"),
        (TIME, math.nan, "FAILED"), (RATE, 7500, "target met"), (RATE, 5000, "met"),
        (RATE, 4999, "MISSED"), (FREE, 1e9, ""), (FREE, math.nan, "FAILED"),
    ],
)
def test_verdict(figure, value, verdict):
    assert figure.verdict(value) == verdict


def test_times_better_than_the_peer():
    assert TIME.times_better(5.0, 20.0) == 4.0
    assert RATE.times_better(5000.0, 2500.0) == 2.0
    assert TIME.times_better(5.0, None) is None
    assert TIME.times_better(math.nan, 20.0) is None


@pytest.mark.parametrize(
    "value, unit, text",
    [(None, "s", ""), (0.01234, "s", "0.0123 s"), (1234.5, "MB", "1,234 MB"),
     (6100.0, "1/s", "6,100/s"), (153.2, "GFLOP/s", "153 GFLOP/s"), (math.nan, "s", "not measured")],
)
def test_format_value(value, unit, text):
    assert benchmark.format_value(value, unit) == text


def table(values, peers):
    return benchmark.format_table(benchmark.rows_of(ITEM, values, peers, WHERE), WHERE)


def test_table():
    values = {"a_sec": 12.5, "b_rate": 8000.0, "c_mb": 42.0, "note": "a remark",
              "b_rate_gflops": 54.21, "b_rate_peak_gflops": 71.0}
    assert table(values, [HERE]) == """\
| figure  | measured | limit   | target  | arithmetic         | peer | better |            |
| ------- | -------- | ------- | ------- | ------------------ | ---- | ------ | ---------- |
| a thing | 12.5 s   | 10 s    | 3 s     |                    | 20 s | 1.6 x  | MISSED     |
| things  | 8,000/s  | 5,000/s | 7,500/s | 54.2 of 71 GFLOP/s |      |        | target met |
| memory  | 42 MB    |         |         |                    |      |        |            |

made_up: a remark

Peers:
a_sec: 20 s, other code, one bead; on Abacus 3, 2026-11-26
"""


def test_a_peer_of_another_processor_is_a_fact_without_a_ratio():
    values = {"a_sec": 12.5, "b_rate": 8000.0, "c_mb": 42.0}
    row = benchmark.rows_of(ITEM, values, [ELSEWHERE], WHERE)[0]
    assert (row["peer"]["value"], row["times_better"]) == (20, None)
    lines = table(values, [ELSEWHERE]).splitlines()
    assert lines[2] == "| a thing | 12.5 s   | 10 s    | 3 s     |            | 20 s |        | MISSED     |"
    assert lines[-1] == (
        "a_sec: 20 s, other code, one bead; on Abacus 2, 2026-11-26. Another processor by its name: no ratio"
    )
    assert "Peers" not in table(values, [])


def test_a_peer_of_another_day_is_said_to_be_one():
    earlier = Peer("a_sec", 20, "s", "Abacus 3", "2026-11-20", "other code")
    assert table({"a_sec": 2.0}, [earlier]).splitlines()[-1] == (
        "a_sec: 20 s, other code; on Abacus 3, 2026-11-20. Another day: this machine's speed may "
        "have been another"
    )
    assert benchmark.rows_of(ITEM, {"a_sec": 2.0}, [earlier], WHERE)[0]["times_better"] == 10.0


def test_a_peer_that_the_item_measured_replaces_the_one_on_record():
    row = benchmark.rows_of(ITEM, {"a_sec": 2.0, "a_sec_peer": 30.0}, [ELSEWHERE], WHERE)[0]
    assert (row["times_better"], row["verdict"]) == (15.0, "target met")
    assert row["peer"] == {
        "figure": "a_sec", "value": 30.0, "unit": "s", "processor": "Abacus 3",
        "date": "2026-11-26", "how": "a plain loop, in the same run",
    }


def test_peers_on_record_say_where_and_when_and_give_no_ratio_here():
    where = benchmark.machine()
    peers = benchmark.known_peers(None)
    units = {figure.name: figure.unit for item in ITEMS for figure in item.figures}
    assert {peer.figure: peer.unit for peer in peers}.items() <= units.items()
    assert {(peer.processor, peer.date) for peer in peers} == {
        ("AMD EPYC with AVX-512, 2 cores", "2026-11-26")}
    values = dict.fromkeys(units, 1.0)
    rows = [row for item in ITEMS for row in benchmark.rows_of(item, values, peers, where)]
    assert sum(row["peer"] is not None for row in rows) == len(peers) == 5
    assert not any(row["times_better"] for row in rows)


def test_peers_of_a_file_stand_beside_what_is_measured(tmp_path, capsys, monkeypatch):
    where = benchmark.machine()
    entry = {"figure": "enumerate_6_sec", "value": 22, "unit": "s", "date": where["date"],
             "processor": where["processor"], "how": "the official generator"}
    path = tmp_path / "peers.json"
    path.write_text(json.dumps([entry]), "utf-8")
    monkeypatch.setattr(benchmark, "run_alone", lambda function, full: {"enumerate_6_sec": 0.5})
    assert benchmark.main(["--only=enumerate_6", f"--peers={path}"]) == 0
    output = capsys.readouterr().out
    assert "| 22 s | 44 x " in output
    assert f"enumerate_6_sec: 22 s, the official generator; on {where['processor']}" in output
    assert benchmark.main(["--only=enumerate_6"]) == 0
    assert "44 x" not in (output := capsys.readouterr().out) and "22 s" not in output
    assert where["processor"] in output
    path.write_text("[{}]", "utf-8")
    assert benchmark.main(["--only=enumerate_6", f"--peers={path}"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"benchmark: {path}, entry 1: expected the fields figure, value,")
    assert error.count("\n") == 1


def test_items_are_well_formed():
    names = [figure.name for item in ITEMS for figure in item.figures]
    assert len(names) == len(set(names))
    assert len({item.name for item in ITEMS}) == len(ITEMS)
    assert benchmark.chosen("", full=True) == list(ITEMS)
    assert [item.name for item in ITEMS if item.only_full] == [
        "train_darts", "train_randwire", "train_enas", "train_nasbench101", "train_nasbench201",
        "page_201", "page_101", "page_darts", "tests"]
    assert [item.name for item in benchmark.chosen("main,enumerate", False)] == [
        "main", "enumerate"]


def test_the_issues_limits():
    limits = {figure.name: figure.limit for item in ITEMS for figure in item.figures}
    assert {name: limit for name, limit in limits.items() if limit is not None} == {
        "enumerate_sec": 10, "enumerate_peak_mb": 1000,
        "table_first_sec": 20, "table_first_peak_mb": 1500, "table_later_sec": 0.5,
        "hashes_sec": 10, "hashes_cached_sec": 0.5, "sample_later_sec": 0.5,
        "sample_random_ratio": 1, "sample_evolution_ratio": 1, "sample_local_search_ratio": 1,
        "pretrain_graphs_per_sec": 5000, "quality_sec": 0.3,
        "reinforce_201_sec": 30, "reinforce_201_peak_mb": 8000,
        "bayesian_201_sec": 1800, "bayesian_201_peak_mb": 8000,
        "gaussian_process_201_sec": 120, "gaussian_process_201_peak_mb": 3000,
        "gaussian_process_101_query_sec": 0.5, "gaussian_process_101_peak_mb": 3000,
        "gaussian_process_darts_query_sec": 0.5, "gaussian_process_darts_peak_mb": 3000,
        "random_201_sec": 10, "evolution_201_sec": 10, "local_search_201_sec": 10,
        "reinforce_embedded_sec": 10, "reinforce_space_sec": 300,
        "graphpnas_201_sec": 60, "graphpnas_201_run_sec": 20, "sample_101_sec": 1,
        "page_201_sec": 300, "page_101_sec": 1800, "page_darts_sec": 2700,
        "main_sec": 180, "tests_sec": 720,
        **{f"train_{network}_{figure}": limit
           for network in ("darts", "randwire", "enas", "nasbench101", "nasbench201")
           for figure, limit in (("ratio", 1.0), ("full_ratio", 0.95), ("waiting", 5))},
    }


def test_a_small_item_runs_in_a_process_of_its_own(tmp_path, capsys):
    path = tmp_path / "figures.json"
    assert benchmark.main(["--only=enumerate_plain", f"--json={path}"]) == 0
    captured = capsys.readouterr()
    assert "[1/1] enumerate_plain ..." in captured.err
    assert "enumerate_plain: 2,532 cells of up to 5 vertices" in captured.out
    written = json.loads(path.read_text("utf-8"))
    (row,) = written["figures"]
    assert row["figure"] == "enumerate_plain_sec"
    assert row["value"] > 0 and row["peer"]["value"] > 0
    assert row["times_better"] == pytest.approx(row["peer"]["value"] / row["value"])
    assert row["peer"]["processor"] == written["machine"]["processor"]
    assert written["machine"]["cores"] >= 1 and written["failures"] == []


def test_an_item_whose_data_are_not_there_is_left_out(monkeypatch, capsys):
    item = Item("absent", "module:function", (FREE,), data="shared/no_such_file.csv")
    monkeypatch.setattr(benchmark, "ITEMS", (item,))
    assert benchmark.main([]) == 0
    assert "absent: left out, ../shared/no_such_file.csv is not there" in capsys.readouterr().err


def test_an_item_that_fails_is_reported_and_the_others_go_on(monkeypatch, capsys):
    broken = Item("broken", "tools.benchmark_data:no_such_function", (FREE,))
    sound = Item("sound", "module:function", (TIME,))
    monkeypatch.setattr(benchmark, "ITEMS", (broken, sound))
    alone = benchmark.run_alone
    monkeypatch.setattr(
        benchmark, "run_alone",
        lambda function, full: {"a_sec": 1} if function == sound.function else alone(function, full),
    )
    assert benchmark.main([]) == 1
    output = capsys.readouterr().out
    assert "not measured" in output and "no attribute 'no_such_function'" in output
    assert "target met" in output


def test_an_unknown_item_is_one_line(capsys):
    assert benchmark.main(["--only=enumerate,magic"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("benchmark: --only=magic: expected some of enumerate,")
    assert error.count("\n") == 1


@pytest.mark.parametrize("size, count", [(2, 1), (3, 7), (4, 91)])
def test_the_plain_loop_finds_the_same_cells(size, count):
    assert len(benchmark_data.plain_enumeration(size, 9)) == count
    assert len(nasbench101.generate_cells(size, 9)) == count


def test_peak_memory_is_that_of_a_process():
    assert 10 < benchmark_data.peak_mb() < 1e5
