"""The embedded table: NAS-Bench-101 cells of at most five vertices, trained on digits."""

import dataclasses

from nas_tf.benchmarks.nasbench101_files import NasBench101Protocol
from nas_tf.tables.nasbench101 import NasBench101Table


@dataclasses.dataclass(frozen=True)
class Digits(NasBench101Protocol):
    """Small NAS-Bench-101 cells trained on digits, the embedded table."""

    name = "digits"

    def table(self) -> NasBench101Table:
        """See `BenchmarkRecipe.table`."""
        return NasBench101Table.embedded()
