"""Tests of nas_tf.reports.comparison_report and of the page it writes."""

import html.parser
import json
import re

import numpy as np
import pytest
from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import (
    api_pb2,
    backend_context,
    get_experiment,
    list_session_groups,
)

from nas_tf.reports.comparison import sections
from nas_tf.reports.finished_study import read_studies
from nas_tf.reports.comparison_page import comparison_page
from nas_tf.reports.comparison_report import write_comparison
from nas_tf.reports.html_page import as_html
from nas_tf.reports.notes import ReportNotes
from nas_tf.reports.wording import escaped
from nas_tf.core import ConfigError, History
from nas_tf.storage import write_json


def _write(directory, inputs, **options):
    """Returns the page, and the numbers as they are read back from a summary."""
    numbers = write_comparison(directory, inputs, **options)
    write_json(directory.with_suffix(".json"), numbers)
    summary = json.loads(directory.with_suffix(".json").read_text("utf-8"))
    return (directory / "report.md").read_text("utf-8"), summary


class _Page(html.parser.HTMLParser):
    """Collects what a page refers to, its headings, cells and tags."""

    def __init__(self, text):
        super().__init__()
        self.sources, self.tags, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text.append(data)


def test_what_is_left(three, tmp_path):
    text, numbers = _write(tmp_path / "out", three)
    assert re.findall(r"\]\(([^)]+)\)", text) == ["regret_1.png", "final_regret_1.png"]
    files = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert set(files) == {
        "report.md", "report.html", "regret_1.png", "final_regret_1.png", "tensorboard"
    }
    assert text.startswith("# Comparison of studies\n\n3 finished studies in 1 section, ")
    page = _Page(files["report.html"].read_text("utf-8"))
    assert len(page.sources) == 2
    assert all(source.startswith("data:image/png;base64,iVBOR") for source in page.sources)
    assert page.tags.count("table") == text.count("\n| :--") == 6
    assert "link" not in page.tags and "script" not in page.tags
    assert page.tags.count("h2") == 3 and page.tags.count("strong") >= 2
    before = {name: path.read_bytes() for name, path in files.items() if path.is_file()}
    assert _write(tmp_path / "out", three)[1] == numbers
    assert {name: files[name].read_bytes() for name in before} == before


def test_the_numbers_for_the_summary(three, tmp_path):
    _, numbers = _write(tmp_path / "out", three, reference=three[1])
    assert numbers["job"] == "report" and numbers["inputs"] == [str(path) for path in three]
    (section,) = numbers["sections"]
    assert (section["dataset"], section["search_epochs"], section["num_queries"]) == (
        "digits", 108, 20
    )
    assert section["reference"] == str(three[1])
    for study in section["studies"]:
        with open(f"{study['directory']}/summary.json", encoding="utf-8") as file:
            incumbent = json.load(file)["incumbent"]
        for name, value in incumbent.items():
            assert study[name] == pytest.approx(value), name
        assert (study["num_models"], study["models"]) == (0, [])
        assert study["test_accuracy_between_models_std"] is None
    assert [study.get("test", "") != "" for study in section["studies"]] == [True, True, False]


def test_numbers_of_every_model_and_together(models, tmp_path):
    _, numbers = _write(tmp_path / "out", models)
    (joined,) = numbers["sections"][0]["studies"]
    assert (joined["label"], joined["num_runs"], joined["num_models"]) == (
        "reinforce, 3 models", 9, 3
    )
    assert joined["test_accuracy_mean"] == pytest.approx(0.85)
    assert joined["test_accuracy_std"] == pytest.approx(0.01)
    assert joined["test_accuracy_between_models_std"] == pytest.approx(0.05)
    assert joined["directories"] == [str(path) for path in models]
    assert [model["pretrain_seed"] for model in joined["models"]] == [0, 1, 2]
    found = [model["test_accuracy_mean"] for model in joined["models"]]
    assert found == pytest.approx([0.80, 0.90, 0.85])
    assert [model["test_accuracy_std"] for model in joined["models"]] == pytest.approx([0.01] * 3)


@pytest.mark.parametrize("name", ["<script>1</script>", "a|b", "*a* _b_ `c`", "a & [c](d)"])
def test_names_are_shown_as_they_are(leave_study, tmp_path, name):
    def describe(summary):
        return ReportNotes(strategy_label=name if summary["strategy"] == "evolution" else "")

    inputs = [leave_study("a"), leave_study("b", "evolution", mean=0.9)]
    text = comparison_page(sections(read_studies(inputs, describe)), [{}])
    page = _Page(as_html(text, tmp_path))
    assert name in page.text
    assert "script" not in page.tags and "em" not in page.tags and "a" not in page.tags
    assert "\n" not in escaped(f"{name}\n# heading")


def test_an_unknown_optimum_leaves_regrets_out(leave_study, tmp_path):
    inputs = [leave_study("a", best=np.nan), leave_study("b", "evolution", best=np.nan)]
    text, _ = _write(tmp_path / "out", inputs)
    assert re.findall(r"\]\(([^)]+)\)", text) == ["incumbents_1.png"]
    assert "regret_" not in text and "Difference" in text


