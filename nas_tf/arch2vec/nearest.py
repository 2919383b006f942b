"""The nearest cell that was not visited yet, exactly, for many runs at once.

A cell z is nearest to a point a where a.z - |z|^2 / 2 is largest, which is one matrix product with
the pool. The product runs over chunks of cells that stay in cache and keeps only the best score
of each group of 64 cells. Rounding makes these scores unfit to decide ties, so they only bound
the distance from below: groups are opened, best first, and measured in float64, until no other
group can hold a nearer cell. The answer is therefore the same whatever the chunking, the number
of runs or the device, and equals a brute-force search with the lowest index first.

Memory: [runs in a slab, cells in a chunk] floats, never [R, M].

Shapes: R runs, S runs in a slab, M cells, D embedding dimensions, V visited cells, G cells in a
group.
"""

import numpy as np
import tensorflow as tf

from nas_tf.core import ceil_div

GROUP = 64  # cells whose best score is kept
_CHUNK = 1 << 14  # cells in one matrix product
_SLAB_SCORES = 1 << 19  # floats of one matrix product: 2 MiB
_FAR = 1e15  # coordinate of the cells that fill the last group
_ROUNDING = 2e-6  # of a score, relative: 18 float32 roundings, doubled
_ROUNDING_TF32 = 4e-3  # the same where a GPU multiplies with 10-bit mantissas


