"""The official interface: specs, hashes, statistics, the official example, exceptions."""

import copy
import pickle
import random

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.nasbench101 import OP_NAMES, NasBench101Space
from nas_tf.tables import nasbench101 as api
from nas_tf.tables import graph_util, model_spec
from tools import make_nasbench101_records

INPUT, OUTPUT = "input", "output"
CONV1X1, CONV3X3, MAXPOOL3X3 = "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3"
OFFICIAL_OPS = [CONV3X3, CONV1X1, MAXPOOL3X3]
CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


@pytest.fixture
def nasbench(synthetic):
    return api.NASBench(synthetic, seed=7)


@pytest.fixture
def example(inception):
    """The specification in the official example."""
    matrix, ops = inception
    return api.ModelSpec(matrix=matrix, ops=[OP_NAMES[op] for op in ops])


def test_hash_of_a_published_cell():
    matrix = np.array(list("0100110001000000010010000010000001000000010000000"), int)
    ops = [INPUT, CONV3X3, MAXPOOL3X3, CONV3X3, CONV3X3, CONV1X1, OUTPUT]
    spec = api.ModelSpec(matrix.reshape(7, 7), ops)
    assert spec.hash_spec(OFFICIAL_OPS) == "00005c142e6f48ac74fdcf73e3439874"


def test_hash_is_that_of_the_pruned_graph_up_to_isomorphism():
    diamond = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    one = api.ModelSpec(diamond, [INPUT, CONV1X1, MAXPOOL3X3, OUTPUT])
    other = api.ModelSpec(diamond, [INPUT, MAXPOOL3X3, CONV1X1, OUTPUT])
    assert one.hash_spec(OFFICIAL_OPS) == other.hash_spec(OFFICIAL_OPS)
    chain = api.ModelSpec(CHAIN, [INPUT, CONV1X1, OUTPUT])
    dangling = api.ModelSpec(
        [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]],
        [INPUT, CONV1X1, MAXPOOL3X3, OUTPUT],
    )
    assert chain.hash_spec(OFFICIAL_OPS) == dangling.hash_spec(OFFICIAL_OPS)
    assert chain.hash_spec(OFFICIAL_OPS) != one.hash_spec(OFFICIAL_OPS)
    # The order of the operations' names decides their labels.
    swapped = [CONV1X1, CONV3X3, MAXPOOL3X3]
    conv3x3 = api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT])
    assert chain.hash_spec(swapped) == conv3x3.hash_spec(OFFICIAL_OPS)
    with pytest.raises(ValueError):
        chain.hash_spec([CONV3X3])


def test_pruning_keeps_the_original():
    matrix = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    ops = [INPUT, CONV1X1, MAXPOOL3X3, OUTPUT]
    spec = api.ModelSpec(matrix, ops)
    assert spec.valid_spec and spec.data_format == "channels_last"
    assert spec.matrix.tolist() == CHAIN and spec.ops == [INPUT, CONV1X1, OUTPUT]
    assert spec.original_ops == ops and spec.original_ops is not ops
    matrix[0, 1] = 0
    assert spec.original_matrix.tolist() == [
        [0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0],
    ]
    broken = api.ModelSpec(matrix, ops)
    assert (broken.valid_spec, broken.matrix, broken.ops) == (False, None, None)
    assert not api.ModelSpec([[0]], [INPUT]).valid_spec


@pytest.mark.parametrize(
    "matrix, ops, message",
    [
        ([[0, 1]], [INPUT, OUTPUT], "square"),
        ([], [], "square"),
        (CHAIN, [INPUT, OUTPUT], "2 operations for 3 rows"),
        ([[1, 1], [0, 0]], [INPUT, OUTPUT], "upper-triangular"),
        ([[0, 1], [1, 0]], [INPUT, OUTPUT], "upper-triangular"),
    ],
)
def test_specs_that_cannot_be(matrix, ops, message):
    with pytest.raises(ValueError, match=message):
        api.ModelSpec(matrix, ops)


