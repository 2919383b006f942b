"""What a report says of a study beyond its numbers: names, and published numbers beside them."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nas_tf.reports.wording import plus_minus


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
    """One published mean test accuracy, with the protocol it belongs to.

    Attributes:
        space: name of the search space.
        num_cells: cells of the table that was searched.
        dataset: what its networks were trained on.
        search_epochs: training epochs behind the validation accuracy that chose an incumbent.
        report_epochs: training epochs behind the test accuracy.
        validation: what of the repeats a search saw, "random" or "mean"; None where the paper does
            not say, and nothing is known against studies that saw either.
        queries: the budget of a run, where it was in queries; None where it was in seconds.
        cost_sec: the budget of a run in seconds of training; None where it was in queries.
        value: mean test accuracy over runs, in [0, 1].
        source: paper, table or figure.
        std: standard deviation over runs; None where it is not known.
        runs: how many; None where it is not known.
    """

    space: str
    num_cells: int
    dataset: str
    search_epochs: int
    report_epochs: int
    value: float
    source: str
    validation: str | None = None
    queries: int | None = None
    cost_sec: float | None = None
    std: float | None = None
    runs: int | None = None

    def is_of(self, summary: Mapping[str, Any]) -> bool:
        """Returns whether a study searched by this protocol, budgets aside."""
        names = ("space", "dataset", "search_epochs", "report_epochs")
        same = all(getattr(self, name) == summary.get(name) for name in names)
        seen = self.validation is None or self.validation == summary.get("validation")
        return same and seen and self.num_cells == summary.get("table_num_cells")

    @property
    def text(self) -> str:
        """The number in per cent: 94.28 ± 0.17, or 94.28 where no deviation is known."""
        return plus_minus(self.value, self.std or None)

    @property
    def reference(self) -> str:
        """The source and how many runs the number is a mean of."""
        return self.source if self.runs is None else f"{self.source}, {self.runs:,} runs"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportNotes:
    """Names, and published numbers to stand beside ours.

    Attributes:
        title: first heading.
        strategy_label: the strategy's name in figures and text; the summary's when empty.
        is_random: whether the strategy draws cells at random, which every comparison needs.
        published: published test accuracies; each is shown beside a study of its own protocol and
            budget, and nowhere else.
        pretraining: the pre-training's summary, for its table; none when None.
    """

    title: str = "Architecture search"
    strategy_label: str = ""
    is_random: bool = False
    published: tuple[Published, ...] = ()
    pretraining: Mapping[str, Any] | None = None

    def after(
        self, summary: Mapping[str, Any], queries: int | None, cost_sec: float | None
    ) -> Published | None:
        """Returns what was published of runs that one budget alone limited.

        Args:
            summary: of the study it would stand beside.
            queries: that each of its runs made; None where only cost counts.
            cost_sec: that each of its runs could spend; None where only queries count.
        """
        if (queries is None) == (cost_sec is None):
            return None
        of_protocol = (one for one in self.published if one.is_of(summary))
        return next(
            (one for one in of_protocol if (one.queries, one.cost_sec) == (queries, cost_sec)), None
        )
