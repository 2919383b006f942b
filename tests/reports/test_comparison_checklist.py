"""Tests of nas_tf.reports.comparison_checklist."""

from nas_tf.reports.comparison import sections
from nas_tf.reports.comparison_checklist import checklist
from nas_tf.reports.finished_study import read_studies
from nas_tf.reports.notes import ReportNotes


def _statuses(inputs):
    def describe(summary):
        return ReportNotes(is_random=summary["strategy"] == "random")

    items = checklist(sections(read_studies(inputs, describe)))
    return {item["Practice"]: item["Satisfied"] for item in items}


def test_a_sound_comparison(three):
    found = _statuses(three)
    assert len(found) == 14
    assert {name: status for name, status in found.items() if status != "yes"} == {
        "Confounding factors controlled": "in part",
        "Ablation studies": "the author's to say",
        "Tuning of hyperparameters reported": "the author's to say",
    }


def test_what_is_lacking(leave_study):
    given = ["--pretrained=runs/model", "--discount=0.8"]
    inputs = [
        leave_study("a", "reinforce", lines=given, runs=1, cost=0.0),
        leave_study("b", "reinforce", lines=["--pretrained=none"], cost=0.0),
        leave_study("c", dataset="synthetic", versions={"numpy": "2.5"}),
    ]
    (inputs[2] / "config.flags").unlink()
    assert {name: found for name, found in _statuses(inputs).items() if found != "yes"} == {
        "Code and settings of the training of architectures released": "the author's to say",
        "Code, settings and seeds of the search methods released": "in part: 2 of 3",
        "Performance as a function of compute": "in part",
        "Comparison with random search": "in part: 1 of 2",
        "Several runs, with their seeds": "in part: 2 of 3",
        "Tabular benchmarks, for many runs": "in part: 1 of 2",
        "Confounding factors controlled": "in part: versions differ",
        "Tuning of hyperparameters reported": "the author's to say",
        "Time of the whole method, end to end": "in part: 2 of 3",
        "All details of the setup reported": "in part: 2 of 3",
    }


def test_three_models_are_wanted(leave_model, models):
    practice = "Several pre-trained models, where a method has one"
    assert _statuses(models)[practice] == "yes"
    assert _statuses(models[:2])[practice] == "no"
    other = leave_model("bo", pretrain_seed=5, strategy="bayesian")
    assert _statuses([*models, other])[practice] == "in part: 1 of 2"


def test_seeds_and_models_are_no_ablation(leave_study):
    inputs = [leave_study(f"{n}", seed=n, lines=[f"--seed={n}"]) for n in range(2)]
    assert _statuses(inputs)["Ablation studies"] == "the author's to say"
    inputs.append(leave_study("c", lines=["--discount=0.5"]))
    assert _statuses(inputs)["Ablation studies"] == "yes"
