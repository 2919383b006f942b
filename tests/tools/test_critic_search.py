"""tools/critic_search.py: where candidates come from, and which of them a critic takes."""

import dataclasses
import itertools
import types

import numpy as np
import pytest

import nas_tf
from nas_tf import storage
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.strategies.strategy import StudySetup
from tools import critic_search
from tools.critic_search import OFFERED, CriticSearch

FIRST, QUERIES = 10, 14
SMALL = CriticSearch(
    generator_hidden=4, generator_components=2, generator_steps=1, generator_epochs=2,
    generator_samples=40, generator_jit_compile=False, keep_top=8,
)


@pytest.fixture(name="benchmark", scope="module")
def _benchmark():
    """The embedded table; the accuracy of a cell is the number of its edges."""
    return nas_tf.benchmarks.digits()


@pytest.fixture(name="accuracy", scope="module")
def _accuracy(benchmark):
    edges = benchmark.cells.adjacency.sum(axis=(1, 2))
    return dict(zip(benchmark.cells.keys.tolist(), edges / 10.0))


def searcher(benchmark, sources):
    recipe = dataclasses.replace(SMALL, sources=sources)
    return recipe.build(StudySetup(
        space=NasBench101Space(), cells=benchmark.cells, seeds=[50000, 50001], epochs=(36,),
        num_queries=QUERIES,
    ))


@pytest.fixture(name="searched", scope="module")
def _searched(benchmark, accuracy, toy):
    """Searchers after all queries, and their keys [2, Q], by source."""
    made = {source: searcher(benchmark, source)
            for source in ("random", "neighbours", "neighbours+generator")}
    return {source: (one, toy.run(one, QUERIES, accuracy)) for source, one in made.items()}


def test_only_candidates_differ(searched):
    keys = {source: found for source, (_, found) in searched.items()}
    for found in keys.values():
        np.testing.assert_array_equal(found[:, :FIRST], keys["random"][:, :FIRST])
        assert all(len(set(run)) == QUERIES for run in found.tolist())
    pairs = itertools.combinations(keys.values(), 2)
    assert all((first != second).any() for first, second in pairs)


def test_the_critic_learns_what_is_good(searched, accuracy):
    for source in ("random", "neighbours"):
        found = np.array([[accuracy[key] for key in run] for run in searched[source][1].tolist()])
        assert (found[:, FIRST:].mean(axis=1) > found[:, :FIRST].mean(axis=1) + 0.1).all()


def test_neighbours_are_of_the_best(benchmark, accuracy, toy, monkeypatch):
    monkeypatch.setattr(critic_search, "_PARENTS", 1)
    keys = toy.run(searcher(benchmark, "neighbours"), QUERIES, accuracy)
    for run in range(2):
        for query in range(FIRST, QUERIES):
            best = max(keys[run, :query].tolist(), key=accuracy.get)  # the first of equals
            cell = benchmark.cells[np.flatnonzero(benchmark.cells.keys == best)]
            assert keys[run, query] in NasBench101Space().neighbours(cell)[0].keys


def test_what_was_offered(searched):
    for source, (study, _) in searched.items():
        assert study.offered.shape == (2, QUERIES) and not study.offered[:, :FIRST].any()
        assert study.offered.max() <= 40
    assert searched["random"][0].offered[:, FIRST:].min() > 30  # 40 of 2,532 cells, drawn evenly


def test_resumed_equals_uninterrupted(searched, benchmark, accuracy, toy, tmp_path):
    whole, keys = searched["neighbours+generator"]
    first, second = (searcher(benchmark, "neighbours+generator") for _ in range(2))
    toy.run(first, 12, accuracy)
    storage.write_npz(tmp_path / "state.npz", **first.state())
    second.restore(storage.read_npz(tmp_path / "state.npz"))
    np.testing.assert_array_equal(toy.run(second, QUERIES - 12, accuracy), keys[:, 12:])
    np.testing.assert_array_equal(second.offered, whole.offered)


def test_a_study_leaves_what_was_offered(searched, tmp_path):
    study = types.SimpleNamespace(directory=tmp_path, searcher=searched["random"][0])
    assert SMALL.leave(study) == [f"candidates: {tmp_path / OFFERED}"]
    np.testing.assert_array_equal(
        storage.read_npz(tmp_path / OFFERED)["offered"], study.searcher.offered
    )
