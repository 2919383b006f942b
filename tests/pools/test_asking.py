"""Tests of what every strategy does while answers are out: each runs with all of them."""

import dataclasses
import itertools

import numpy as np
import pytest

from nas_tf import core
from nas_tf.arch2vec.bayesian import BayesianSearch
from nas_tf.arch2vec.reinforce import ReinforceSearch
from nas_tf.arch2vec.supervised import SupervisedSearch
from nas_tf.baselines.bananas import Bananas
from nas_tf.baselines.bohb import Bohb
from nas_tf.baselines.categorical_reinforce import CategoricalReinforce
from nas_tf.baselines.evolution import RegularizedEvolution
from nas_tf.baselines.local_search import LocalSearch
from nas_tf.baselines.random_search import RandomSearch
from nas_tf.graphpnas.explorer import Exploration, Explorer
from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.learning import Learning
from nas_tf.graphpnas.search import GraphSearch
from nas_tf.spaces.nasbench101 import NasBench101Space

SPACE = NasBench101Space(max_vertices=4)
CELLS = SPACE.enumerate_cells()  # 91
VALUES = np.random.default_rng(0).random(len(CELLS))
VALUES[::7] = np.nan  # infeasible
ACCURACY = dict(zip(CELLS.keys.tolist(), VALUES.tolist(), strict=True))
EMBEDDING = np.random.default_rng(1).normal(size=(len(CELLS), 4)).astype(np.float32)


class Encoders:
    """Stands in for the training of encoders: an embedding follows from what it learned from."""

    num_cells, depth = EMBEDDING.shape

    def embed(self, seeds, batches, targets, finish):
        for number in range(len(seeds)):
            weight = np.float32(1 + np.abs(targets[number]).sum() + batches[number].sum())
            finish(number, np.sin(EMBEDDING * weight))


def supervised(seeds):
    def make(pool):
        return ReinforceSearch(pool, CELLS, seeds=seeds, episode_length=5)

    return SupervisedSearch(make, CELLS, Encoders(), seeds=seeds, first=1, period=4, steps=2)


def graph_search(seeds, **values):
    form = SPACE.graph_form(CELLS)
    learning = {"keep_top": 6, "epochs": 2, "period": 6, "num_samples": 20, "total_queries": 40}
    return GraphSearch(
        CELLS,
        form,
        GraphGenerator(form.description, hidden=4, num_components=2, num_steps=1),
        seeds=seeds,
        learning=Learning(**learning | values),
        explorer=Explorer(form.description, probability=0.5),
        exploration=Exploration("step", steps=4),
        jit_compile=False,
    )


STRATEGIES = {
    "random": lambda seeds: RandomSearch(CELLS, seeds=seeds),
    "evolution": lambda seeds: RegularizedEvolution(
        CELLS, SPACE, seeds=seeds, population_size=6, tournament_size=3
    ),
    "local": lambda seeds: LocalSearch(CELLS, SPACE, seeds=seeds),
    "local, first": lambda seeds: LocalSearch(
        CELLS, SPACE, seeds=seeds, full_neighbourhood=False
    ),
    "categorical": lambda seeds: CategoricalReinforce(CELLS, SPACE.decisions(CELLS), seeds=seeds),
    "bohb": lambda seeds: Bohb(CELLS, SPACE.decisions(CELLS), seeds=seeds, epochs=(1, 3, 9)),
    "bananas": lambda seeds: Bananas(
        CELLS, SPACE, seeds=seeds, ensemble_size=2, num_layers=1, layer_width=4, epochs=2
    ),
    "arch2vec_rl": lambda seeds: ReinforceSearch(EMBEDDING, CELLS, seeds=seeds, episode_length=7),
    "arch2vec_bo": lambda seeds: BayesianSearch(
        EMBEDDING, CELLS, seeds=seeds, num_initial=6, batch_size=3, epochs=3
    ),
    "supervised_rl": supervised,
    "graphpnas": graph_search,
    "graphpnas, restart": lambda seeds: graph_search(seeds, restart=True),
}
SLOW = (
    "bananas", "arch2vec_rl", "arch2vec_bo", "supervised_rl", "graphpnas", "graphpnas, restart"
)  # fmt: skip


@pytest.fixture(name="slow")
def _slow(request):
    """Tells whether the strategy at hand compiles or trains."""
    return request.node.callspec.params["make"] in SLOW


@pytest.fixture(name="make", params=STRATEGIES, ids=lambda name: name.replace(", ", "-"))
def _make(request):
    """Returns a function from seeds to a strategy."""
    return STRATEGIES[request.param]


class Workers:
    """Measures several cells at a time and answers late, in an order of its own.

    Attributes:
        asked: keys uint64 [R], epochs and number of every query, in the order of asking.
    """

    def __init__(self, strategy, toy, capacity=5, seed=0):
        self.strategy, self._toy, self._capacity = strategy, toy, capacity
        self._rng = np.random.default_rng(seed)
        self.asked, self.out = [], []

    def ask(self, most):
        """Takes at most `most` queries in all, and returns whether one more was taken."""
        idle = min(self._capacity - len(self.out), most - len(self.asked))
        if idle < 1:
            return False
        suggestion = self.strategy.suggest(idle)
        assert suggestion.cells.shape[1] == len(suggestion.numbers) <= idle
        self.strategy.take(suggestion)
        for column, number in enumerate(suggestion.numbers.tolist()):
            assert number == len(self.asked)
            one = core.Suggestion(suggestion.cells[:, column : column + 1], suggestion.epochs)
            self.asked.append((one.cells.keys[:, 0], suggestion.epochs, number))
            self.out.append((number, one))
        return len(suggestion.numbers) > 0

    def answer(self):
        """Answers one query, any of those that are out."""
        number, one = self.out.pop(self._rng.integers(len(self.out)))
        feedback = self._toy.answer(one, ACCURACY)
        self.strategy.update(dataclasses.replace(feedback, numbers=np.array([number])))

    def work(self, queries, restart=None, every=1):
        """Makes so many queries; `restart` makes the strategy that goes on, every few turns."""
        for turn in itertools.count():
            if len(self.asked) == queries and not self.out:
                break
            took = self.ask(queries)
            if restart and turn % every == 0:
                fresh = restart()
                fresh.restore(self.strategy.state())
                self.strategy = fresh
            assert took or self.out, "it waits for nothing"
            self.answer()


