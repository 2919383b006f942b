"""nas_tf/studies/run_blocks.py: a study in blocks is the study, also when it is killed in between."""

import dataclasses

import numpy as np
import pytest

import nas_tf
from nas_tf.analysis.tensorboard import TensorBoardLogger
from nas_tf.core import HISTORY_COLUMNS, History
from nas_tf.studies import run_blocks


@dataclasses.dataclass(frozen=True)
class InTwos(nas_tf.RandomSearch):
    """Random search of two runs at a time."""

    def runs_at_once(self, study):
        return 2


@pytest.fixture(name="search", scope="module")
def _search():
    digits = nas_tf.benchmarks.digits()

    def search(recipe, **options):
        return nas_tf.search(digits, recipe, num_runs=5, num_queries=12, progress=False, **options)

    return search


def equal(first, second):
    for name in HISTORY_COLUMNS:
        np.testing.assert_array_equal(getattr(first.history, name), getattr(second.history, name))


def test_blocks_are_the_study(search, tmp_path):
    whole = search(nas_tf.RandomSearch())
    equal(search(InTwos()), whole)
    equal(search(InTwos(), output_dir=tmp_path / "study"), whole)
    names = [path.name for path in sorted((tmp_path / "study" / "checkpoints").iterdir())]
    assert names == ["search_0.npz", "search_2.npz", "search_4.npz"]


def test_a_killed_study_goes_on_within_its_block(search, tmp_path, monkeypatch):
    place, built = tmp_path / "study", []
    build = nas_tf.RandomSearch.build

    def counted(self, study):
        built.append(list(study.seeds))
        if len(built) == 4:  # one whole, to refuse what cannot be; the second block
            raise KeyboardInterrupt
        return build(self, study)

    monkeypatch.setattr(nas_tf.RandomSearch, "build", counted)
    with pytest.raises(KeyboardInterrupt):
        search(InTwos(), output_dir=place)
    assert built == [[0, 1, 2, 3, 4], [0, 1], [2, 3], [4]]
    asked = []
    evaluate = nas_tf.search.__globals__["search_loop"]._query  # pylint: disable=protected-access
    monkeypatch.setattr(
        nas_tf.search.__globals__["search_loop"], "_query",
        lambda *arguments: (asked.append(1), evaluate(*arguments)),
    )
    equal(search(InTwos(), output_dir=place), search(nas_tf.RandomSearch()))
    assert len(asked) == 12 + 12  # the last block, and the study that it is compared with


def test_what_is_logged_are_means_over_all_runs(search, tmp_path, monkeypatch):
    logged = {}
    monkeypatch.setattr(
        TensorBoardLogger, "scalars",
        lambda self, step, values: logged.setdefault(step, []).append(dict(values)),
    )
    search(InTwos(), output_dir=tmp_path / "blocks")
    search(nas_tf.RandomSearch(), output_dir=tmp_path / "whole")
    assert list(logged) == list(range(1, 13))
    for step, (blocks, whole) in logged.items():
        assert blocks == pytest.approx(whole), step


def test_histories_of_different_lengths():
    short = History(*(np.ones((1, 2)) for _ in range(4)))
    long = History(*(np.full((2, 3), 2.0) for _ in range(4)))
    joined = History.of_runs([short, long])
    assert joined.key.tolist() == [[1, 1, 0], [2, 2, 2], [2, 2, 2]]
    np.testing.assert_array_equal(joined.test_accuracy[0], [1, 1, np.nan])
    assert joined.cost_sec[0].tolist() == [1, 1, 0] and not joined.partial.any()


def test_a_block_has_its_own_checkpoint():
    assert run_blocks._own(None, 3) is None  # pylint: disable=protected-access
