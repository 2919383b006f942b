"""Which best practices of architecture search a comparison satisfies, judged from its files.

The practices are those of Lindauer and Hutter, "Best Practices for Scientific Research on Neural
Architecture Search", JMLR 21(243), 2020 (arXiv:1909.02453), in our words.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from nas_tf.analysis.comparison import Section
from nas_tf.analysis.finished_study import TABLE_PATHS, FinishedStudy, differing_flags
from nas_tf.analysis.wording import PUBLISHED_DATASETS, count

REFERENCE = (
    "the best practices of Lindauer and Hutter (2020, JMLR 21:243), as far as files can tell"
)
YES, PARTLY, NO, AUTHOR = "yes", "in part", "no", "the author's to say"
_MODELS = 3  # of a method that has one: they differ by more than strategies do
_NO_ABLATION = ("seed", "pretrain_seed", "pretrained", *TABLE_PATHS)  # settings of one method
_RANDOM = "random"  # the strategy's name in a summary


@dataclasses.dataclass(frozen=True)
class Item:
    """One practice.

    Attributes:
        practice: what should be done.
        status: `YES`, `PARTLY`, `NO` or `AUTHOR`.
        evidence: why.
    """

    practice: str
    status: str
    evidence: str


def checklist(groups: Sequence[Section]) -> list[Item]:
    """Returns every practice and whether a comparison satisfies it.

    Args:
        groups: the sections of the comparison.
    """
    studies = [study for group in groups for study in group.parts]
    return [
        _training_code(groups),
        _method_code(studies),
        Item("The same benchmark for all methods", YES,
             "a section holds one table, data set and training budget"),
        _protocol(groups),
        _compute(groups),
        _random_search(groups),
        _runs(studies),
        _models(groups),
        _tabular(groups),
        _confounders(studies),
        _ablations(groups),
        Item("Tuning of hyperparameters reported", AUTHOR,
             "how the settings were found, and at what cost, is in no file"),
        _end_to_end(studies),
        _setup(studies),
    ]


def _training_code(groups: Sequence[Section]) -> Item:
    unknown = [g for g in groups if g.summary["dataset"] not in (*PUBLISHED_DATASETS, "digits")]
    return Item(
        "Code and settings of the training of architectures released",
        AUTHOR if unknown else YES,
        "not known for the table of at least one section" if unknown
        else "no network was trained here: the tables are released, with their training",
    )


def _method_code(studies: Sequence[FinishedStudy]) -> Item:
    return _graded(
        "Code, settings and seeds of the search methods released",
        studies,
        lambda study: bool(study.flags),
        every="nas\\_tf in the version below each section; `config.flags` in every directory",
        missing="no `config.flags`",
    )


def _protocol(groups: Sequence[Section]) -> Item:
    cut = [group for group in groups if not group.same_budget]
    return Item(
        "The same evaluation protocol for all methods",
        YES,
        "one validation accuracy, one test accuracy, one budget a section"
        + "; longer studies are cut at the smallest budget" * bool(cut),
    )


def _compute(groups: Sequence[Section]) -> Item:
    free = [
        group
        for group in groups
        if not any(study.summary["evaluation_cost_sec_mean"] for study in group.studies)
    ]
    return Item(
        "Performance as a function of compute",
        PARTLY if free else YES,
        "against queries alone where a table has no costs" if free
        else "regret against queries and against evaluation cost",
    )


def _random_search(groups: Sequence[Section]) -> Item:
    having = [
        group
        for group in groups
        if any(study.summary["strategy"] == _RANDOM for study in group.studies)
    ]
    status = YES if len(having) == len(groups) else PARTLY if having else NO
    return Item(
        "Comparison with random search",
        status,
        f"in {len(having)} of {count(len(groups), 'section')}",
    )


def _runs(studies: Sequence[FinishedStudy]) -> Item:
    fewest = min(study.curves.num_runs for study in studies)
    return Item(
        "Several runs, with their seeds",
        YES if fewest > 1 else NO,
        f"{count(fewest, 'run')} of a study at least; seeds are in the table of runs",
    )


def _models(groups: Sequence[Section]) -> Item:
    """Judges what the practices ask of runs for what differs more: pre-trained models."""
    numbers = [len(study.models) for group in groups for study in group.studies if study.models]
    practice = "Several pre-trained models, where a method has one"
    if not numbers:
        return Item(practice, YES, "no study was searched with a pre-trained model")
    fewest = min(numbers)
    return Item(
        practice,
        YES if fewest >= _MODELS else NO if fewest == 1 else PARTLY,
        f"{count(fewest, 'model')} of a study at least; {_MODELS} are wanted",
    )


def _tabular(groups: Sequence[Section]) -> Item:
    invented = any(group.summary["dataset"] == "synthetic" for group in groups)
    return Item(
        "Tabular benchmarks, for many runs",
        NO if invented else YES,
        "the accuracies of a table are invented" if invented else "all cells were looked up",
    )


def _confounders(studies: Sequence[FinishedStudy]) -> Item:
    versions = [study.summary["versions"] for study in studies]
    differ = any(version != versions[0] for version in versions)
    return Item(
        "Confounding factors controlled",
        PARTLY,
        ("versions of libraries differ (see each section)" if differ
         else "the same versions of all libraries") + "; hardware is in no file",
    )


def _ablations(groups: Sequence[Section]) -> Item:
    pairs = [name for group in groups for name in _ablated(group)]
    return Item(
        "Ablation studies",
        YES if pairs else AUTHOR,
        "studies of one strategy that differ in settings" if pairs
        else "no strategy appears with two settings, seeds and pre-trained models aside",
    )


def _ablated(group: Section) -> Iterable[str]:
    """Yields strategies with several studies that differ in more than their seeds."""
    strategies = Counter(study.summary["strategy"] for study in group.studies)
    for strategy, number in strategies.items():
        same = [study for study in group.studies if study.summary["strategy"] == strategy]
        if number > 1 and set(differing_flags(same)) - {*_NO_ABLATION}:
            yield strategy


def _end_to_end(studies: Sequence[FinishedStudy]) -> Item:
    return _graded(
        "Time of the whole method, end to end",
        studies,
        lambda study: study.flags.get("pretrained") in (None, "--pretrained=none"),
        every="wall time of each job, with its pre-training if it has any",
        missing="pre-trained by another job, whose time is in its own summary",
    )


def _setup(studies: Sequence[FinishedStudy]) -> Item:
    return _graded(
        "All details of the setup reported",
        studies,
        lambda study: bool(study.flags) and bool(study.summary["versions"]),
        every="`config.flags`, seeds, budgets, versions; hardware is the author's to add",
        missing="no `config.flags` or no versions",
    )


def _graded(
    practice: str,
    studies: Sequence[FinishedStudy],
    satisfies: Callable[[FinishedStudy], bool],
    *,
    every: str,
    missing: str,
) -> Item:
    """Returns an item that every study satisfies, some, or none."""
    failing = sum(not satisfies(study) for study in studies)
    if not failing:
        return Item(practice, YES, every)
    number = count(failing, "study", "studies")
    return Item(practice, NO if failing == len(studies) else PARTLY, f"{number}: {missing}")
