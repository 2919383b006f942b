"""Tests of nas_tf.arch2vec.pools."""

import time

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.arch2vec import pools

RUNS, CELLS, DEPTH = 5, 50, 3
VALUES = np.random.default_rng(0).normal(size=(RUNS, CELLS, DEPTH)).astype(np.float32)


@pytest.fixture
def own():
    """An embedding for every run, whose rows two devices hold, with what finds and lists cells."""
    pool = pools.RunEmbeddings(CELLS, DEPTH)
    parts = [slice(0, 2), slice(2, RUNS)]
    finders = [pool.nearest(rows, None) for rows in parts]
    for run in range(RUNS):
        pool.assign(run, VALUES[run])
    return pool, parts, finders


def test_every_run_has_its_own_embedding(own):
    pool, _, _ = own
    cells = np.array([[3, 49], [0, 0], [1, 2], [7, 9], [-1, 5]])
    found = pool.of(cells)
    assert found.shape == (RUNS, 2, DEPTH)
    np.testing.assert_array_equal(found[:4], VALUES[np.arange(4)[:, None], cells[:4]])
    np.testing.assert_array_equal(found[4, 1], VALUES[4, 5])
    np.testing.assert_array_equal(pool.of(cells[:3, 0]), VALUES[[0, 1, 2], cells[:3, 0]])


def test_runs_find_the_nearest_cell_in_their_own_embedding(own):
    _, parts, finders = own
    rng = np.random.default_rng(1)
    for rows, finder in zip(parts, finders, strict=True):
        values = VALUES[rows]
        points = rng.normal(size=(len(values), DEPTH)).astype(np.float32)
        visited = np.full((len(values), 4), -1, np.int32)
        program = tf.function(finder.find)
        for column in range(4):
            distances = np.square(values - points[:, None]).sum(axis=2)
            for run, cells in enumerate(visited):
                distances[run, cells[cells >= 0]] = np.inf
            found = program(tf.constant(points), tf.constant(visited)).numpy()
            assert found.tolist() == distances.argmin(axis=1).tolist()
            visited[:, column] = found


def test_no_cell_left_or_a_point_that_is_not_finite_finds_none(own):
    _, _, (finder, _) = own
    points = np.array([[np.nan, 0.0, 0.0], [0.0, 0.0, 0.0]], np.float32)
    visited = np.tile(np.arange(CELLS, dtype=np.int32), (2, 1))
    found = tf.function(finder.find)(tf.constant(points), tf.constant(visited))
    assert found.numpy().tolist() == [CELLS, CELLS]
    found = tf.function(finder.find)(tf.constant(points), tf.constant(visited[:, :1]))
    assert found.numpy()[0] == CELLS and found.numpy()[1] < CELLS


@pytest.mark.parametrize("size", [1 << 14, 20])
def test_chunks_hold_all_cells_and_ones(monkeypatch, size):
    monkeypatch.setattr(pools, "_CHUNK", size)
    pool = pools.RunEmbeddings(CELLS, DEPTH)
    own = pool.chunks(slice(0, RUNS), None)
    for run in range(RUNS):
        pool.assign(run, VALUES[run])
    shared = pools.SharedEmbedding(VALUES[3]).chunks(slice(0, RUNS), None)
    assert own.num_chunks == shared.num_chunks == (1 if size > CELLS else 3)
    for chunks in (own, shared):
        rows = np.concatenate(
            [chunks.get(tf.constant(3), tf.constant(n)) for n in range(chunks.num_chunks)]
        )
        np.testing.assert_array_equal(rows[:CELLS, :-1], VALUES[3])
        assert (rows[:CELLS, -1] == 1).all() and not rows[CELLS:, :-1].any()


def test_a_shared_embedding_is_taken_apart():
    pool = pools.SharedEmbedding(VALUES[0])
    some = pool.take(np.array([4, 2]))
    assert (some.num_cells, some.depth) == (2, DEPTH)
    np.testing.assert_array_equal(some.of(np.array([[1, 0]])), VALUES[0][[[2, 4]]])


def test_an_embedding_for_every_run_is_not(own):
    pool, _, _ = own
    assert pool.take(np.arange(CELLS)) is pool
    with pytest.raises(ValueError, match="49 of 50 cells"):
        pool.take(np.arange(CELLS - 1))


def test_what_fits_no_cells_is_refused(own, toy):
    cells = toy.cells(range(CELLS))
    found, pool = pools.as_pool(own[0], cells)
    assert found is cells and pool is own[0]
    assert pools.as_pool(VALUES[0], cells)[1].num_cells == CELLS
    with pytest.raises(ValueError, match=r"embedding of shape \(50, 3\) for cells \(49,\)"):
        pools.as_pool(own[0], cells[1:])
    with pytest.raises(ValueError, match="is no matrix"):
        pools.as_pool(VALUES, cells[:RUNS])
    with pytest.raises(ValueError, match="not finite"):
        pools.as_pool(np.full((CELLS, DEPTH), np.inf), cells)


def test_an_architecture_is_in_a_pool_once(own, toy):
    cells = toy.cells([*range(CELLS - 2), 7, 3])
    found, pool = pools.as_pool(VALUES[0], cells)
    assert found.keys.tolist() == list(range(CELLS - 2))
    np.testing.assert_array_equal(pool.of(np.arange(CELLS - 2)), VALUES[0, : CELLS - 2])
    with pytest.raises(ValueError, match="48 of 50 cells"):
        pools.as_pool(own[0], cells)


def test_time_grows_with_the_runs_and_not_with_their_square():
    """A row that was written once must not have the whole table copied whenever one is read."""
    seconds = []
    for runs in (8, 64):
        pool = pools.RunEmbeddings(20_000, 16)
        find = tf.function(pool.nearest(slice(0, runs), None).find)
        for run in range(runs):
            pool.assign(run, np.zeros((20_000, 16), np.float32))
        arguments = tf.zeros([runs, 16]), tf.fill([runs, 1], -1)
        find(*arguments)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            find(*arguments).numpy()
            times.append(time.perf_counter() - started)
        seconds.append(min(times))
    assert seconds[1] < 24 * seconds[0]  # 8 times the runs; a copy of the table would make it 64
