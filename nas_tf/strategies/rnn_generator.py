"""GraphPNAS' baseline with a recurrent generator (Li et al., 2022, section 4)."""

import dataclasses

from nas_tf.config import at_least, setting
from nas_tf.strategies.graph_generator import GraphGeneratorSearch
from nas_tf.strategies.papers import graphpnas_figure_2


@dataclasses.dataclass(frozen=True)
class RNNGenerator(GraphGeneratorSearch):
    """Recurrent generator, the baseline of GraphPNAS."""

    name = "rnn_generator"
    title = "RNN generator"
    published = (graphpnas_figure_2(300, 0.93972),)

    generator_hidden: int = setting(64, "Hidden units of the generator's networks.", at_least(1))
    generator_layers: int = setting(2, "LSTM layers of the recurrent generator.", at_least(1))

    def network(self, description):
        """See `GraphGeneratorSearch.network`."""
        from nas_tf.graphpnas.rnn import RecurrentGenerator

        return RecurrentGenerator(
            description, hidden=self.generator_hidden, num_layers=self.generator_layers
        )
