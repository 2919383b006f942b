"""Trainings in turns: what becomes of their seconds, and how they are talked to."""

import pytest

import nas_tf
from tools import benchmark_training, training_rivals
from tools.benchmark_figures import ITEMS
from tools.training_rivals import CONTESTS


def test_ratios_are_medians_of_rounds():
    clock = {"fit": [2.0, 4.0, 6.0], "plain": [2.0, 2.0, 12.0], "everything": [4.0, 4.0, 7.5]}
    seconds = {kind: [[wall, 8.0 + (kind == "plain")] for wall in walls]
               for kind, walls in clock.items()}
    ends = {"fit": {"peak_mb": 900}, "plain": {"peak_mb": 800},
            "everything": {"peak_mb": 1000, "waiting": 0.02}}
    found = benchmark_training.figures("darts", 100, seconds, ends)
    assert found.pop("note") == (
        "medians of 3 passes of 32 batches of 32; by processor time 0.889 x, 1.000 x with "
        "everything on"
    )
    assert found == {
        "train_darts_per_sec": 50.0, "train_darts_per_sec_peer": 25.0,
        "train_darts_ratio": 1.0, "train_darts_full_ratio": 0.8, "train_darts_waiting": 2.0,
        "train_darts_peak_mb": 1000, "train_darts_peak_mb_peer": 900,
    }
    (item,) = (item for item in ITEMS if item.name == "train_darts")
    verdicts = {figure.name: figure.verdict(found[figure.name]) for figure in item.figures}
    assert list(verdicts.values()) == ["", "met", "MISSED", "met", ""]
    assert {figure.name for figure in item.figures} <= set(found)


def test_every_network_has_an_item():
    names = [item.name for item in ITEMS if item.function.startswith("tools.benchmark_training:")]
    assert names == [f"train_{name}" for name in CONTESTS]
    assert all(callable(getattr(benchmark_training, name)) for name in CONTESTS)


def test_networks_are_those_of_the_flagfiles():
    found = {}
    for name, contest in CONTESTS.items():
        shape = (contest.size, contest.size, 3)
        found[name] = nas_tf.parameters(
            contest.architecture(), input_shape=shape, **contest.around
        )
    assert found["darts"] == 246_106  # the published second-order cell
    assert min(found.values()) > 30_000


def test_a_pass_is_all_the_images():
    contest = training_rivals.Contest("darts_final.flags", 4, 6, size=8)
    data = contest.data(training_rivals.Augmentation())
    assert data.train.steps(4) == 6 and data.validation is None
    (batch,) = data.train.batches(4).take(1)
    assert batch["image"].shape == (4, 8, 8, 3)


def test_a_training_that_ends_says_why():
    with pytest.raises(RuntimeError, match=r"exit status 1: KeyError: 'no such'"):
        with benchmark_training.rival("darts", "no such"):
            pass


def test_turns_are_timed_from_asking_to_the_next_pass(monkeypatch, capsys):
    clock, processors = iter([10.0, 13.5, 20.0]), iter([1.0, 7.0, 8.0])
    monkeypatch.setattr(training_rivals.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(training_rivals.time, "process_time", lambda: next(processors))
    lines = iter(["go\n", "go\n"])
    monkeypatch.setattr(training_rivals.sys, "stdin", type("Lines", (), {
        "readline": staticmethod(lambda: next(lines, ""))}))
    turns = training_rivals.Turns()
    for epoch in range(3):
        turns.on_epoch_begin(epoch)
    assert capsys.readouterr().out.splitlines() == ["[]", "[3.5, 6.0]"]
