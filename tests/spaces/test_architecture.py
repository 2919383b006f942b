"""nas_tf/spaces/architecture.py, architecture_value.py and the kinds, *_architecture.py."""

import json

import numpy as np
import pytest

from nas_tf.core import ConfigError, DataError, InvalidArchitectureError
from nas_tf.spaces import registry
from nas_tf.spaces.architecture import FAMILIES, parse
from nas_tf.spaces.choices import ChoiceSpace
from nas_tf.spaces.darts_architecture import PUBLISHED, DartsArchitecture
from nas_tf.spaces.enas_architecture import EnasArchitecture
from nas_tf.spaces.nasbench101_architecture import NasBench101Architecture
from nas_tf.spaces.nasbench201_architecture import NasBench201Architecture
from nas_tf.spaces.randwire import RandWireSpace
from nas_tf.spaces.randwire_architecture import RandWireArchitecture

CELL_101 = {
    "matrix": [[0, 1, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]],  # node 2 is dead
    "ops": ["input", "conv3x3-bn-relu", "maxpool3x3", "output"],
}
CELL_201 = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
# DARTS_V2 as its paper's code prints it.
GENOTYPE = """Genotype(
    normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),
            ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)],
    normal_concat=[2, 3, 4, 5],
    reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1),
            ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)],
    reduce_concat=range(2, 6))"""
NORMAL = (
    ("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
    ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2),
)
ENAS = "\n".join(["0", "3 1", "2 0 1"] + ["5" + " 0" * layer for layer in range(3, 12)])
RANDWIRE = "0-1 0-2 1-3"
ONE_OF_EACH = {
    "nasbench101": json.dumps(CELL_101), "nasbench201": CELL_201, "darts": GENOTYPE,
    "randwire": RANDWIRE, "enas": ENAS, "macro": "22212202",
}


def _random(name, count, seed=0):
    space = registry.named(name)
    return space.random_cells(np.random.default_rng(seed), (count,))


@pytest.mark.parametrize("name", list(FAMILIES))
def test_what_is_written_is_read_again(name):
    space, cells = registry.named(name), _random(name, 12)
    found = space.architectures(cells)
    assert space.has("architectures") and len(found) == 12
    for one, cell_key in zip(found, cells.keys):
        text, value = one.text(), json.loads(json.dumps(one.value()))
        assert "\n" not in text and str(one) == text and type(one) is FAMILIES[name]
        for form in (text, value, json.dumps(value), f"  {text}\n", one):
            for wanted in (None, name, space):
                again = parse(form, wanted)
                assert again == one and hash(again) == hash(one) and again.text() == text
        assert one.cells().shape == (1,) and one.cells().keys[0] == cell_key
        assert space.from_value(value).keys == cell_key
    assert len(set(found)) == len(np.unique(cells.keys))
    assert found[0] != "x" and repr(found[0]).startswith(f"<{type(found[0]).__name__}: ")


def test_networks_of_more_than_a_cell_are_read_again():
    first, second = (_random("darts", 10, seed) for seed in (1, 2))
    for normal, reduce in zip(*map(registry.named("darts").architectures, (first, second))):
        pair = DartsArchitecture(normal.normal, reduce.normal)
        assert parse(pair.text()) == parse(pair.value()) == pair
        assert pair.text() == parse(pair.text()).text() and pair not in (normal, reduce)
        with pytest.raises(InvalidArchitectureError, match="normal and reduction cells differ: no s"):
            pair.cells()
    graphs = [a.graphs[0] for a in RandWireSpace().architectures(_random("randwire", 6))]
    for start in range(0, 6, 3):
        untied = RandWireArchitecture(tuple(graphs[start : start + 3]))
        assert parse(untied.text()) == parse(untied.value()) == untied
        assert parse(untied.text()).graphs == untied.graphs
        assert RandWireArchitecture(untied.graphs[::-1]) != untied
    with pytest.raises(InvalidArchitectureError, match="three graphs, one a stage: no single cell"):
        untied.cells()
    assert RandWireArchitecture((graphs[0],) * 3) == RandWireArchitecture((graphs[0],))


def test_a_cell_of_nasbench101_is_pruned():
    cell = parse(CELL_101)
    assert cell.ops == ("input", "conv3x3-bn-relu", "output")
    assert cell.matrix == ((0, 1, 1), (0, 0, 1), (0, 0, 0))
    official = {"module_adjacency": CELL_101["matrix"], "module_operations": CELL_101["ops"]}
    pair = [CELL_101["matrix"], CELL_101["ops"]]
    assert cell == parse(official) == parse(pair) == parse(repr(pair)) == parse(
        {"adjacency": CELL_101["matrix"], "ops": CELL_101["ops"]}
    )


