"""What a report says of a study beyond the study's own numbers."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportNotes:
    """Names, and published numbers to stand beside ours.

    Attributes:
        title: first heading.
        strategy_label: the strategy's name in figures and text; the summary's when empty.
        published: number of queries -> published mean test accuracy in [0, 1], for a column beside
            ours; shown only where the table's networks were trained on one of `PUBLISHED_DATASETS`.
        published_source: the paper and table of those numbers.
        published_final: published mean test accuracy at the end of the paper's own budget.
        published_final_source: the paper, table and budget of it.
        pretraining: the pre-training's summary, for its table; none when None.
        published_pretraining: fractions under the same names, of a model trained on so many cells:
        published_pretraining_cells: shown where ours was trained on as many.
        published_pretraining_source: the paper and table of those fractions.
    """

    title: str = "Architecture search"
    strategy_label: str = ""
    published: Mapping[int, float] = dataclasses.field(default_factory=dict)
    published_source: str = ""
    published_final: float | None = None
    published_final_source: str = ""
    pretraining: Mapping[str, Any] | None = None
    published_pretraining: Mapping[str, float] = dataclasses.field(default_factory=dict)
    published_pretraining_cells: int = 0
    published_pretraining_source: str = ""