def test_the_official_example(tmp_path, example):
    path = tmp_path / "one_cell_synthetic.tfrecord"
    _write_one_cell(path, example)
    dataset = api.NASBench(str(path))
    assert dataset.is_valid(example)
    data = dataset.query(example)
    assert list(data) == [
        "module_adjacency", "module_operations", "trainable_parameters", "training_time",
        "train_accuracy", "validation_accuracy", "test_accuracy",
    ]
    assert data["module_adjacency"].dtype == np.int8
    assert type(data["module_adjacency"]) is np.ndarray
    assert data["module_adjacency"].tolist() == example.original_matrix.tolist()
    assert data["module_operations"] == example.original_ops
    assert type(data["trainable_parameters"]) is int
    assert type(data["training_time"]) is float and type(data["test_accuracy"]) is float
    assert list(dataset.hash_iterator()) == [example.hash_spec(dataset.config["available_ops"])]


def _write_one_cell(path, spec):
    cells = CellGraphs.from_matrices(
        [spec.matrix], [[OP_NAMES.index(name) for name in spec.ops]], 7
    )
    hashes = NasBench101Space().md5_hashes(cells)
    rows = make_nasbench101_records.generate_rows(cells, hashes, epochs=[108], repeats=3, seed=0)
    with open(path, "wb") as handle:
        make_nasbench101_records.records.write_records(handle, rows)


def test_config_and_attributes(nasbench):
    assert nasbench.config == {
        "module_vertices": 7, "max_edges": 9, "num_repeats": 3, "available_ops": OFFICIAL_OPS,
    }
    assert nasbench.valid_epochs == {4, 108}
    assert nasbench.history == {}
    assert nasbench.get_budget_counters() == (0.0, 0)
    assert len(nasbench.hash_iterator()) == 91
    assert next(iter(nasbench.hash_iterator())) == "043721b9c7fe8c5fad811d47d83132ec"
    assert "043721b9c7fe8c5fad811d47d83132ec" in nasbench.fixed_statistics
    assert "0" * 32 not in nasbench.computed_statistics


def test_statistics_of_a_cell(nasbench):
    spec = api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT])
    fixed, computed = nasbench.get_metrics_from_spec(spec)
    assert list(fixed) == ["module_adjacency", "module_operations", "trainable_parameters"]
    assert list(computed) == [4, 108] and [len(computed[e]) for e in computed] == [3, 3]
    assert list(computed[108][0]) == [
        "halfway_training_time", "halfway_train_accuracy", "halfway_validation_accuracy",
        "halfway_test_accuracy", "final_training_time", "final_train_accuracy",
        "final_validation_accuracy", "final_test_accuracy",
    ]
    table, index = nasbench.table, nasbench.table.index_of_hash(spec.hash_spec(OFFICIAL_OPS))
    assert computed[4][2]["halfway_test_accuracy"] == table.test_accuracy[index, 0, 2, 0]
    assert computed[108][1]["final_training_time"] == table.training_time_sec[index, 1, 1, 1]
    computed[4].clear()
    assert len(nasbench.get_metrics_from_hash(spec.hash_spec(OFFICIAL_OPS))[1][4]) == 3


def test_queries_draw_like_the_official_class_and_count_their_cost(synthetic):
    nasbench = api.NASBench(synthetic)
    spec = api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT])
    computed = nasbench.get_metrics_from_spec(spec)[1]
    random.seed(7)
    expected = [random.randint(0, 2) for _ in range(20)]
    random.seed(7)
    drawn = [nasbench.query(spec)["validation_accuracy"] for _ in range(20)]
    assert drawn == [computed[108][repeat]["final_validation_accuracy"] for repeat in expected]
    seconds, epochs = nasbench.get_budget_counters()
    assert epochs == 20 * 108
    np.testing.assert_allclose(
        seconds, sum(computed[108][repeat]["final_training_time"] for repeat in expected)
    )
    nasbench.reset_budget_counters()
    data = nasbench.query(spec, epochs=4, stop_halfway=True)
    assert data["test_accuracy"] in [item["halfway_test_accuracy"] for item in computed[4]]
    assert nasbench.get_budget_counters() == (data["training_time"], 2)
    assert nasbench.training_time_spent == data["training_time"]
    assert nasbench.total_epochs_spent == 2