class NearestCells:
    """A pool of embedded cells."""

    def __init__(self, embedding: np.ndarray):
        """Args: embedding: float32 [M, D], finite.

        Raises:
            ValueError: the embedding is empty, no matrix or not finite.
        """
        embedding = np.asarray(embedding, np.float32)
        if embedding.ndim != 2 or not embedding.size or not np.isfinite(embedding).all():
            raise ValueError(f"embedding of shape {embedding.shape} is no finite matrix")
        num_cells, depth = embedding.shape
        self._num_cells = num_cells
        self._num_chunks = ceil_div(num_cells, _CHUNK)
        groups = ceil_div(num_cells, self._num_chunks * GROUP)  # in a chunk
        self._chunk = groups * GROUP
        padded = np.full((self._num_chunks * self._chunk, depth), _FAR, np.float32)
        padded[:num_cells] = embedding
        half_norms = 0.5 * np.square(padded, dtype=np.float64).sum(axis=1)
        table = np.concatenate([padded, -half_norms[:, None].astype(np.float32)], axis=1)
        table = table.reshape(self._num_chunks, self._chunk, depth + 1).transpose(0, 2, 1)
        self._table = tf.constant(np.ascontiguousarray(table))  # [chunks, D + 1, cells]
        self._groups = tf.constant(padded.reshape(-1, GROUP, depth))
        self._largest_norm = float(np.sqrt(2.0 * half_norms[:num_cells].max()))
        self._rounding = _ROUNDING_TF32 if _multiplies_tf32() else _ROUNDING

    def find(self, points: tf.Tensor, visited: tf.Tensor) -> tf.Tensor:
        """Finds each run's nearest cell that it has not visited. Runs inside a tf.function.

        Args:
            points: float32 [R, D]; R is static.
            visited: int32 [R, V], cells each run has visited, -1 where there is none.

        Returns:
            int32 [R]; the lowest index among cells at equal distance, and M for a run without a
            cell left or with a point that is not finite.
        """
        runs = points.shape[0]
        slab = _slab_size(runs, self._chunk)
        num_slabs = runs // slab
        points = tf.reshape(points, [num_slabs, slab, points.shape[1]])
        visited = tf.reshape(visited, [num_slabs, slab, -1])
        found = tf.TensorArray(tf.int32, num_slabs, element_shape=[slab])
        for index in tf.range(num_slabs):
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            bounds = self._group_scores(points[index], visited[index])
            found = found.write(index, self._open_groups(points[index], visited[index], bounds))
        return tf.reshape(found.stack(), [runs])

    def _group_scores(self, points: tf.Tensor, visited: tf.Tensor) -> tf.Tensor:
        """Returns the best rounded score among the unvisited cells of each group, [S, groups]."""
        slab, groups = points.shape[0], self._chunk // GROUP
        points = tf.concat([points, tf.ones([slab, 1])], axis=1)
        best = tf.TensorArray(tf.float32, self._num_chunks, element_shape=[slab, groups])
        for chunk in tf.range(self._num_chunks):
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            scores = tf.matmul(points, self._table[chunk])  # [S, cells of the chunk]
            scores = _exclude(scores, visited - chunk * self._chunk, -np.inf)
            scores = tf.reshape(scores, [slab, groups, GROUP])
            best = best.write(chunk, tf.reduce_max(scores, axis=2))
        return tf.reshape(tf.transpose(best.stack(), [1, 0, 2]), [slab, self._groups.shape[0]])

    def _open_groups(
        self, points: tf.Tensor, visited: tf.Tensor, scores: tf.Tensor
    ) -> tf.Tensor:
        """Measures groups exactly, best score first, until no other can hold a nearer cell."""
        slab, num_groups = points.shape[0], self._groups.shape[0]
        exact = tf.cast(points, tf.float64)
        norm = tf.norm(exact, axis=1)
        margin = self._rounding * self._largest_norm * (norm + self._largest_norm)
        offset = tf.square(norm) - 2.0 * margin
        nearest = tf.fill([slab], tf.constant(self._num_cells, tf.int32))
        distance = tf.fill([slab], tf.constant(np.inf, tf.float64))
        best = tf.reduce_max(scores, axis=1)
        bound = offset - 2.0 * tf.cast(best, tf.float64)
        while tf.reduce_any((bound <= distance) & tf.math.is_finite(bound)):
            # A run that is finished opens further groups as well; that cannot change its answer.
            numbers = tf.range(num_groups)
            group = tf.reduce_min(tf.where(scores == best[:, None], numbers, num_groups), axis=1)
            group = tf.minimum(group, num_groups - 1)
            near, cell = self._measure(exact, visited, group)
            better = (near < distance) | ((near == distance) & (cell < nearest))
            nearest = tf.where(better, cell, nearest)
            distance = tf.where(better, near, distance)
            scores = tf.where(numbers == group[:, None], -np.inf, scores)
            best = tf.reduce_max(scores, axis=1)
            bound = offset - 2.0 * tf.cast(best, tf.float64)
        return nearest

    def _measure(
        self, points: tf.Tensor, visited: tf.Tensor, group: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the smallest squared distance in each run's group, float64 [S], and its cell."""
        cells = group[:, None] * GROUP + tf.range(GROUP)
        rows = tf.cast(tf.gather(self._groups, group), tf.float64)  # [S, G, D]
        distances = tree_sum(tf.square(points[:, None] - rows))
        distances = tf.where(cells < self._num_cells, distances, np.inf)
        distances = _exclude(distances, visited - group[:, None] * GROUP, np.inf)
        smallest = tf.reduce_min(distances, axis=1)
        is_smallest = (distances == smallest[:, None]) & tf.math.is_finite(distances)
        return smallest, tf.reduce_min(tf.where(is_smallest, cells, self._num_cells), axis=1)


class RunNearestCells:
    """A pool that every run embeds in its own way.

    Distances are float32 sums of squares, one run after the other: M x D numbers are read a run, as
    against the whole pool once for all runs.
    """

    def __init__(self, table: tf.Variable, num_cells: int):
        """Args: table: float32 [R, >= M, D], finite; num_cells: M."""
        self._table, self._num_cells = table, num_cells

    def find(self, points: tf.Tensor, visited: tf.Tensor) -> tf.Tensor:
        """Does `NearestCells.find`, each run in its own embedding."""
        runs = points.shape[0]
        found = tf.TensorArray(tf.int32, runs, element_shape=[])
        for run in tf.range(runs):
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            cells = tf.gather(self._table, run)[: self._num_cells]  # a slice would read them all
            distances = tf.reduce_sum(tf.square(cells - points[run]), axis=1)
            distances = tf.ensure_shape(distances, [self._num_cells])
            distances = _exclude(distances[None], visited[run : run + 1], np.inf)[0]
            cell = tf.argmin(distances, output_type=tf.int32)
            is_found = tf.math.is_finite(distances[cell])
            found = found.write(run, tf.where(is_found, cell, self._num_cells))
        return found.stack()


def tree_sum(values):
    """Sums the last axis by halves, in an order that does not depend on shapes or devices.

    Works on NumPy arrays and tensors; the axis has static length.
    """
    while values.shape[-1] > 1:
        half = values.shape[-1] // 2
        total = values[..., :half] + values[..., half : 2 * half]
        if values.shape[-1] % 2:
            concatenate = np.concatenate if isinstance(values, np.ndarray) else tf.concat
            total = concatenate([total, values[..., -1:]], -1)
        values = total
    return values[..., 0]


def _exclude(scores: tf.Tensor, columns: tf.Tensor, value: float) -> tf.Tensor:
    """Writes `value` into the columns [S, V] of scores [S, C]; columns outside are skipped."""
    inside = tf.cast(tf.where((columns >= 0) & (columns < scores.shape[1])), tf.int32)
    indices = tf.stack([inside[:, 0], tf.gather_nd(columns, inside)], axis=1)
    updates = tf.fill([tf.shape(indices)[0]], tf.constant(value, scores.dtype))
    return tf.tensor_scatter_nd_update(scores, indices, updates)


def _slab_size(runs: int, chunk: int) -> int:
    """Returns the largest divisor of `runs` that keeps a product small, at least 20 if possible."""
    divisors = [size for size in range(1, runs + 1) if runs % size == 0]
    fitting = [size for size in divisors if size * chunk <= max(_SLAB_SCORES, 20 * chunk)]
    return fitting[-1]


def _multiplies_tf32() -> bool:
    return bool(
        tf.config.list_physical_devices("GPU")
        and tf.config.experimental.tensor_float_32_execution_enabled()
    )