def test_a_string_of_nasbench201():
    assert parse(CELL_201).ops == (
        "nor_conv_3x3", "none", "skip_connect", "avg_pool_3x3", "none", "nor_conv_1x1"
    )
    spaced = CELL_201.replace("+", " +\n")
    lists = [[["nor_conv_3x3", 0]], [["none", 0], ["skip_connect", 1]],
             [["avg_pool_3x3", 0], ["none", 1], ["nor_conv_1x1", 2]]]
    assert parse(CELL_201) == parse(spaced) == parse({"arch_str": CELL_201}) == parse(lists)
    assert parse(CELL_201).text() == CELL_201


def test_a_genotype_in_the_forms_of_papers():
    whole = parse(GENOTYPE)
    assert whole.normal == NORMAL and whole.reduce[2] == ("skip_connect", 2)
    assert whole == parse("darts_v2") == parse(" DARTS_V2 ") == parse(f"DARTS = {GENOTYPE}")
    assert parse("".join(GENOTYPE.split())) == whole
    nested = {
        name: [list(map(list, edges[i : i + 2])) for i in range(0, 8, 2)]
        for name, edges in (("normal", whole.normal), ("reduce", whole.reduce))
    }
    assert parse(nested) == whole
    assert parse([whole.normal, range(2, 6), whole.reduce, [2, 3, 4, 5]]) == whole


def test_a_genotype_without_reduction_cell_has_its_normal_one():
    short = GENOTYPE[: GENOTYPE.index("    reduce=")] + ")"
    one = parse(short)
    assert one.normal == one.reduce == NORMAL and one != parse(GENOTYPE)
    assert parse(f"Genotype({list(NORMAL)})") == one
    assert one.cells().keys == registry.named("darts").from_value(one.value()).keys


def test_the_order_of_edges_and_nodes_does_not_matter_to_a_genotype():
    swapped = [*NORMAL[:4], NORMAL[5], NORMAL[4], *NORMAL[6:]]
    # Intermediate nodes 0 and 1 are alike but for who reads them.
    renumbered = [*NORMAL[:6], ("skip_connect", 0), ("dil_conv_3x3", 3)]
    other = [*NORMAL[:6], ("skip_connect", 0), ("dil_conv_3x3", 4)]
    one, *others = (DartsArchitecture(tuple(cell)) for cell in (NORMAL, swapped, renumbered, other))
    assert [one == two for two in others] == [True, True, False]
    assert one != DartsArchitecture(NORMAL, tuple(other))


def test_edges_may_be_none():
    edges = [("none", 0), *NORMAL[1:]]
    one = parse(f"Genotype(normal={edges}, normal_concat=range(2, 6))")
    assert one.normal[0] == ("none", 0) and parse(one.text()) == one