def _accuracies(nasbench, count=8):
    spec = api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT])
    return [nasbench.query(spec)["validation_accuracy"] for _ in range(count)]


def test_python_seeds_decide_what_queries_see(synthetic):
    nasbench, other = api.NASBench(synthetic), api.NASBench(synthetic)
    random.seed(43)
    first = _accuracies(nasbench)
    between = random.getstate()
    assert len(set(first)) > 1 and _accuracies(nasbench) != first
    random.seed(43)
    assert _accuracies(nasbench) == first
    random.seed(43)
    assert _accuracies(other) == first
    assert random.getstate() == between  # eight draws of it and no other use, nor a new seed
    random.seed(43)
    api.NASBench(synthetic)
    nasbench.is_valid(api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT]))
    nasbench.get_metrics_from_hash(next(iter(nasbench.hash_iterator())))
    assert _accuracies(nasbench) == first


def test_with_a_seed_of_its_own_python_is_left_alone(synthetic):
    random.seed(7)
    expected = _accuracies(api.NASBench(synthetic))
    state = random.getstate()
    one, other = api.NASBench(synthetic, seed=7), api.NASBench(synthetic, seed=7)
    # Turn by turn: neither object's draws are the other's.
    turns = [(_accuracies(one, 1) + _accuracies(other, 1)) for _ in range(8)]
    assert turns == [[value, value] for value in expected]
    assert random.getstate() == state
    one.reseed(7)
    assert _accuracies(one) == expected
    random.seed(7)
    one.reseed(None)
    assert _accuracies(one) == expected and random.getstate() == state


def test_a_refused_query_draws_nothing(synthetic, example):
    nasbench = api.NASBench(synthetic)
    random.seed(43)
    first = _accuracies(nasbench)
    random.seed(43)
    for error, spec, epochs in [
        (api.OutOfDomainError, example, 12), (KeyError, example, 108),
        (api.OutOfDomainError, api.ModelSpec(np.zeros((2, 2)), [INPUT, OUTPUT]), 108),
    ]:
        with pytest.raises(error):
            nasbench.query(spec, epochs=epochs)
    assert _accuracies(nasbench) == first


def test_statistics_changed_in_place_stay_changed(synthetic):
    """Scripts pad all cells to seven vertices in the statistics themselves."""
    nasbench, other = api.NASBench(synthetic), api.NASBench(synthetic)
    spec = api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT])
    for module_hash in nasbench.hash_iterator():
        fixed = nasbench.fixed_statistics[module_hash]
        missing = 7 - len(fixed["module_operations"])
        for _ in range(missing):
            nasbench.fixed_statistics[module_hash]["module_operations"].insert(-1, "null")
        nasbench.fixed_statistics[module_hash]["module_adjacency"] = np.pad(
            fixed["module_adjacency"], ((0, missing), (0, missing))
        )
    for fixed in nasbench.fixed_statistics.values():
        assert len(fixed["module_operations"]) == 7 and fixed["module_adjacency"].shape == (7, 7)
    queried = nasbench.query(spec)
    assert queried["module_operations"] == [INPUT, CONV3X3, *["null"] * 4, OUTPUT]
    module_hash = nasbench._hash_spec(spec)
    nasbench.computed_statistics[module_hash][108][0]["final_test_accuracy"] = 2.0
    assert nasbench.get_metrics_from_spec(spec)[1][108][0]["final_test_accuracy"] == 2.0
    # What a query returns is the caller's alone, and another object has its own statistics.
    queried["module_operations"].clear()
    nasbench.get_metrics_from_hash(module_hash)[0]["module_operations"].clear()
    assert len(nasbench.fixed_statistics[module_hash]["module_operations"]) == 7
    assert len(other.fixed_statistics[module_hash]["module_operations"]) == 3
    assert other.get_metrics_from_spec(spec)[1][108][0]["final_test_accuracy"] < 1.0
    with pytest.raises(TypeError, match="item assignment"):
        nasbench.fixed_statistics[module_hash] = {}


