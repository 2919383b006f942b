"""Fixed texts under the figures and tables of pages on studies."""

# Of tables with test accuracy, and of those without.
INCUMBENT = (
    "Incumbent: the cell with the highest validation accuracy a run has seen; its test accuracy is "
    "the mean over its repeats, or what the protocol says, and no search sees it. Test regret: distance to the best mean test "
    "accuracy in the table. ±: sample standard deviation over runs (n − 1)."
)
_UNTESTED = (
    "Incumbent: the cell with the highest validation accuracy a run has seen. This table has no test "
    "accuracy: validation regret is the distance to the highest validation accuracy that a search "
    "can see in it. ±: sample standard deviation over runs (n − 1)."
)
FIGURES = {
    "regret": "Test regret of the incumbents against queries and, where evaluations cost anything, "
    "against their cost: means over runs, with the bands the legend names: dark is one standard "
    "error, light holds the middle half of the runs. A run that has ended keeps its last "
    "incumbent. A cost curve begins where every run of its study has a feasible cell and ends at "
    "the median of what its runs spent. A study of several models is one line over all its runs.",
    "incumbents": "Validation accuracy as the searches saw it, and mean test accuracy, of the "
    "incumbents. The best of many noisy validation accuracies is optimistic; test accuracy played "
    "no part in any choice.",
    "costs": "Every network that a run saw trained in full: validation accuracy, a mean over the "
    "runs that queried it, against its trainable parameters and against the multiply-adds of its "
    "convolutions and classifier for one image. Both are counted from the architecture, as the "
    "benchmark's network for CIFAR-10 has them, whatever was trained. Nothing that was seen is better "
    "in both than a network on the front. The best of many noisy accuracies is optimistic.",
    "final_regret": "Empirical distribution of final test regret: a line is at height y where a "
    "share y of the study's runs ended with at most that regret. Higher and further to the left is "
    "better.",
}
COMPARISON = f"""\
- {INCUMBENT} All numbers are computed from the studies' traces.
- **Several pre-trained models**: ± is over the runs within a model. **Between models**: sample \
standard deviation of the models' means, to which the luck of their runs adds; runs of one model \
say nothing of other models. Runs that have no feasible cell yet, or (BOHB) none trained in full, \
are left out. **Reported validation**: of the same incumbents, as the benchmark reports it.
- **Published**: mean test accuracy by this protocol after this budget.
- **Difference**: mean test accuracy minus the reference's, with its 95 % confidence interval \
(Student's t for pairs of runs, Welch's otherwise; of the models' means where a study has \
several). **P(better)**: share of all pairs of runs in which the study's is better than the \
reference's, ties counting half (Vargha and Delaney's A; 0.5 is no difference).
- **p**: two-sided, on test accuracy, adjusted for all comparisons with the reference (Holm). \
**Wilcoxon**: signed-rank test of pairs of runs with the same seed, zeros ranked as Pratt does. \
**Mann-Whitney**: U test of independent runs. Both are of the runs given their models, and take \
two runs of a study at least.
- **Bold**: the best mean; where it is the reference, also those not significantly different from \
it (p ≥ 0.05).
- **Runs**: run r of a study has its first seed + r. Queries and cost are means over runs; cost is \
training time by the table. Wall time is of the whole job since its last start, pre-training \
included where it was done there; search alone, over all starts. Model: seed of its pre-training \
and the beginning of its weights' checksum."""
FEWER_QUERIES = (
    "{accuracy} (%) of the incumbents, mean ± sample standard deviation over runs; bold: the "
    "best mean."
)
_PUBLISHED = "In brackets: published by this protocol after as many queries."


def incumbent(tested: bool = True) -> str:
    """Returns what an incumbent and its regret are."""
    return INCUMBENT if tested else _UNTESTED


def figure(name: str, tested: bool = True) -> str:
    """Returns the text under a figure: "regret", "incumbents" or "final_regret"."""
    if tested:
        return FIGURES[name]
    if name == "incumbents":
        return "Validation accuracy of the incumbents, as the searches saw it."
    text = FIGURES[name].replace("Test regret", "Validation regret")
    return text.replace("test regret", "validation regret")


def comparison(tested: bool = True) -> str:
    """Returns how a comparison is read; `tested`: of any of its tables with test accuracy."""
    if tested:
        return COMPARISON
    text = COMPARISON.replace(INCUMBENT, _UNTESTED).replace("- **Published**: mean test accuracy by "
                                                            "this protocol after this budget.\n", "")
    return text.replace("mean test accuracy", "mean validation accuracy").replace(
        "on test accuracy", "on validation accuracy"
    )


def fewer_queries(tested: bool = True, published: bool = False) -> str:
    """Returns the text over the table of fewer queries, which may have published numbers."""
    text = FEWER_QUERIES.format(accuracy="Test accuracy" if tested else "Validation accuracy")
    return f"{text} {_PUBLISHED}" if published else text
