"""Settings of the search strategies, one frozen dataclass a strategy; see `settings`."""

import dataclasses
import math

from nas_tf.declaration import require, setting


@dataclasses.dataclass(frozen=True)
class ReinforceSettings:
    """arch2vec-RL."""

    episode_length: int = setting(16, "Queries between two updates of the policy.")
    policy_learning_rate: float = setting(1e-2, "Adam's learning rate of the policy.")
    discount: float = setting(
        0.0,
        "Discount of later rewards; the released code has 0 in effect, the paper's text 0.8 (0.4 on "
        "NAS-Bench-201).",
    )
    baseline: float | None = setting(
        None,
        "Accuracy, in [0, 1], that is neither good nor bad; 'none' is the mean of the run's rewards "
        "so far. The paper has 0.95 on NAS-Bench-101, 0.4 on NAS-Bench-201.",
    )
    embedding_scale: float = setting(
        0.1,
        "Factor on the embedding (see --standardize) beside the policy's noise, which is 1: small "
        "ones make actions lie beyond the cells, so that the outermost cells are tried first.",
    )

    def __post_init__(self):
        require(self, self.episode_length >= 1, "episode_length", "at least 1")
        require(
            self, 0 < self.policy_learning_rate < math.inf, "policy_learning_rate", "positive"
        )
        require(self, 0 <= self.discount <= 1, "discount", "a number from 0 to 1")
        fits = self.baseline is None or 0 <= self.baseline <= 1
        require(self, fits, "baseline", "an accuracy from 0 to 1, or none")
        scale = self.embedding_scale
        require(self, 0 < scale < math.inf, "embedding_scale", "a positive number")


@dataclasses.dataclass(frozen=True)
class BayesianSettings:
    """arch2vec-BO."""

    num_initial: int = setting(16, "Random cells before the first surrogate.")
    batch_queries: int = setting(
        5, "Cells a round: 5 on NAS-Bench-101 and 1 on NAS-Bench-201 in the paper."
    )
    target_accuracy: float | None = setting(
        0.95,
        "Accuracy to improve on, in [0, 1]: 0.95 on NAS-Bench-101, 1 on NAS-Bench-201; 'none' is "
        "the best of the run so far.",
    )
    surrogate_epochs: int = setting(100, "Steps of every training of a surrogate, DNGO.")
    surrogate_learning_rate: float = setting(1e-2, "Adam's learning rate of the surrogate.")

    def __post_init__(self):
        require(self, self.num_initial >= 1, "num_initial", "at least 1")
        require(self, self.batch_queries >= 1, "batch_queries", "at least 1")
        target = self.target_accuracy
        require(self, target is None or 0 <= target <= 1, "target_accuracy", "0 to 1, or none")
        require(self, self.surrogate_epochs >= 1, "surrogate_epochs", "at least 1")
        rate = self.surrogate_learning_rate
        require(self, 0 < rate < math.inf, "surrogate_learning_rate", "positive")


@dataclasses.dataclass(frozen=True)
class SupervisedSettings:
    """The supervised counterparts of arch2vec-RL and arch2vec-BO."""

    encoder_period: int = setting(
        16, "Queries between two trainings of a run's encoder on what the run has queried."
    )
    encoder_steps: int = setting(50, "Batches of 32 cells in every training of an encoder.")
    encoder_learning_rate: float = setting(5e-3, "Adam's learning rate of the encoders.")

    def __post_init__(self):
        require(self, self.encoder_period >= 1, "encoder_period", "at least 1")
        require(self, self.encoder_steps >= 1, "encoder_steps", "at least 1")
        rate = self.encoder_learning_rate
        require(self, 0 < rate < math.inf, "encoder_learning_rate", "positive")