def test_published_genotypes():
    assert list(PUBLISHED) == ["darts_v1", "darts_v2", "p_darts", "pc_darts_cifar", "pc_darts_image"]
    assert len({one.key for one in PUBLISHED.values()}) == 5
    first = parse("darts_v1")
    assert first.normal[4:] == (
        ("skip_connect", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("skip_connect", 2)
    )
    assert first.reduce[6:] == (("skip_connect", 2), ("avg_pool_3x3", 0))
    assert parse("pc-darts-image").normal[7] == ("dil_conv_5x5", 4)
    with pytest.raises(InvalidArchitectureError, match="of space darts; expected one of enas, such"):
        parse("darts_v1", "enas")


def test_edges_of_a_graph():
    one = parse(RANDWIRE)
    assert len(one.graphs) == 1 and len(one.graphs[0]) == 32
    assert np.argwhere(np.array(one.graphs[0])).tolist() == [[0, 1], [0, 2], [1, 3]]
    assert one.text() == "32: 0-1 0-2 1-3"
    alike = (
        "32: 0->1, 0->2, 1->3", "0-1\n0-2\n1-3", {"edges": [[0, 1], [0, 2], [1, 3]]},
        [[0, 1], [0, 2], [1, 3]], "[[0, 1], [0, 2], [1, 3]]",
        '{"num_nodes": 32, "edges": [[0, 1], [1, 3], [0, 2]]}',
    )
    for form in alike:
        assert parse(form).graphs == one.graphs
    assert parse({"adjacency": one.graphs[0]}, "randwire") == one
    assert parse("0-5 0-9 9-31") == one != parse("0-5 0-9 0-31")  # isomorphic
    assert len(parse("6: 0-1 0-5").graphs[0]) == 6 and parse("32:").graphs[0] == ((0,) * 32,) * 32
    with pytest.raises(InvalidArchitectureError, match="^6 nodes: the graphs .* have 32$"):
        parse("6: 0-1").cells()
    three = parse({"graphs": [{"num_nodes": 4, "edges": [[0, 1]]}, {"num_nodes": 4, "edges": []},
                              {"num_nodes": 4, "edges": [[0, 1], [1, 2]]}]})
    assert three.text() == "4: 0-1; 4: ; 4: 0-1 1-2" and parse(three.text()) == three


def test_layers_of_enas():
    one = parse(ENAS)
    assert one.ops[:3] == ("conv_3x3", "sep_conv_5x5", "conv_5x5")
    assert one.skips[:3] == ((), (1,), (0, 1))
    flat = [int(word) for word in ENAS.split()]
    printed = "\n".join(f"[{line}]" for line in ENAS.split("\n"))
    rows = [[int(word) for word in line.split()] for line in ENAS.split("\n")]
    for form in (flat, " ".join(ENAS.split()), printed, rows, json.dumps(rows), one.value()):
        assert parse(form).ops == one.ops and parse(form).skips == one.skips
    moved = parse(ENAS.replace("2 0 1", "2 1 0"))
    assert moved != one and one.key == "enas:032555555555-28000000000000000"


@pytest.mark.parametrize("name", list(FAMILIES))
@pytest.mark.parametrize("wanted", list(FAMILIES))
def test_what_is_of_another_space_is_said(name, wanted):
    text = ONE_OF_EACH[name]
    if name == wanted:
        assert parse(text, wanted).space == name
        return
    with pytest.raises(InvalidArchitectureError) as error:
        parse(text, wanted)
    assert f"of space {name}; expected one of {wanted}, such as " in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(InvalidArchitectureError, match=f"of space {name}; expected one of {wanted}"):
        parse(parse(text), wanted)


def test_a_matrix_alone_may_be_of_two_spaces():
    matrix = {"matrix": [[0, 1], [0, 0]]}
    with pytest.raises(InvalidArchitectureError, match="may be of nasbench101 or randwire; say whi"):
        parse(matrix)
    assert parse(matrix, "randwire").graphs == (((0, 1), (0, 0)),)
    with pytest.raises(InvalidArchitectureError, match="fields matrix: expected matrix and ops"):
        parse(matrix, "nasbench101")


@pytest.mark.parametrize("value, message", [
    ("luck", "luck: no architecture; expected a published one (darts_v1, darts_v2, "),
    ("", ": no architecture; expected a published one"),
    ("[1.5, 2", "[1.5, 2: no architecture; expected"),
    (None, "None: no architecture; expected"),
    ({"ops": ["input", "output"]}, "{'ops': ['input', 'output']}: no architecture; expected"),
    ({**CELL_101, "ops": ["input", "conv", "conv", "output"]},
     "operation 'conv' of node 1: expected input, conv1x1-bn-relu"),
    ({**CELL_101, "matrix": [[0, 1], [0, 0]]}, "matrix [[0, 1], [0, 0]] for 4 operations"),
    ("|none~0|+|none~0|", "'|none~0|+|none~0|' is no NAS-Bench-201 cell: expected a string"),
    ("Genotype(normal=[('luck', 0)])", "genotype, normal: [('luck', 0)]: expected 8 edges, two"),
    ("Genotype(normal=__import__('os'))", "\"Genotype(normal=__import__('os'))\": expected Genotype("),
    ("Genotype(colour=3)", "'Genotype(colour=3)': expected Genotype(normal="),
    (f"Genotype(normal={list(NORMAL)}, normal_concat=[3, 4])",
     "genotype, normal_concat: [3, 4]: expected the intermediate nodes, [2, 3, 4, 5]"),
    (f"Genotype(normal={[('sep_conv_7x7', 0), *NORMAL[1:]]})",
     "genotype, normal, edge 0: operation 'sep_conv_7x7': expected none, max_pool_3x3"),
    (f"Genotype(normal={list(NORMAL)}, reduce={[('none', 5), *NORMAL[1:]]})",
     "genotype, reduce, edge 0: predecessor 5: expected 0 to 1"),
    ("0-1 3-2", "edge 3-2: expected one from a lower to a higher node, 0 to 31"),
    ("0-1 0-32", "edge 0-32: expected one from a lower to a higher node, 0 to 31"),
    ("0-1 0-1", "edge 0-1: it is there twice"),
    ("200: 0-1", "num_nodes=200: expected 2 to 127"),
    ("0-1; 0-2", "graphs: 2 of them; expected one, or one for each of three stages"),
    ({"edges": "0-1"}, "0-1: expected edges such as 32: 0-1"),
    ({"graphs": [{"nodes": 3}]}, "fields nodes: expected edges, and num_nodes where these are"),
    ("0; 1 1", "2 layers of ENAS: the space has 12"),
    ("0 1 1", "3 numbers of ENAS: expected 78, 1 to 12 of 12 layers"),
    (ENAS.replace("3 1", "7 1"), "layer 1: operation 7: expected 0 conv_3x3, 1 sep_conv_3x3"),
    (ENAS.replace("2 0 1", "2 0 3"), "layer 2: skip bits [0, 3]: expected 2, each 0 or 1"),
    (ENAS.replace("2 0 1", "2 0 1 1"), "layer 2: skip bits [0, 1, 1]: expected 2, each 0 or 1"),
    ({"skips": []}, "fields skips: expected ops and skips"),
])
def test_mistakes_are_one_line(value, message):
    with pytest.raises(InvalidArchitectureError) as error:
        parse(value)
    assert str(error.value).startswith(message), error.value
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("make, message", [
    (lambda: NasBench201Architecture(("none",) * 5), "^ops=.*: expected six of none, skip_connect"),
    (lambda: NasBench101Architecture(((0, 0), (0, 0)), ("input", "output")), "no path leads from"),
    (lambda: RandWireArchitecture((((0, 0), (1, 0)),)), "expected 0 and 1 above the diagonal"),
    (lambda: RandWireArchitecture(3), "graphs: 3; expected one, or one for each of three"),
    (lambda: RandWireArchitecture((((0, 1),),)), "expected a square matrix of 2 to 127 nodes"),
    (lambda: EnasArchitecture(("conv_3x3",) * 12, ((),) * 11), "expected ops and skips, one of each"),
    (lambda: DartsArchitecture(NORMAL[:7]), "expected 8 edges"),
])
def test_what_makes_no_value(make, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        make()


def test_values_may_be_arrays():
    graph = np.triu(np.ones((1, 5, 5), np.uint8), 1)
    assert RandWireArchitecture(graph) == parse("5: " + " ".join(
        f"{i}-{j}" for i in range(5) for j in range(i + 1, 5)
    ))
    one = parse(ENAS)
    codes = np.array([0, 3, 2] + [5] * 9)
    assert EnasArchitecture(codes, [np.array(bits) for bits in one.skips]) == one
    cell = NasBench101Architecture(np.array(CELL_101["matrix"]), CELL_101["ops"])
    assert cell == parse(CELL_101) and type(cell.matrix[0][1]) is int


def test_a_space_without_networks():
    with pytest.raises(ConfigError, match="^space=mlp: expected one with networks: nasbench101, nas"):
        parse(CELL_201, ChoiceSpace("mlp", {"a": (1, 2)}))
    with pytest.raises(ConfigError, match="^space=luck: expected one with networks"):
        parse(CELL_201, "luck")


@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_file_that_holds_one(name, tmp_path):
    one, path = parse(ONE_OF_EACH[name]), tmp_path / "one"
    for content in (ONE_OF_EACH[name], json.dumps(one.value(), indent=2), one.text() + "\n"):
        path.write_text(f"# a comment\n{content}", encoding="utf-8")
        assert parse(str(path)) == parse(path, name) == one


@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_file_that_holds_many(name, tmp_path):
    path = tmp_path / "many.txt"
    many = registry.named(name).architectures(_random(name, 3, seed=5))
    contents = [json.dumps([one.value() for one in many]), json.dumps({"cells": [
        one.value() for one in many
    ]})]
    if name != "randwire":  # edges on many lines are one graph
        contents.append("\n".join(one.text() for one in many))
    for content in contents:
        path.write_text(content, encoding="utf-8")
        assert [parse(f"{path}#{number}") for number in (1, 2, 3)] == many
        assert parse(path) == many[0]
        with pytest.raises(DataError, match=r"many.txt: holds 3 architectures; received .*txt#4$"):
            parse(f"{path}#4")


def test_cells_as_samples_have_them():
    for name in FAMILIES:
        space, cells = registry.named(name), _random(name, 3, seed=7)
        for index, one in enumerate(space.architectures(cells)):
            matrix, ops = cells.matrix(index)
            value = {"matrix": matrix.tolist(), "ops": [space.op_names[op] for op in ops]}
            assert parse(value) == one


def test_files_that_hold_none(tmp_path):
    path = tmp_path / "cells.txt"
    path.write_text("0-1 3-2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"cells.txt: edge 3-2: expected one from a lower"):
        parse(path)
    path.write_text("hello\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"cells.txt: line 1: hello: no architecture; expected"):
        parse(path)
    path.write_text(CELL_201, encoding="utf-8")
    with pytest.raises(DataError, match=r"cells.txt: .* of space nasbench201; expected one of darts"):
        parse(path, "darts")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cells.txt: no text file"):
        parse(path)
    with pytest.raises(DataError, match=r"none.json: no such file or directory of an architecture"):
        parse("cells/none.json")
    with pytest.raises(DataError, match="a directory; nas_tf.architecture reads those that jobs"):
        parse(str(tmp_path))
