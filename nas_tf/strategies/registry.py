"""The strategies that `--strategy` knows, one line each."""

from nas_tf.config import by_name
from nas_tf.core import ConfigError
from nas_tf.strategies.arch2vec_bo import Arch2vecBO
from nas_tf.strategies.arch2vec_rl import Arch2vecRL
from nas_tf.strategies.bananas import Bananas
from nas_tf.strategies.bohb import Bohb
from nas_tf.strategies.categorical_reinforce import Reinforce
from nas_tf.strategies.evolution import RegularizedEvolution
from nas_tf.strategies.gaussian_process import GaussianProcess
from nas_tf.strategies.graphpnas import GraphPNAS
from nas_tf.strategies.local_search import LocalSearch
from nas_tf.strategies.random_search import RandomSearch
from nas_tf.strategies.rnn_generator import RNNGenerator
from nas_tf.strategies.strategy import Strategy
from nas_tf.strategies.supervised_bo import SupervisedBO
from nas_tf.strategies.supervised_rl import SupervisedRL

STRATEGIES: tuple[type[Strategy], ...] = (
    GaussianProcess,
    Arch2vecRL,
    Arch2vecBO,
    RandomSearch,
    Reinforce,
    RegularizedEvolution,
    Bohb,
    LocalSearch,
    Bananas,
    GraphPNAS,
    RNNGenerator,
    SupervisedRL,
    SupervisedBO,
)
NAMES = tuple(strategy.name for strategy in STRATEGIES)


def named(name: str) -> type[Strategy]:
    """Returns the recipe of a word of `--strategy`.

    Raises:
        ConfigError: it is none, or one of before, which has another name now.
    """
    now = [strategy.name for strategy in STRATEGIES if name in strategy.former_names]
    if now and name not in NAMES:
        raise ConfigError(f"strategy={name}: it is called {' or '.join(now)} now")
    return by_name(STRATEGIES, name, "strategy")