@dataclasses.dataclass(frozen=True)
class CategoricalReinforceSettings:
    """REINFORCE over categorical decisions."""

    logits_optimizer: str = setting(
        "sgd",
        "Plain gradient ascent (NAS-Bench-101's study) or Adam (NAS-Bench-201's).",
        ("sgd", "adam"),
    )
    logits_learning_rate: float = setting(0.1, "Learning rate of the logits.")
    baseline_momentum: float = setting(0.9, "Of the moving average of accuracies.")

    def __post_init__(self):
        rate = self.logits_learning_rate
        require(self, 0 < rate < math.inf, "logits_learning_rate", "positive")
        require(self, 0 <= self.baseline_momentum < 1, "baseline_momentum", "0 to below 1")


@dataclasses.dataclass(frozen=True)
class BohbSettings:
    """BOHB."""

    eta: int = setting(3, "One of so many cells advances to a longer training.")
    random_fraction: float = setting(1 / 3, "Of the new cells; the others follow the model.")
    bohb_samples: int = setting(64, "Codes drawn from the model for a new cell.")
    top_percent: int = setting(15, "Of the codes, which are the model's good ones.")
    min_points: int | None = setting(
        None, "Good codes, and others, without which there is no model; one more than decisions."
    )
    min_bandwidth: float = setting(0.3, "Of every decision's kernel.")

    def __post_init__(self):
        require(self, self.eta >= 2, "eta", "at least 2")
        require(self, 0 <= self.random_fraction <= 1, "random_fraction", "a share from 0 to 1")
        require(self, self.bohb_samples >= 1, "bohb_samples", "at least 1")
        require(self, 1 <= self.top_percent <= 99, "top_percent", "1 to 99")
        require(self, 0 < self.min_bandwidth <= 1, "min_bandwidth", "above 0 to 1")


@dataclasses.dataclass(frozen=True)
class EvolutionSettings:
    """Regularized evolution."""

    population_size: int = setting(100, "Cells that live at a time; the oldest leaves.")
    tournament_size: int = setting(10, "Members drawn, of which the most accurate has a child.")

    def __post_init__(self):
        require(self, self.population_size >= 1, "population_size", "at least 1")
        members = self.population_size
        fits = 1 <= self.tournament_size <= members
        require(self, fits, "tournament_size", f"1 to --population_size={members}")


@dataclasses.dataclass(frozen=True)
class LocalSearchSettings:
    """Local search."""

    full_neighbourhood: bool = setting(
        True,
        "Query all neighbours before moving to the best; otherwise move to the first better one.",
    )


@dataclasses.dataclass(frozen=True)
class BananasSettings:
    """BANANAS."""

    bananas_initial: int = setting(10, "Random cells before the first ensemble.")
    bananas_round: int = setting(10, "Cells queried between two trainings of the ensemble.")
    num_parents: int = setting(10, "Best cells whose neighbours are candidates.")
    num_candidates: int = setting(100, "Candidates of a round, at most.")
    path_length: int = setting(3, "Operations of the longest path that is encoded.")
    ensemble_size: int = setting(5, "Networks of an ensemble.")
    ensemble_layers: int = setting(10, "Hidden layers of a network.")
    ensemble_width: int = setting(20, "Units of a hidden layer.")
    ensemble_epochs: int = setting(150, "Passes of every training over a run's queries.")
    ensemble_batch_size: int = setting(32, "Queries a step of a training sees.")
    ensemble_learning_rate: float = setting(1e-2, "Adam's learning rate of the ensemble.")

    def __post_init__(self):
        for field in dataclasses.fields(self)[:-1]:
            require(self, getattr(self, field.name) >= 1, field.name, "at least 1")
        rate = self.ensemble_learning_rate
        require(self, 0 < rate < math.inf, "ensemble_learning_rate", "positive")


