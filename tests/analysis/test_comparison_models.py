"""Tests of nas_tf.analysis.comparison_models, and of what pages and summaries say of models."""

import json
import re

import numpy as np
import pytest

from nas_tf.analysis.comparison import sections
from nas_tf.analysis.comparison_page import comparison_page, section_page
from nas_tf.analysis.comparison_report import write_comparison
from nas_tf.analysis.finished_study import read_studies
from nas_tf.core import ConfigError, History

MEANS = (0.80, 0.90, 0.85)  # of the models, with 0.01 more and less in their runs


def _model(seed, **changes):
    return {
        "pretrain_seed": seed, "weights": f"{seed:064d}", "num_cells": 91, "epochs": 8,
        "settings": {"autoencoder": "arch2vec"},
    } | changes


def _history(test_accuracy):
    """The last query of a run is its best, [R, 2]."""
    test = np.stack([np.full(len(test_accuracy), 0.5), test_accuracy], axis=1)
    return History(
        key=np.ones(test.shape, np.uint64),
        validation_accuracy=np.broadcast_to([0.1, 0.9], test.shape).copy(),
        test_accuracy=test,
        cost_sec=np.ones(test.shape),
    )


@pytest.fixture(name="leave")
def _leave(leave_study):
    """Returns a function that leaves a study of three runs in the embedding of a model."""

    def leave(name, mean=0.8, model=None, flags=(), **described):
        lines = [f"--output_dir={name}", "--discount=0.8", f"--seed={described.get('seed', 0)}"]
        history = _history(mean + np.array([-0.01, 0.0, 0.01]))
        return leave_study(
            name, described.pop("strategy", "reinforce"), history=history, runs=3, queries=2,
            lines=[*lines, *flags], model=model, **described,
        )

    return leave


@pytest.fixture(name="models")
def _models(leave):
    """Studies in the embeddings of three models."""
    return [
        leave(f"rl{seed}", mean, _model(seed), [f"--pretrain_seed={seed}"])
        for seed, mean in enumerate(MEANS)
    ]


def _labels(inputs):
    return [
        sorted(study.label for study in group.studies) for group in sections(read_studies(inputs))
    ]


def _row(text, label):
    (line,) = re.findall(rf"^\| {re.escape(label)} \|(.*)\|$", text, re.MULTILINE)[:1]
    return [cell.strip().strip("*") for cell in line.split("|")]


def test_studies_that_differ_in_the_model_alone_are_one(leave, models):
    (group,) = sections(read_studies([*models, leave("random", strategy="random")]))
    joined, alone = group.studies
    assert (joined.label, alone.label) == ("reinforce, 3 models", "random")
    assert [part.label for part in joined.parts] == [f"reinforce (rl{n})" for n in range(3)]
    assert joined.curves.num_runs == joined.summary["num_runs"] == 9 and len(joined.models) == 3
    assert joined.run_models.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert joined.seeds == (0, 1, 2) * 3
    np.testing.assert_allclose(joined.curves.test_accuracy[3:6, -1], [0.89, 0.9, 0.91])
    assert joined.summary["wall_sec"] == 3 * 75.0
    assert alone.parts == (alone,) and alone.models == ()
    assert len(group.parts) == 4


def test_models_given_by_their_directories_are_joined_wherever_the_table_lay(leave):
    a = leave("a", model=_model(0), flags=["--pretrained=x", "--nasbench101_records=t"])
    b = leave("b", model=_model(1), flags=["--pretrained=y", "--nasbench101_records=u"])
    assert _labels([a, b]) == [["reinforce, 2 models"]]


@pytest.mark.parametrize("changes", [
    {"flags": ["--epochs=9"]},
    {"model": _model(1, settings={"autoencoder": "gae"})},
    {"model": _model(1, epochs=3)},
    {"model": _model(1, num_cells=90)},
    {"model": _model(0), "seed": 7},
    {"seed": 100},  # "between models" would be of other runs as well
    {"model": None},
    {"strategy": "bayesian"},
], ids=str)
def test_studies_that_differ_in_more_stay_apart(leave, changes):
    inputs = [leave("a", model=_model(0)), leave("b", **{"model": _model(1)} | changes)]
    assert len(_labels(inputs)[0]) == 2


def test_models_of_unknown_settings_are_not_joined(leave):
    inputs = [leave(f"{seed}", model=_model(seed, settings=None)) for seed in range(2)]
    assert _labels(inputs) == [["reinforce (0)", "reinforce (1)"]]


def test_settings_that_are_not_known_join_nothing(leave):
    inputs = [leave("a", model=_model(0)), leave("b", model=_model(1))]
    (inputs[0] / "config.flags").unlink()
    assert _labels(inputs) == [["reinforce (a)", "reinforce (b)"]]


def test_a_run_does_not_count_twice(leave, models):
    again = leave("again", MEANS[0], _model(0), ["--pretrained=x"])
    for inputs in ([*models, again], [models[0], again]):  # however many models there are
        with pytest.raises(ConfigError) as caught:
            _labels(inputs)
        assert f"{models[0]} and {again} have runs of the same model and seed (0)" in str(caught.value)
    more = leave("more", MEANS[0], _model(0), seed=3)
    assert _labels([*models, more]) == [["reinforce (more)", "reinforce, 3 models"]]


