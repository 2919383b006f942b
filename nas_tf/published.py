"""What strategies are called, and what was published of them on which benchmark.

arch2vec: Yan et al., 2020, arXiv:2006.06936, tables 1 to 3.
"""

from collections.abc import Mapping
from typing import Any

from nas_tf.analysis.notes import ReportNotes

SPACES = {"nasbench101": "NAS-Bench-101", "nasbench201": "NAS-Bench-201", "darts": "DARTS"}
STRATEGIES = {
    "reinforce": "arch2vec-RL",
    "bayesian": "arch2vec-BO",
    "random": "random search",
    "categorical_reinforce": "REINFORCE",
    "bohb": "BOHB",
    "evolution": "regularized evolution",
    "local_search": "local search",
    "bananas": "BANANAS",
    "supervised_reinforce": "supervised RL",
    "supervised_bayesian": "supervised BO",
}
_DATASETS = {"cifar100": " (CIFAR-100)", "imagenet16-120": " (ImageNet-16-120)"}

# (space, strategy, data set) -> queries -> mean test accuracy.
_AFTER_QUERIES = {("nasbench101", "reinforce", "cifar10"): {400: 0.9410}}
# (space, strategy, data set) -> mean test accuracy after a budget in seconds of evaluation cost.
_AFTER_COST = {
    ("nasbench201", "random", "cifar10"): 0.9375,
    ("nasbench201", "random", "cifar100"): 0.7205,
    ("nasbench201", "evolution", "cifar10"): 0.9384,
    ("nasbench201", "evolution", "cifar100"): 0.7286,
    ("nasbench201", "reinforce", "cifar10"): 0.9412,
    ("nasbench201", "reinforce", "cifar100"): 0.7315,
    ("nasbench201", "bayesian", "cifar10"): 0.9418,
    ("nasbench201", "bayesian", "cifar100"): 0.7337,
}
_COST_BUDGETS = {"cifar10": 12_000, "cifar100": 500_000}
# Space -> what the autoencoder reached, and the number of cells it was trained on.
_PRETRAINING = {
    "nasbench101": (
        {"reconstruction_accuracy": 1.0, "validity": 0.4497, "uniqueness": 0.9969}, 423_624
    ),
    "nasbench201": (
        {"reconstruction_accuracy": 1.0, "validity": 0.7941, "uniqueness": 0.9872}, 15_625
    ),
    "darts": (
        {"reconstruction_accuracy": 0.9979, "validity": 0.3336, "uniqueness": 1.0}, 600_000
    ),
}


def report_notes(
    summary: Mapping[str, Any], pretraining: Mapping[str, Any] | None = None
) -> ReportNotes:
    """Returns what a report says of a study beyond its own numbers.

    Args:
        summary: with `space`, `strategy` and `dataset`.
        pretraining: what a pre-training measured; None where nothing was pre-trained.
    """
    space, strategy, dataset = (summary[name] for name in ("space", "strategy", "dataset"))
    study = space, strategy, dataset
    label = STRATEGIES.get(strategy, strategy)
    quality, cells = _PRETRAINING.get(space, ({}, 0))
    return ReportNotes(
        title=f"{SPACES.get(space, space)}{_DATASETS.get(dataset, '')}: {label}",
        strategy_label=label,
        published=_AFTER_QUERIES.get(study, {}),
        published_source="arch2vec, table 2",
        published_final=_AFTER_COST.get(study),
        published_final_source=f"arch2vec, table 3, after {_COST_BUDGETS.get(dataset, 0):,} s",
        pretraining=pretraining,
        published_pretraining=quality,
        published_pretraining_cells=cells,
        published_pretraining_source="arch2vec, table 1",
    )
