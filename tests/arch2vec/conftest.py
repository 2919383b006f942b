"""The 91 cells of at most 4 vertices, as most tests of this room use them."""

import pytest

from nas_tf.spaces.nasbench101 import NasBench101Space


@pytest.fixture(scope="session")
def space():
    """NAS-Bench-101's space of at most 4 vertices; graphs are padded to 7 nodes."""
    return NasBench101Space(max_vertices=4)


@pytest.fixture(scope="session")
def cells(space):
    """All its cells, [91]."""
    return space.enumerate_cells()