def test_the_page_has_one_row_of_all_models(leave, models):
    inputs = [*models, leave("random", 0.7, strategy="random"),
              leave("bo", 0.75, _model(5), strategy="bayesian")]
    groups = sections(read_studies(inputs))
    text = comparison_page([section_page(group, figures={}) for group in groups])
    assert text.startswith("# Comparison of studies\n\n5 finished studies in 1 section")
    row = _row(text, "reinforce, 3 models")
    assert row[1:3] == ["85.00 ± 1.00", "± 5.00 (3 models)"]  # 80, 90 and 85
    assert _row(text, "bayesian")[2] == "one model" and _row(text, "random")[2] == "no model"
    assert "One model: bayesian; such runs say nothing of other models." in text
    assert "Between models: standard deviation of the models' means" in text
    assert "p and P(better) are of the runs given these models." in text
    assert "| reinforce (rl1) | 3 | 0 to 2 |" in text and "seed 1, 00000000" in text
    assert "Several pre-trained models, where a method has one | no | 1 model of a study" in text


def test_three_models_are_what_is_wanted(models):
    groups = sections(read_studies(models))
    text = comparison_page([section_page(group, figures={}) for group in groups])
    assert "where a method has one | yes | 3 models of a study at least; 3 are wanted" in text
    assert "One model:" not in text


def test_the_interval_is_of_the_models_means(leave, models):
    """Means 80, 90 and 85 against three runs at 69, 70 and 71: Welch's, by hand."""
    (group,) = sections(read_studies([*models, leave("random", 0.7, strategy="random")]))
    page = section_page(group, figures={})
    assert page.contrasts[0] is None
    contrast = page.contrasts[1]
    assert contrast.test == "Mann-Whitney U test" and contrast.superiority == 0.0
    assert contrast.difference == pytest.approx(-0.15)
    first, second = 0.0025 / 3, 0.0001 / 3  # variances of the means
    freedom = (first + second) ** 2 / (first**2 / 2 + second**2 / 2)
    assert freedom == pytest.approx(2.16, abs=0.01)
    half = 4.0117 * np.sqrt(first + second)  # t at 97.5 % with 2.16 degrees of freedom
    assert contrast.high - contrast.difference == pytest.approx(half, rel=2e-3)
    assert contrast.low == pytest.approx(2 * contrast.difference - contrast.high)
    width_of_runs = 2 * 2.26 * 0.045 / 3  # what nine independent runs would pretend
    assert contrast.high - contrast.low > 2 * width_of_runs


def test_a_member_can_be_the_reference(leave, models):
    (group,) = sections(read_studies([*models, leave("b", 0.95, strategy="random")]))
    assert section_page(group, figures={}, reference=models[2]).reference == 1


def test_numbers_of_every_model_and_together(leave, models, tmp_path):
    inputs = [*models, leave("random", 0.7, strategy="random")]
    numbers = write_comparison(tmp_path / "out", inputs)
    assert (tmp_path / "out" / "regret_1.png").exists()
    joined, alone = numbers["sections"][0]["studies"]
    assert (joined["label"], joined["num_runs"], joined["num_models"]) == (
        "reinforce, 3 models", 9, 3
    )
    assert joined["test_accuracy_mean"] == pytest.approx(0.85)
    assert joined["test_accuracy_std"] == pytest.approx(0.01)
    assert joined["test_accuracy_between_models_std"] == pytest.approx(0.05)
    assert joined["directories"] == [str(path) for path in models]
    assert [model["pretrain_seed"] for model in joined["models"]] == [0, 1, 2]
    found = [model["test_accuracy_mean"] for model in joined["models"]]
    np.testing.assert_allclose(found, MEANS)
    assert [model["test_accuracy_std"] for model in joined["models"]] == pytest.approx([0.01] * 3)
    assert (alone["num_models"], alone["models"]) == (0, [])
    assert alone["test_accuracy_between_models_std"] is None
    assert numbers["sections"][0]["search_epochs"] == 108
    json.dumps(joined["models"], allow_nan=False)


def test_runs_that_ended_early_keep_their_last_incumbent(leave, leave_study):
    longer = np.full((3, 4), 0.9)
    history = History(np.ones((3, 4), np.uint64), longer, longer.copy(), np.ones(longer.shape))
    budget = {"query_budget": None, "cost_budget_sec": 2.0}
    flags = ["--output_dir=a", "--discount=0.8", "--seed=0"]
    inputs = [
        leave("a", 0.8, _model(0), **budget),
        leave_study("b", "reinforce", history=history, runs=3, queries=4, lines=flags,
                    model=_model(1), **budget),
    ]
    (group,) = sections(read_studies(inputs))
    curves = group.studies[0].curves
    assert curves.test_accuracy.shape == (6, 4)
    np.testing.assert_allclose(curves.test_accuracy[:3, -1], [0.79, 0.8, 0.81])
    assert group.studies[0].summary["num_queries_mean"] == 3.0
