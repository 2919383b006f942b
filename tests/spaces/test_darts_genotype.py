"""nas_tf/spaces/darts_genotype.py."""

from collections import namedtuple

import numpy as np
import pytest

from nas_tf.core import InvalidArchitectureError
from nas_tf.spaces import darts
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.darts_edges import DIL3X3, MAXPOOL, SEP3X3, SKIP
from nas_tf.spaces.darts_genotype import (
    Genotype,
    from_genotypes,
    parse_genotype,
    to_genotypes,
)

# DARTS_V2 (Liu et al., 2019).
NORMAL = [
    ("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
    ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2),
]
REDUCE = [
    ("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
    ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1),
]
CONCAT = [2, 3, 4, 5]
DARTS_V2 = Genotype(NORMAL, CONCAT, REDUCE, CONCAT)
BOTH_NORMAL = Genotype(NORMAL, CONCAT, NORMAL, CONCAT)


def test_a_genotype_worked_by_hand():
    cells = from_genotypes([BOTH_NORMAL])
    sources, ops = darts.to_edges(cells)
    assert sources.tolist() == [[[0, 1], [0, 1], [1, 0], [0, 2]]]
    assert ops.tolist() == [
        [[SEP3X3, SEP3X3], [SEP3X3, SEP3X3], [SEP3X3, SKIP], [SKIP, DIL3X3]]
    ]
    assert to_genotypes(cells) == [Genotype(NORMAL, range(2, 6), NORMAL, range(2, 6))]


def test_either_cell_of_a_genotype():
    np.testing.assert_array_equal(
        from_genotypes([DARTS_V2], part="normal").keys, from_genotypes([BOTH_NORMAL]).keys
    )
    sources, ops = darts.to_edges(from_genotypes([DARTS_V2], part="reduce"))
    assert sources.tolist() == [[[0, 1], [2, 1], [0, 2], [2, 1]]]
    assert ops.tolist() == [
        [[MAXPOOL, MAXPOOL], [SKIP, MAXPOOL], [MAXPOOL, SKIP], [SKIP, MAXPOOL]]
    ]


def test_genotypes_of_random_cells_and_back():
    cells = DartsSpace().random_cells(np.random.default_rng(0), (500,))
    genotypes = to_genotypes(cells)
    assert len(genotypes) == 500 and all(one.normal == one.reduce for one in genotypes)
    back = from_genotypes(genotypes)
    np.testing.assert_array_equal(back.adjacency, cells.adjacency)
    np.testing.assert_array_equal(back.ops, cells.ops)
    np.testing.assert_array_equal(back.keys, cells.keys)


def test_no_genotypes():
    assert from_genotypes([]).shape == (0,) and to_genotypes(from_genotypes([])) == []


def test_genotypes_of_other_libraries():
    """Their own named tuple, lists for tuples, NumPy numbers."""
    other = namedtuple("Genotype", "normal normal_concat reduce reduce_concat")
    edges = [[op, np.int64(source)] for op, source in NORMAL]
    cells = from_genotypes([other(edges, np.arange(2, 6), tuple(edges), tuple(CONCAT))])
    np.testing.assert_array_equal(cells.keys, from_genotypes([BOTH_NORMAL]).keys)


@pytest.mark.parametrize("fields", [
    "reduce reduce_concat normal normal_concat", "normal_concat normal reduce_concat reduce",
])
def test_names_win_over_positions(fields):
    other = namedtuple("Genotype", fields)
    named = other(**DARTS_V2._asdict())
    reordered = {name: getattr(DARTS_V2, name) for name in fields.split()}
    for part in ("normal", "reduce"):
        expected = from_genotypes([DARTS_V2], part=part).keys
        for genotype in (named, named._asdict(), reordered, tuple(DARTS_V2), list(DARTS_V2)):
            np.testing.assert_array_equal(from_genotypes([genotype], part=part).keys, expected)
    normal, reduce = (from_genotypes([DARTS_V2], part) for part in ("normal", "reduce"))
    assert normal.keys != reduce.keys


def test_other_names_are_refused():
    other = namedtuple("Genotype", "normal normal_concat reduce concat")
    for genotype in (other(*DARTS_V2), other(*DARTS_V2)._asdict(), {"normal": NORMAL}):
        with pytest.raises(InvalidArchitectureError, match="genotype 0: .*: expected normal, norm"):
            from_genotypes([genotype])


def test_texts_of_genotypes():
    assert parse_genotype(repr(DARTS_V2)) == DARTS_V2
    text = (
        f"  Genotype(reduce={REDUCE}, reduce_concat=range(2, 6), "
        f"normal={NORMAL}, normal_concat=[2, 3, 4, 5])\n"
    )
    found = parse_genotype(text)
    assert found == Genotype(NORMAL, CONCAT, REDUCE, range(2, 6))
    assert parse_genotype(f"Genotype({NORMAL}, {CONCAT}, {REDUCE}, {CONCAT})") == DARTS_V2


