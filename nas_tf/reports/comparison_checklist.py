"""Which best practices of architecture search a comparison satisfies, judged from its files.

The practices are those of Lindauer and Hutter, "Best Practices for Scientific Research on Neural
Architecture Search", JMLR 21(243), 2020 (arXiv:1909.02453), in our words.
"""

from collections.abc import Iterable, Sequence

from nas_tf.reports.comparison import Section
from nas_tf.reports.finished_study import FinishedStudy, differing_settings
from nas_tf.reports.wording import PUBLISHED_DATASETS

_YES, _PARTLY, _AUTHOR = "yes", "in part", "the author's to say"
_MODELS = 3  # of a method that has one: they differ by more than strategies do
_SEEDS = {"seed", "pretrain_seed"}  # of one method


def checklist(groups: Sequence[Section]) -> list[dict[str, str]]:
    """Returns every practice, whether the sections of a comparison satisfy it, and by what."""
    studies = [study for group in groups for study in group.parts]
    methods = [study for group in groups for study in group.studies]
    data = {group.summary["dataset"] for group in groups}
    known = data <= {*PUBLISHED_DATASETS, "digits"}
    versions = [study.summary["versions"] for study in studies]
    same = all(version == versions[0] for version in versions)
    costs = [any(s.summary["evaluation_cost_sec_mean"] for s in g.parts) for g in groups]
    rows = [
        ("Code and settings of the training of architectures released", _YES if known else _AUTHOR,
         "released tables, with their training"),
        ("Code, settings and seeds of the search methods released",
         _all(s.flags for s in studies), "`config.flags` in every directory; versions are below"),
        ("The same benchmark for all methods", _YES,
         "a section holds one table, data set and training budget"),
        ("The same evaluation protocol for all methods", _YES,
         "one validation and test accuracy, one budget: longer studies are cut at the smallest"),
        ("Performance as a function of compute", _YES if all(costs) else _PARTLY,
         "regret against queries and, where a table has costs, against these"),
        ("Comparison with random search",
         _all(any(s.notes.is_random for s in g.studies) for g in groups), "in every section"),
        ("Several runs, with their seeds", _all(s.curves.num_runs > 1 for s in studies),
         "runs and seeds in the table of runs"),
        ("Several pre-trained models, where a method has one",
         _all(len(s.models) >= _MODELS for s in methods if s.models), f"at least {_MODELS} a study"),
        ("Tabular benchmarks, for many runs", _all("synthetic" != name for name in data),
         "all cells were looked up; none of the accuracies is invented"),
        ("Confounding factors controlled", _PARTLY if same else f"{_PARTLY}: versions differ",
         "the same versions of all libraries; hardware is in no file"),
        ("Ablation studies", _YES if any(map(_has_ablation, groups)) else _AUTHOR,
         "studies of one strategy that differ in settings, seeds and models aside"),
        ("Tuning of hyperparameters reported", _AUTHOR,
         "how the settings were found, and at what cost, is in no file"),
        ("Time of the whole method, end to end", _all(map(_is_whole, studies)),
         "wall time of each job; pre-training by another job is in that one's summary"),
        ("All details of the setup reported",
         _all(s.flags and s.summary["versions"] for s in studies),
         "`config.flags`, seeds, budgets, versions; hardware is the author's to add"),
    ]  # fmt: skip
    return [dict(zip(("Practice", "Satisfied", "Judged by"), row)) for row in rows]


def _all(satisfied: Iterable) -> str:
    """Returns whether all satisfy a practice, or how many do."""
    found = list(map(bool, satisfied))
    if all(found):
        return _YES
    return f"{_PARTLY}: {sum(found)} of {len(found)}" if any(found) else "no"


def _has_ablation(group: Section) -> bool:
    """Returns whether a strategy has several studies that differ in more than their seeds."""
    for strategy in {study.summary["strategy"] for study in group.studies}:
        same = [study for study in group.studies if study.summary["strategy"] == strategy]
        if set(differing_settings(same)) - _SEEDS:
            return True
    return False


def _is_whole(study: FinishedStudy) -> bool:
    """Returns whether the job needed no other one's model."""
    models = (line for line in study.flags if line.startswith("--pretrained="))
    return all(line == "--pretrained=none" for line in models)