def test_bad_places_are_refused(three, tmp_path, leave_study):
    with pytest.raises(ConfigError, match="reference=elsewhere: expected one of the inputs"):
        write_comparison(tmp_path / "out", three, reference="elsewhere")
    with pytest.raises(ConfigError, match="output_dir=.*: expected another directory"):
        write_comparison(three[0], three)
    assert not (three[0] / "report.html").exists()
    many = [leave_study(f"many{i}", runs=2, queries=2) for i in range(22)]
    with pytest.raises(ConfigError, match="22 studies on embedded: expected at most 21"):
        write_comparison(tmp_path / "out", many)
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        write_comparison(tmp_path / "file", three)


def _dashboard(directory):
    """Returns the rows that TensorBoard's HParams dashboard shows: name -> settings, metrics."""
    events = plugin_event_multiplexer.EventMultiplexer()
    events.AddRunsFromDirectory(str(directory))
    events.Reload()
    provider = data_provider.MultiplexerDataProvider(events, str(directory))
    backend = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = api_pb2.GetExperimentRequest()
    experiment = get_experiment.Handler(context.RequestContext(), backend, "", request).run()
    columns = [api_pb2.ColParams(hparam=info.name) for info in experiment.hparam_infos]
    columns += [api_pb2.ColParams(metric=info.name) for info in experiment.metric_infos]
    request = api_pb2.ListSessionGroupsRequest(
        allowed_statuses=[api_pb2.STATUS_SUCCESS], slice_size=99, col_params=columns
    )
    found = list_session_groups.Handler(context.RequestContext(), backend, "", request).run()
    return {
        group.name: (
            {name: getattr(v, v.WhichOneof("kind")) for name, v in group.hparams.items()},
            {metric.name.tag: metric.value for metric in group.metric_values},
        )
        for group in found.session_groups
    }


def test_tensorboard_shows_the_studies_side_by_side(leave_study, tmp_path):
    lines = ["--discount=0.8", "--standardize"], ["--discount=0.0", "--nostandardize"]
    inputs = [
        leave_study("a", "reinforce", lines=lines[0]),
        leave_study("b", "reinforce", mean=0.9, lines=lines[1]),
        leave_study("c", dataset="cifar10", best=np.nan, lines=["--standardize"]),
    ]
    for _ in range(2):  # the second replaces the first
        numbers = _write(tmp_path / "out", inputs)[1]
    rows = _dashboard(tmp_path / "out" / "tensorboard")
    assert sorted(rows) == ["random", "reinforce (a)", "reinforce (b)"]
    settings, metrics = rows["reinforce (b)"]
    assert (settings["discount"], settings["standardize"]) == ("0.0", False)
    assert (settings["strategy"], settings["num_queries"]) == ("reinforce", 20.0)
    assert "discount" not in rows["random"][0] and rows["random"][0]["standardize"] is True
    best = numbers["sections"][0]["studies"][0]
    for name in ("test_accuracy", "test_regret", "validation_accuracy"):
        assert metrics[name] == pytest.approx(best[f"{name}_mean"], rel=1e-6)
    assert metrics["evaluation_cost_sec"] == 2000.0 and metrics["wall_sec"] == 75.0
    assert "test_regret" not in rows["random"][1]


def test_a_table_without_test_accuracy(leave_study, tmp_path):
    rng = np.random.default_rng(0)
    inputs = []
    for name, mean in (("random", 0.85), ("evolution", 0.90)):
        validation = rng.normal(mean, 0.01, (6, 20)).round(4)
        history = History(
            np.ones((6, 20), np.uint64), validation, np.full((6, 20), np.nan), np.zeros((6, 20))
        )
        inputs.append(leave_study(
            name, name, history=history, best=np.nan, best_validation=0.95,
            dataset="cifar10", validation="single",
        ))
    text, numbers = _write(tmp_path / "out", inputs)
    (section,) = numbers["sections"]
    assert [one["label"] for one in section["studies"]] == ["evolution", "random"]
    assert section["notes"] == ["this table has no test accuracy", "this table has no training times"]
    assert section["studies"][1]["difference"] < -0.04 and section["studies"][1]["p_value"] < 0.05
    best = 0.95 - section["studies"][0]["validation_accuracy_mean"]
    assert section["studies"][0]["validation_regret_mean"] == pytest.approx(best)
    assert "| Not measured | this table has no test accuracy; this table has no training times |" in text
    heads = [line for line in text.splitlines() if line.startswith("| Study | Runs |")]
    assert "Validation regret (%)" in heads[0] and "est accuracy" not in heads[0]
    assert "Cost of a run" not in heads[1]
    assert "mean validation accuracy minus the reference's" in text
    assert "| evolution | 6 | **" in text and not re.search(r"\bnan\b", text)
    assert {"regret_1.png", "final_regret_1.png"} <= {p.name for p in (tmp_path / "out").iterdir()}
