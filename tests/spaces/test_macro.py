"""nas_tf/spaces/macro.py, macro_cells.py and macro_architecture.py."""

import itertools

import numpy as np
import pytest

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.architecture import parse
from nas_tf.spaces.cell_files import read_cells
from nas_tf.spaces.macro import MacroSpace
from nas_tf.spaces.macro_cells import Invalid, from_layers, to_codes

SPACE = MacroSpace()
CODES = ["".join(digits) for digits in itertools.product("012", repeat=8)]


def _network(code):
    """What a code computes, worked out apart: stages, identities that do nothing left out."""
    stages = (code[:2], code[2:5], code[5:])
    return tuple((stage[0], stage[1:].replace("0", "")) for stage in stages)


@pytest.fixture(scope="module", name="cells")
def _cells():
    """The cells of all codes, in their order."""
    return from_layers(np.array([list(map(int, code)) for code in CODES]))


def test_a_network_worked_by_hand():
    cell = SPACE.from_value("22212202")
    assert cell.shape == () and cell.num_nodes == 10
    assert cell.ops.tolist() == [0, 3, 3, 3, 2, 3, 3, 3, 1, 4]  # the identity is moved to the end
    assert np.argwhere(cell.adjacency).tolist() == [[node, node + 1] for node in range(9)]
    assert SPACE.to_values(cell.reshape(1)) == [{"code": "22212220"}]
    assert SPACE.op_names[1:4] == ("identity", "mb3_3x3", "mb6_5x5")


def test_codes_of_one_network_have_one_key_and_no_others(cells):
    networks = [_network(code) for code in CODES]
    assert len(CODES) == 6561 and len(set(networks)) == 3969
    by_network = dict(zip(networks, cells.keys.tolist()))
    assert [by_network[network] for network in networks] == cells.keys.tolist()
    assert len(set(by_network.values())) == 3969


def test_every_network_is_listed_once(cells):
    everything = SPACE.enumerate_cells()
    assert len(everything) == 3969 == len(np.unique(everything.keys))
    np.testing.assert_array_equal(np.unique(cells.keys), np.sort(everything.keys))
    codes = to_codes(everything)
    assert codes == sorted(codes) and (codes[0], codes[-1]) == ("00000000", "22222222")
    assert not SPACE.check(everything).any()
    with pytest.raises(ValueError, match="read-only"):
        everything.ops[0, 0] = 1


def test_a_key_does_not_depend_on_who_wrote_the_cell(cells):
    """Nodes as a code has them, decoded, or made of matrices: also where identities come first."""
    chosen = cells[[CODES.index("22212202"), CODES.index("10202012")]]
    ops = np.array([[0, 3, 3, 3, 2, 3, 3, 1, 3, 4], [0, 2, 1, 3, 1, 3, 1, 2, 3, 4]])
    decoded, reason = SPACE.decode(chosen.adjacency, ops)
    assert not reason.any() and decoded.ops.tolist() == ops.tolist()
    assert decoded.keys.tolist() == chosen.keys.tolist()
    assert to_codes(decoded) == ["22212220", "10220012"]
    assert SPACE.costs(decoded).parameters.tolist() == SPACE.costs(chosen).parameters.tolist()
    assert CellGraphs.concatenate([decoded, chosen]).shape == (4,)


def test_random_networks_are_uniform_over_networks():
    found = SPACE.random_cells(np.random.default_rng(0), (200, 400))
    assert found.shape == (200, 400)
    keys, count = np.unique(found.keys, return_counts=True)
    assert len(keys) == 3969 and abs(count - 80_000 / 3969).max() < 25  # five deviations are 22


def test_neighbours_are_codes_apart_by_one_layer(cells):
    """Against a search through all codes, for three networks."""
    keys = dict(zip(CODES, cells.keys.tolist()))
    asked = ["00000000", "22212202", "10200120"]
    found, origin = SPACE.neighbours(from_layers(np.array([list(map(int, c)) for c in asked])))
    assert origin.tolist() == sorted(origin.tolist())
    for place, code in enumerate(asked):
        same = [one for one in CODES if keys[one] == keys[code]]
        near = {
            keys[one[:layer] + digit + one[layer + 1 :]]
            for one in same for layer in range(8) for digit in "012"
        } - {keys[code]}
        assert sorted(found.keys[origin == place].tolist()) == sorted(near)
    # By hand: 6 of first layers, then 2 + 2 + 2, 2 + 4 + 5 and 2 + 2 + 5.
    assert np.bincount(origin).tolist() == [12, 17, 15]