@pytest.mark.parametrize(
    "text",
    ["", "Genotype", "Genotype(", "Genotype()", "Cell(normal=[])", "[('none', 0)]",
     "Genotype(normal=open('x'), normal_concat=[], reduce=[], reduce_concat=[])",
     "Genotype(normal=[], normal_concat=range(start=2), reduce=[], reduce_concat=[])"],
)
def test_texts_that_are_none(text):
    with pytest.raises(InvalidArchitectureError, match=r"expected Genotype\(normal=\[...\], norm"):
        parse_genotype(text)


def test_isomorphic_normal_and_reduction_cells():
    swapped = [NORMAL[place ^ 1] for place in range(8)]
    cells = from_genotypes([Genotype(NORMAL, CONCAT, swapped, CONCAT)])
    assert darts.to_edges(cells)[0][0, 0].tolist() == [0, 1]  # the normal one


def changed(place, edge):
    edges = list(NORMAL)
    edges[place] = edge
    return Genotype(edges, CONCAT, edges, CONCAT)


NAMES = (
    "none, max_pool_3x3, avg_pool_3x3, skip_connect, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, "
    "dil_conv_5x5"
)


@pytest.mark.parametrize(
    "genotype, message",
    [
        (DARTS_V2, "genotype 1: its normal and reduction cells differ, the space has one for both; "
         "part='normal' or part='reduce' takes one of them"),
        ((1, 2), "genotype 1: (1, 2): expected normal, normal_concat, reduce, reduce_concat"),
        (7, "genotype 1: 7: expected normal, normal_concat, reduce, reduce_concat"),
        (BOTH_NORMAL._replace(normal=NORMAL[:2]), "genotype 1, normal: [('sep_conv_3x3', 0), "
         "('sep_conv_3x3', 1)]: expected 8 edges, two of every intermediate node"),
        (BOTH_NORMAL._replace(reduce=None),
         "genotype 1, reduce: None: expected 8 edges, two of every intermediate node"),
        (BOTH_NORMAL._replace(reduce_concat=[3, 4, 5]),
         "genotype 1, reduce_concat: [3, 4, 5]: expected the intermediate nodes, [2, 3, 4, 5]"),
        (BOTH_NORMAL._replace(normal_concat=4),
         "genotype 1, normal_concat: 4: expected the intermediate nodes, [2, 3, 4, 5]"),
        (changed(3, "none"),
         "genotype 1, normal, edge 3: 'none': expected (operation, predecessor)"),
        (changed(3, ("conv_7x1_1x7", 0)),
         f"genotype 1, normal, edge 3: operation 'conv_7x1_1x7': expected {NAMES}"),
        (changed(3, ("c_k", 0)), f"genotype 1, normal, edge 3: operation 'c_k': expected {NAMES}"),
        (changed(3, (["none"], 0)),
         f"genotype 1, normal, edge 3: operation ['none']: expected {NAMES}"),
        (changed(3, ("none", 3)), "genotype 1, normal, edge 3: predecessor 3: expected 0 to 2"),
        (changed(0, ("none", 2)), "genotype 1, normal, edge 0: predecessor 2: expected 0 to 1"),
        (changed(7, ("none", -1)), "genotype 1, normal, edge 7: predecessor -1: expected 0 to 4"),
        (changed(7, ("none", 1.0)), "genotype 1, normal, edge 7: predecessor 1.0: expected 0 to 4"),
        (changed(7, ("none", True)),
         "genotype 1, normal, edge 7: predecessor True: expected 0 to 4"),
        (changed(5, ("none", 1)), "genotype 1, normal, edges 4 and 5: both from predecessor 1; "
         "expected two different ones"),
    ],
)
def test_genotypes_outside_the_space(genotype, message):
    with pytest.raises(InvalidArchitectureError) as error:
        from_genotypes([BOTH_NORMAL, genotype])
    assert str(error.value) == message


def test_long_values_are_shortened():
    genotype = BOTH_NORMAL._replace(normal=NORMAL * 100)
    with pytest.raises(InvalidArchitectureError, match=r"\.\.\.: expected 8 edges") as error:
        from_genotypes([genotype])
    assert len(str(error.value)) < 200 and "\n" not in str(error.value)


def test_an_unknown_part():
    with pytest.raises(ValueError, match="^part='cell': expected 'both', 'normal' or 'reduce'$"):
        from_genotypes([], part="cell")


def test_cells_outside_the_space():
    cells = DartsSpace().random_cells(np.random.default_rng(0), (3,))
    cells.ops[2, 4] = 0
    with pytest.raises(InvalidArchitectureError, match="^cell 2 is outside the DARTS space: "):
        to_genotypes(cells)