@dataclasses.dataclass(frozen=True)
class GraphPnasSettings:
    """GraphPNAS, and its baseline with a recurrent generator."""

    generator_hidden: int = setting(128, "Hidden units of the generator's networks.")
    generator_components: int = setting(10, "Components of a row's mixture of edges, K.")
    generator_steps: int = setting(7, "Steps in which the generator's nodes exchange messages, S.")
    generator_pooling: str = setting(
        "mean", "Of the mixture's weights over earlier nodes (equation 4).", ("mean", "sum")
    )
    generator_layers: int = setting(2, "LSTM layers of the recurrent generator.")
    generator_epochs: int = setting(70, "Passes over the replay buffer in every fit.")
    generator_batch_size: int = setting(2, "Graphs of a gradient step.")
    generator_learning_rate: float = setting(1e-3, "Adam's learning rate of the generator.")
    generator_clip_norm: float | None = setting(
        1.0, "Bound on the norm of a run's gradient; 'none' is no bound."
    )
    generator_period: int = setting(10, "Queries between two fits.")
    generator_samples: int = setting(
        200, "Graphs drawn after a fit; a query takes the first that is new, or explores."
    )
    generator_temperature: float = setting(
        2.0,
        "Of the second half of the graphs drawn, which are looked at where the first are all known: "
        "logits are divided by it, and then by its square. 1 is the released code.",
    )
    generator_restart: bool = setting(
        False, "Begin every fit with new weights, as the released code does."
    )
    generator_block: int = setting(
        1, "Runs that one program fits: 1 suits processors, more suit accelerators."
    )
    objective: str = setting(
        "reweighted",
        "What rewards count for: equation 12, plain REINFORCE (equation 11), or the rank in the "
        "buffer (the released code).",
        ("reweighted", "reinforce", "rank"),
    )
    negative_weight: float = setting(
        0.1, "Beta of equation 12: weight of the cells that are worse than the buffer's mean."
    )
    keep_top: int | None = setting(
        30, "Most accurate cells of a run that are learned from; 'none' keeps a share of all."
    )
    keep_first_share: float = setting(0.3, "Share of its cells a run keeps at the beginning.")
    keep_last_share: float = setting(0.1, "Share of its cells a run keeps in the end.")
    explorer: str = setting(
        "erdos_renyi", "Random graphs to explore with.", ("erdos_renyi", "watts_strogatz")
    )
    explorer_probability: float = setting(
        0.25, "Of an edge (Erdős-Rényi), or of moving one (Watts-Strogatz)."
    )
    explorer_neighbours: int = setting(4, "Of a node in Watts-Strogatz' ring; even.")
    explore_schedule: str = setting(
        "linear",
        "How the share of random cells falls: evenly, or at once after --explore_queries (the "
        "released code).",
        ("linear", "step"),
    )
    explore_start: float = setting(1.0, "Share of random cells at the first query.")
    explore_end: float = setting(0.0, "Share of random cells after --explore_queries.")
    explore_queries: int = setting(30, "Queries until the share of random cells has fallen.")

    def __post_init__(self):
        counts = ("hidden", "components", "steps", "layers", "epochs", "batch_size", "period",
                  "samples", "block")
        for name in (f"generator_{count}" for count in counts):
            require(self, getattr(self, name) >= 1, name, "at least 1")
        rate, clip = self.generator_learning_rate, self.generator_clip_norm
        require(self, 0 < rate < math.inf, "generator_learning_rate", "positive")
        require(self, clip is None or 0 < clip < math.inf, "generator_clip_norm", "positive")
        hot = self.generator_temperature
        require(self, 1 <= hot <= 8, "generator_temperature", "a number from 1 to 8")
        require(self, 0 <= self.negative_weight < math.inf, "negative_weight", "from 0 up")
        several = self.keep_top is None or self.keep_top >= 2
        require(self, several, "keep_top", "at least 2 (of one, rewards have no spread)")
        for name in ("keep_first_share", "keep_last_share"):
            require(self, 0 < getattr(self, name) <= 1, name, "a share above 0, up to 1")
        for name in ("explorer_probability", "explore_start", "explore_end"):
            require(self, 0 <= getattr(self, name) <= 1, name, "a number from 0 to 1")
        require(self, self.explore_queries >= 1, "explore_queries", "at least 1")