def test_neighbours_have_no_direction():
    everything = SPACE.enumerate_cells()
    found, origin = SPACE.neighbours(everything)
    pairs = set(zip(everything.keys[origin].tolist(), found.keys.tolist()))
    assert len(pairs) == len(found) == 61_236 and {(b, a) for a, b in pairs} == pairs


def test_mutations_reach_every_neighbour_equally_often():
    cell = SPACE.from_value("22212202").reshape(1)
    mutants = SPACE.mutate(cell[np.zeros((90, 200), int)], np.random.default_rng(0))
    keys, count = np.unique(mutants.keys, return_counts=True)
    assert keys.tolist() == np.sort(SPACE.neighbours(cell)[0].keys).tolist()
    assert abs(count - 1000).max() < 140  # four and a half standard deviations are 138


def test_decisions_and_graphs(cells):
    decisions, form = SPACE.decisions(), SPACE.graph_form()
    assert decisions.num_choices == (3,) * 8
    found, valid = decisions.decode(np.array([[2, 2, 2, 1, 2, 2, 0, 2]], np.int8))
    assert valid.all() and decisions.encode(found).tolist() == [[2, 2, 2, 1, 2, 2, 2, 0]]
    edges, labels = form.graphs(found)
    assert labels.tolist() == [[0, 2, 2, 2, 1, 2, 2, 2, 0]] and (edges == np.tri(9, k=-1)).all()
    assert form.description.num_decisions == 8
    again, valid = form.cells(edges, labels)
    assert valid.all() and again.keys.tolist() == found.keys.tolist()


def test_what_is_no_network():
    cell = SPACE.from_value("10000000").reshape(1)
    adjacency, ops = np.array(cell.adjacency), np.array(cell.ops)
    adjacency[0, 0, 2] = 1
    found, reason = SPACE.decode(adjacency, cell.ops)
    assert reason.tolist() == [Invalid.WRONG_EDGES]
    with pytest.raises(InvalidArchitectureError, match="cell 0 is outside .*: it is no chain of 10"):
        SPACE.architectures(found)
    for node, op, code in (
        (3, 4, Invalid.UNKNOWN_OPERATION), (3, 0, Invalid.UNKNOWN_OPERATION),
        (0, 1, Invalid.WRONG_ENDS), (9, 1, Invalid.WRONG_ENDS),
    ):
        wrong = ops.copy()
        wrong[0, node] = op
        assert SPACE.decode(cell.adjacency, wrong)[1].tolist() == [code]
        assert not SPACE.counts_as_valid(cell.adjacency, wrong).any()
    small = CellGraphs.from_matrices([[[0, 1], [0, 0]]], [[0, 4]], 2)
    assert SPACE.check(small).tolist() == [Invalid.WRONG_EDGES]


def test_texts_of_one_network_are_equal_architectures():
    one, other = parse("22212202"), parse({"code": "22212220"})
    assert one == other and hash(one) == hash(other) and one.key == other.key
    assert (one.space, one.text(), other.text()) == ("macro", "22212202", "22212220")
    assert one != parse("22212022") and one.layers == (2, 2, 2, 1, 2, 2, 0, 2)
    assert parse(one.value()) == one and SPACE.architectures(one.cells()) == [one]


@pytest.mark.parametrize("text, message", [
    ("2221220", r"code 2221220: expected 22212202 \(eight digits 0, 1 or 2, one a layer\)"),
    ("22212203", "code 22212203: expected 22212202"),
    ({"code": 22212202}, "code 22212202: expected 22212202"),
])
def test_texts_that_are_no_code(text, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        parse(text)
    with pytest.raises(InvalidArchitectureError, match="fields arch: expected code"):
        SPACE.from_value({"arch": "22212202"})


def test_codes_in_a_file_are_no_numbers(tmp_path):
    path = tmp_path / "codes.txt"
    path.write_text("22212202\n# a comment\n00000001\n{\"code\": \"00000010\"}\n")
    cells = read_cells(path, SPACE)
    assert to_codes(cells) == ["22212220", "00000010", "00000010"]
    assert parse(f"{path}#2").text() == "00000001"