def test_membership_and_queries_keep_no_statistics(nasbench):
    module_hash = next(iter(nasbench.hash_iterator()))
    assert module_hash in nasbench.fixed_statistics
    nasbench.get_metrics_from_hash(module_hash)
    assert not nasbench.fixed_statistics._given and not nasbench.computed_statistics._given
    assert nasbench.fixed_statistics[module_hash] is nasbench.fixed_statistics[module_hash]


def test_methods_that_scripts_call_by_their_private_names(nasbench, example):
    assert nasbench._hash_spec(example) == "28cfc7874f6d200472e1a9dcd8650aa0"
    assert nasbench._hash_spec(example) == example.hash_spec(nasbench.config["available_ops"])
    assert nasbench._check_spec(example) is None
    with pytest.raises(api.OutOfDomainError, match="no path"):
        nasbench._check_spec(api.ModelSpec(np.zeros((2, 2)), [INPUT, OUTPUT]))


def test_every_cell_of_a_table_is_found_again_by_what_it_says_of_itself():
    nasbench = api.NASBench(api.NasBench101Table.embedded().path)
    labels = {name: label for label, name in enumerate(nasbench.config["available_ops"])}
    for module_hash in nasbench.hash_iterator():
        fixed, computed = nasbench.get_metrics_from_hash(module_hash)
        matrix, ops = fixed["module_adjacency"], fixed["module_operations"]
        spec = model_spec.ModelSpec(matrix, ops)
        assert nasbench.is_valid(spec) and nasbench._hash_spec(spec) == module_hash
        interior = [labels[name] for name in ops[1:-1]]
        assert graph_util.hash_module(matrix, [-1, *interior, -2]) == module_hash
        assert graph_util.num_edges(matrix) <= 9 and graph_util.is_full_dag(matrix)
        assert set(computed) == nasbench.valid_epochs


def test_the_embedded_table_names_its_budgets():
    path = api.NasBench101Table.embedded().path
    nasbench = api.NASBench(path)
    spec = api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT])
    with pytest.raises(api.OutOfDomainError, match=(
        r"^108 epochs, the table 'nasbench101_digits' has 4, 12, 36: ask for one of them, as in "
        r"query\(spec, epochs=36\)$"
    )):
        nasbench.query(spec)
    assert 0 < nasbench.query(spec, epochs=36)["validation_accuracy"] < 1


def test_a_cell_that_is_not_in_the_table_says_so(nasbench, synthetic, example):
    where = f"the table 'synthetic' ({synthetic}), which has 91 cells of at most 4 vertices"
    with pytest.raises(KeyError) as caught:
        nasbench.query(example)
    assert str(caught.value) == (
        "the cell input, conv1x1-bn-relu, conv3x3-bn-relu, conv3x3-bn-relu, conv3x3-bn-relu, "
        "maxpool3x3, output (7 vertices, 9 edges) lies in the space of NAS-Bench-101, but no cell "
        f"with the hash '28cfc7874f6d200472e1a9dcd8650aa0' is in {where}"
    )
    assert isinstance(caught.value, api.MissingCellError)
    for look_up in (
        nasbench.get_metrics_from_hash, nasbench.fixed_statistics.__getitem__,
        nasbench.computed_statistics.__getitem__, nasbench.table.index_of_hash,
    ):
        with pytest.raises(KeyError) as caught:
            look_up("0" * 32)
        assert str(caught.value) == f"no cell with the hash '{'0' * 32}' is in {where}"
    assert nasbench.fixed_statistics.get("0" * 32) is None


