"""GraphPNAS (Li et al., 2022, arXiv:2211.15155)."""

import dataclasses

from nas_tf.config import at_least, setting
from nas_tf.strategies.graph_generator import GraphGeneratorSearch
from nas_tf.strategies.papers import graphpnas_figure_2, graphpnas_nasbench201


@dataclasses.dataclass(frozen=True)
class GraphPNAS(GraphGeneratorSearch):
    """GraphPNAS."""

    name = "graphpnas"
    title = "GraphPNAS"
    published = (
        graphpnas_figure_2(150, 0.94070, runs=10),
        graphpnas_figure_2(300, 0.94193, runs=10),
        graphpnas_nasbench201("cifar10", 150, 0.9428, std=0.0017),
        graphpnas_nasbench201("cifar100", 80, 0.7234, std=0.0081),
    )

    generator_components: int = setting(
        10, "Components of a row's mixture of edges, K.", at_least(1)
    )
    generator_steps: int = setting(
        7, "Steps in which the generator's nodes exchange messages, S.", at_least(1)
    )
    generator_pooling: str = setting(
        "mean", "Of the mixture's weights over earlier nodes (equation 4).", ("mean", "sum")
    )
    generator_features: str = setting(
        "rows",
        "What the generator's nodes begin with: their row of edges, label and position, or one-hot "
        "operations (the paper).",
        ("rows", "operations"),
    )

    def network(self, description):
        """See `GraphGeneratorSearch.network`."""
        from nas_tf.graphpnas.generator import GraphGenerator

        return GraphGenerator(
            description,
            hidden=self.generator_hidden,
            num_components=self.generator_components,
            num_steps=self.generator_steps,
            pooling=self.generator_pooling,
            features=self.generator_features,
        )