def keys_of(workers):
    return np.stack([keys for keys, _, _ in workers.asked], axis=1)


def test_answers_in_any_order(make, slow, toy):
    workers, queries = Workers(make([3, 4]), toy), 24 if slow else 40
    workers.work(queries)
    for run in range(2):
        made = [(int(keys[run]), epochs) for keys, epochs, _ in workers.asked]
        assert len(set(made)) == len(made) == queries  # nothing is asked for twice
    state = workers.strategy.state()
    assert state["queried"].shape == (2, queries)
    assert sorted(state["arrival"][0].tolist()) == list(range(queries))
    found = [[ACCURACY[key] for key in run] for run in keys_of(workers).tolist()]
    np.testing.assert_array_equal(state["accuracy"], found)


def test_one_at_a_time_is_the_synchronous_search(make, slow, toy):
    """Whoever says what is out, and has one worker, gets the trace of the loop."""
    workers, queries = Workers(make([3, 4]), toy, capacity=1), 20 if slow else 30
    workers.work(queries)
    strategy, trace = make([3, 4]), np.zeros((2, 0), np.uint64)
    while trace.shape[1] < queries:
        suggestion = strategy.suggest().first(queries - trace.shape[1])
        strategy.update(toy.answer(suggestion, ACCURACY))
        trace = np.concatenate([trace, suggestion.cells.keys], axis=1)
    np.testing.assert_array_equal(keys_of(workers), trace)
    state = strategy.state()
    for name, value in workers.strategy.state().items():
        if name != "planned":
            np.testing.assert_array_equal(value, state[name], err_msg=name)


def test_restored_with_answers_out(make, slow, toy):
    queries = 18 if slow else 35
    whole, broken = (Workers(make([3, 4]), toy, seed=1) for _ in range(2))
    whole.work(queries)
    broken.work(queries, restart=lambda: make([3, 4]), every=6 if slow else 1)
    np.testing.assert_array_equal(keys_of(broken), keys_of(whole))
    state = whole.strategy.state()
    for name, value in broken.strategy.state().items():
        np.testing.assert_array_equal(value, state[name], err_msg=name)


def test_what_is_out_is_in_the_state_and_suggest_is_not(make, toy):
    workers = Workers(make([3]), toy, capacity=3)
    workers.work(8)
    workers.ask(11)
    before = workers.strategy.state()
    assert before["arrival"][0].tolist().count(-1) == len(workers.out) > 0
    workers.strategy.suggest(2), workers.strategy.suggest(4)
    after = workers.strategy.state()
    assert len(before["queried"][0]) == len(after["queried"][0]) == 8 + len(workers.out)
    np.testing.assert_array_equal(before["planned"], after["planned"])


def test_wrong_answers_are_refused(toy):
    strategy = STRATEGIES["random"]([3])
    suggestion = strategy.suggest(3)
    strategy.take(suggestion)
    feedback = toy.answer(suggestion, ACCURACY)

    def answer(columns, numbers):
        fields = ("cells", "feasible", "validation_accuracy", "cost_sec")
        part = {name: getattr(feedback, name)[:, columns] for name in fields}
        strategy.update(
            dataclasses.replace(feedback, **part, numbers=np.array(numbers, np.int64))
        )

    with pytest.raises(ValueError, match="other cells"):
        answer([0], [1])
    with pytest.raises(ValueError, match="not suggested"):
        answer([0], [4])
    with pytest.raises(ValueError, match=r"\[1, 1\] twice"):
        answer([1, 1], [1, 1])
    answer([2, 0], [2, 0])
    with pytest.raises(ValueError, match=r"\[2\] twice"):
        answer([2], [2])
    with pytest.raises(ValueError, match="take\\(\\) got other cells"):
        strategy.take(suggestion)
    assert strategy.state()["arrival"].tolist() == [[1, -1, 0]]


def test_a_run_that_ends_while_it_is_out_learns_nothing(toy):
    strategy = STRATEGIES["evolution"]([3, 4])
    suggestion = strategy.suggest(2)
    strategy.take(suggestion)
    strategy.update(dataclasses.replace(
        toy.answer(suggestion, ACCURACY, active=[True, False]), numbers=np.array([0, 1])
    ))
    state = strategy.state()
    assert (state["queried"][0] >= 0).all() and state["queried"][1].tolist() == [-1, -1]
    assert state["active"].tolist() == [True, False]
    again = STRATEGIES["evolution"]([3, 4])
    again.restore(state)
    np.testing.assert_array_equal(again.suggest(3).cells.keys[0], strategy.suggest(3).cells.keys[0])


def test_the_pool_ends_while_answers_are_out(toy):
    strategy = STRATEGIES["random"]([3])
    strategy.take(strategy.suggest(90))
    last = strategy.suggest(5)
    assert last.cells.shape == (1, 1) and last.numbers.tolist() == [90]
    strategy.take(last)
    assert strategy.suggest(5).cells.shape == (1, 0)  # answers are to come
    assert len(np.unique(strategy.state()["queried"])) == 91