def test_outside_the_benchmark(nasbench, example):
    chain = api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT])
    with pytest.raises(api.OutOfDomainError, match="12 epochs, the table 'synthetic' has 4, 108:"):
        nasbench.query(chain, epochs=12)
    eight = np.diag(np.ones(7, int), 1)
    dense = np.triu(np.ones((5, 5), int), 1)
    for spec, message in [
        (api.ModelSpec(np.zeros((2, 2)), [INPUT, OUTPUT]), "no path"),
        (api.ModelSpec(eight, [INPUT, *[CONV3X3] * 6, OUTPUT]), "8 vertices, at most 7"),
        (api.ModelSpec(dense, [INPUT, *[CONV3X3] * 3, OUTPUT]), "10 edges, at most 9"),
        (api.ModelSpec(CHAIN, [CONV3X3, CONV3X3, OUTPUT]), "first operation"),
        (api.ModelSpec(CHAIN, [INPUT, CONV3X3, CONV3X3]), "last operation"),
        (api.ModelSpec(CHAIN, [INPUT, "conv5x5", OUTPUT]), "'conv5x5' is not one of"),
    ]:
        assert not nasbench.is_valid(spec)
        with pytest.raises(api.OutOfDomainError, match=message):
            nasbench.query(spec)
    assert nasbench.get_budget_counters() == (0.0, 0)
    assert nasbench.is_valid(example)
    with pytest.raises(KeyError):  # in the space, but this file has small cells alone
        nasbench.query(example)
    with pytest.raises(KeyError):
        nasbench.get_metrics_from_hash("0" * 32)


class Trained:
    """What a training leaves, as far as the interface reads it."""

    history = [{"accuracy": 0.5}, {"accuracy": 0.75}]

    def summary(self):
        return {
            "parameters": 42, "training_sec": 12.5, "validation_accuracy": 0.625,
            "test_accuracy": 0.25,
        }


def test_evaluate_trains_as_published_and_answers_like_a_query(records, tmp_path):
    asked = []

    def train(architecture, data, **options):
        asked.append((architecture, data, options))
        return Trained()

    nasbench = api.NASBench(records, train=train)
    spec = api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT])
    found = nasbench.evaluate(spec, tmp_path, epochs=2)
    assert set(found) == set(nasbench.query(spec, epochs=12))
    assert (found["trainable_parameters"], found["training_time"]) == (42, 12.5)
    accuracies = [found[f"{name}_accuracy"] for name in ("train", "validation", "test")]
    assert accuracies == [0.75, 0.625, 0.25]
    (architecture, data, options), = asked
    assert architecture.ops == (INPUT, CONV3X3, OUTPUT) and data == "cifar10"
    assert options["output_dir"] == tmp_path and options["epochs"] == 2
    assert options["optimizer"] == "rmsprop" and options["batch_size"] == 256
    assert nasbench.get_budget_counters()[1] == 12  # of the query alone


def test_evaluate_refuses_what_it_cannot_train(nasbench, records, tmp_path):
    with pytest.raises(ConfigError, match="train=None: evaluate trains a network; open the bench"):
        nasbench.evaluate(api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT]), tmp_path)
    wide = api.NASBench(records, train=lambda *unused: pytest.fail("trained"))
    with pytest.raises(api.OutOfDomainError):
        wide.evaluate(api.ModelSpec(CHAIN, [INPUT, "conv9x9", OUTPUT]), tmp_path)



def test_visualize_asks_for_graphviz(monkeypatch):
    spec = api.ModelSpec(CHAIN, [INPUT, CONV3X3, OUTPUT])
    monkeypatch.setattr(model_spec, "graphviz", None)
    with pytest.raises(ImportError, match="graphviz"):
        spec.visualize()
    calls = []

    class Digraph:
        def node(self, *args):
            calls.append(args)

        edge = node

    monkeypatch.setattr(model_spec, "graphviz", type("module", (), {"Digraph": Digraph}))
    spec.visualize()
    assert calls == [("0", INPUT), ("1", CONV3X3), ("2", OUTPUT), ("0", "1"), ("1", "2")]


def test_specs_can_be_copied(example):
    assert copy.deepcopy(example).hash_spec(OFFICIAL_OPS) == "28cfc7874f6d200472e1a9dcd8650aa0"


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_goes_on_as_the_original_does(synthetic, seed, again):
    nasbench = api.NASBench(synthetic, seed=seed)
    chain = api.ModelSpec(CHAIN, [INPUT, CONV1X1, OUTPUT])
    nasbench.query(chain)
    twin = again(nasbench)
    assert twin.get_budget_counters() == nasbench.get_budget_counters()
    draws = []
    for one in (nasbench, twin):
        random.seed(3)
        draws.append([one.query(chain)["validation_accuracy"] for _ in range(20)])
    assert draws[0] == draws[1] and len(set(draws[0])) > 1
