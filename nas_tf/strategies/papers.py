"""Published accuracies, with the protocol that each was measured by.

arch2vec: Yan et al., 2020, arXiv:2006.06936, tables 2 and 3. GraphPNAS: Li et al., 2022,
arXiv:2211.15155, figure 2 and its text. A number stands beside studies of its protocol alone.
"""

from nas_tf.reports.notes import Published

_GRAPHPNAS = "GraphPNAS, figure 2 and its text"
_GRAPHPNAS_201 = "GraphPNAS, on NAS-Bench-201"


def arch2vec_table_2(queries: int, value: float) -> Published:
    """Returns a row of arch2vec's table 2, a mean of 500 runs."""
    return _nasbench101(queries, value, "arch2vec, table 2", runs=500)


def arch2vec_table_3(*, cifar10: float, cifar100: float) -> tuple[Published, ...]:
    """Returns a row: after 12,000 s on CIFAR-10 and 500,000 s on CIFAR-100, means of 500 runs."""
    budgets = {"cifar10": (cifar10, 12_000), "cifar100": (cifar100, 500_000)}
    source = "arch2vec, table 3, after {:,} s of training"
    return tuple(
        _nasbench201(data, value, source.format(sec), cost_sec=sec, runs=500)
        for data, (value, sec) in budgets.items()
    )


def graphpnas_figure_2(queries: int, value: float, runs: int | None = None) -> Published:
    """Returns a number of GraphPNAS' figure on NAS-Bench-101."""
    return _nasbench101(queries, value, _GRAPHPNAS, runs=runs)


def graphpnas_nasbench201(
    dataset: str, queries: int, value: float, std: float
) -> Published:
    """Returns a number of GraphPNAS on NAS-Bench-201, a mean of ten runs.

    Its searches saw one random trial. Our tables have the mean of the trials alone: these numbers
    are kept as records of that protocol and stand beside none of our studies.
    """
    return _nasbench201(
        dataset, value, _GRAPHPNAS_201, queries=queries, std=std, runs=10,
        validation="random",
    )


def _nasbench101(queries: int, value: float, source: str, **known) -> Published:
    """Returns a number of CIFAR-10, 108 epochs, of searches that saw the mean of the repeats.

    Both papers' released code averages the three: arch2vec's when it reads the table, GraphPNAS' in
    its evaluator, which measured the baselines of its figure as well.
    """
    return Published(
        space="nasbench101", num_cells=423_624, dataset="cifar10", search_epochs=108,
        report_epochs=108, validation="mean", queries=queries, value=value,
        source=source, **known,
    )


def _nasbench201(dataset: str, value: float, source: str, **known) -> Published:
    """Returns a number of the benchmark's protocol: see `tables.nasbench201.Protocol`."""
    return Published(
        space="nasbench201", num_cells=15_625, dataset=dataset, report_epochs=200,
        search_epochs=12 if dataset == "cifar10" else 200, value=value,
        source=source, **known,
    )
