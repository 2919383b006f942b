"""Settings of an experiment: one frozen dataclass a component, checked where it is made.

Every field is a command-line flag of the same name, and its `help` is the flag's. A component's
learner gets plain values out of these, never the dataclass.
"""

import dataclasses
import math
from typing import Any

from nas_tf.core import ConfigError
from nas_tf.evaluators.budget import Budget

JOBS = ("search", "pretrain", "report")
LATER_JOBS = ("train", "analyze")
SPACES = ("nasbench101", "nasbench201")
STRATEGIES = (
    "reinforce",
    "bayesian",
    "random",
    "categorical_reinforce",
    "evolution",
    "bohb",
    "local_search",
    "bananas",
)
DISTRIBUTIONS = ("none", "mirrored", "multi_worker", "tpu")


def setting(default: Any, help_text: str, choices: tuple[str, ...] | None = None):
    """Returns a dataclass field with what its flag needs to know."""
    return dataclasses.field(default=default, metadata={"help": help_text, "choices": choices})


def _require(settings: Any, fits: bool, name: str, expected: str) -> None:
    if not fits:
        raise ConfigError(f"--{name}={getattr(settings, name)}: expected {expected}")


@dataclasses.dataclass(frozen=True)
class JobSettings:
    """What is run, and where its results go."""

    job: str = setting("search", "What to do.", JOBS + LATER_JOBS)
    output_dir: str = setting(
        "runs/search", "Where everything the job makes is written. Taken up again if unfinished."
    )
    seed: int = setting(0, "Seed of the study; run r of a study is seeded with SEED + r.")
    distribution: str = setting(
        "none",
        "Devices: one, all GPUs of this machine, the workers of TF_CONFIG, or a TPU.",
        DISTRIBUTIONS,
    )
    checkpoint_sec: float = setting(30.0, "Least seconds between two checkpoints.")
    cpu_devices: int = setting(
        1, "Logical CPU devices to make, so that --distribution=mirrored can be tried without GPUs."
    )

    def __post_init__(self):
        if self.job in LATER_JOBS:
            raise ConfigError(
                f"--job={self.job}: not in this version; choose one of {', '.join(JOBS)}"
            )
        _require(self, bool(self.output_dir), "output_dir", "a directory")
        _require(self, 0 <= self.seed < 2**31, "seed", "a number from 0 to 2147483647")
        _require(self, 0 <= self.checkpoint_sec < math.inf, "checkpoint_sec", "seconds from 0 up")
        _require(self, 1 <= self.cpu_devices <= 64, "cpu_devices", "1 to 64")


@dataclasses.dataclass(frozen=True)
class TableSettings:
    """Search space and benchmark table."""

    space: str = setting("nasbench101", "Search space.", SPACES)
    nasbench101_records: str | None = setting(
        None,
        "Official NAS-Bench-101 file, such as nasbench_only108.tfrecord. The embedded table of "
        "small cells trained on digits when not given.",
    )
    nasbench101_validation: str = setting(
        "random",
        "Validation accuracy a search sees: that of one of the three repeats, drawn at random "
        "(the official protocol), or their mean.",
        ("random", "mean"),
    )
    nasbench101_epochs: int | None = setting(
        None, "Training budget looked up, one of the table's; its longest when not given."
    )
    nasbench201_table: str | None = setting(
        None,
        "NAS-Bench-201 measurements: a CSV file, plain or gzip-compressed, or the folder "
        "NATS-tss-v1_0-3ffb9-simple (it is unpickled: name only one of the benchmark's authors).",
    )
    dataset: str = setting(
        "cifar10",
        "Data set searched in a NAS-Bench-201 table: cifar10, cifar100, imagenet16-120 or another "
        "that it has columns of.",
    )

    def __post_init__(self):
        _require(self, self.nasbench101_records != "", "nasbench101_records", "a file")
        _require(self, self.nasbench201_table != "", "nasbench201_table", "a file or a folder")
        _require(self, bool(self.dataset), "dataset", "the name of a data set")


@dataclasses.dataclass(frozen=True)
class PretrainSettings:
    """The arch2vec autoencoder and its pre-training."""

    pretrained: str | None = setting(
        None, "Output directory of a pre-training job whose model is used; none pre-trains here."
    )
    pretrain_cells: str = setting(
        "space", "Cells to pre-train on: the whole space or those of the table.", ("space", "table")
    )
    pretrain_seed: int | None = setting(None, "Seed of the pre-training; --seed when not given.")
    epochs: int = setting(8, "Passes over the training cells.")
    batch_size: int = setting(32, "Global batch of the pre-training, in cells.")
    learning_rate: float = setting(1e-3, "Adam's learning rate of the pre-training, at its start.")
    adam_epsilon: float = setting(
        1e-5, "Adam's epsilon of the pre-training; with Keras' 1e-7 noise goes on moving a model."
    )
    held_out: float = setting(0.1, "Share of the cells kept to measure reconstruction.")
    kl_weight: float = setting(
        2e-6, "Weight of a node's KL divergence in the loss; the released code's is 1/224."
    )
    free_nats: float = setting(
        140.0, "KL divergence of a node that costs nothing; the paper has none."
    )
    dropout: float = setting(0.0, "Dropout on the latent variables in training.")
    clip_norm: float | None = setting(
        5.0, "Bound on the gradient's global norm (the released code's); 'none' is no bound."
    )
    operation_loss: str = setting(
        "softmax",
        "Decoder of operations: softmax (the paper) or element-wise sigmoid (the released code).",
        ("softmax", "sigmoid"),
    )
    adjacency_entries: str = setting(
        "upper",
        "Adjacency entries in the loss: those above the diagonal, or all of the augmented matrix "
        "(the released code).",
        ("upper", "all"),
    )
    adjacency_bias: bool = setting(
        True, "Learn one bias of all adjacency logits; the paper has none."
    )
    padding_output: bool = setting(
        True, "Teach padding nodes to decode to 'output'; in the paper they are taught nothing."
    )
    positions: bool = setting(
        True, "Let the encoder see every node's position, faintly; the paper's does not."
    )
    epsilon_start: float = setting(
        1.0, "Where the GIN layers' trainable epsilon starts; the released code's is 0."
    )
    pooling: str = setting(
        "sum",
        "A cell's embedding over its nodes: sum (the paper) or mean (the released code).",
        ("sum", "mean"),
    )
    jit_compile: bool = setting(True, "Compile the pre-training with XLA when on one device.")

    def __post_init__(self):
        _require(self, self.epochs >= 1, "epochs", "at least 1")
        _require(self, self.batch_size >= 1, "batch_size", "at least 1")
        _require(self, 0 < self.learning_rate < math.inf, "learning_rate", "a positive number")
        _require(self, 0 < self.adam_epsilon < math.inf, "adam_epsilon", "a positive number")
        _require(self, 0 < self.held_out < 1, "held_out", "a share between 0 and 1")
        _require(self, 0 <= self.kl_weight < math.inf, "kl_weight", "a number from 0 up")
        _require(self, abs(self.epsilon_start) < math.inf, "epsilon_start", "a number")
        _require(self, 0 <= self.free_nats < math.inf, "free_nats", "a number from 0 up")
        _require(self, 0 <= self.dropout < 1, "dropout", "a rate from 0 to below 1")
        clips = self.clip_norm is not None
        _require(self, not clips or 0 < self.clip_norm < math.inf, "clip_norm", "a positive number")

    @property
    def on_table(self) -> bool:
        """Whether the table's cells are pre-trained on, not the whole space."""
        return self.pretrain_cells == "table"


@dataclasses.dataclass(frozen=True)
class SearchSettings:
    """The study: strategy, runs and budget."""

    strategy: str = setting("reinforce", "Search strategy.", STRATEGIES)
    num_runs: int = setting(500, "Independent runs of the study.")
    num_queries: int | None = setting(150, "Cells a run may query; 'none' leaves it to the cost.")
    cost_budget_sec: float | None = setting(
        None, "Training seconds a run may spend, as the table has them; whichever ends first."
    )
    standardize: bool = setting(
        True,
        "Scale the embedding of the table's cells to mean 0 and variance 1 in every dimension; the "
        "paper takes it as it is.",
    )

    def __post_init__(self):
        _require(self, self.num_runs >= 1, "num_runs", "at least 1")
        self.budget()

    def budget(self) -> Budget:
        """Returns what each run may spend.

        Raises:
            ConfigError: a limit is not positive, or there is none.
        """
        return Budget(self.num_queries, self.cost_budget_sec)


@dataclasses.dataclass(frozen=True)
class ReinforceSettings:
    """arch2vec-RL."""

    episode_length: int = setting(16, "Queries between two updates of the policy.")
    policy_learning_rate: float = setting(1e-2, "Adam's learning rate of the policy.")
    discount: float = setting(
        0.8, "Discount of later rewards; 0 is what the released code does in effect."
    )
    baseline: float = setting(0.95, "Accuracy, in [0, 1], that is neither good nor bad.")
    embedding_scale: float = setting(
        0.1,
        "Factor on the embedding (see --standardize) beside the policy's noise, which is 1: small "
        "ones make actions lie beyond the cells, so that the outermost cells are tried first.",
    )

    def __post_init__(self):
        _require(self, self.episode_length >= 1, "episode_length", "at least 1")
        _require(
            self, 0 < self.policy_learning_rate < math.inf, "policy_learning_rate", "positive"
        )
        _require(self, 0 <= self.discount <= 1, "discount", "a number from 0 to 1")
        _require(self, 0 <= self.baseline <= 1, "baseline", "an accuracy from 0 to 1")
        scale = self.embedding_scale
        _require(self, 0 < scale < math.inf, "embedding_scale", "a positive number")


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
        _require(self, self.num_initial >= 1, "num_initial", "at least 1")
        _require(self, self.batch_queries >= 1, "batch_queries", "at least 1")
        target = self.target_accuracy
        _require(self, target is None or 0 <= target <= 1, "target_accuracy", "0 to 1, or none")
        _require(self, self.surrogate_epochs >= 1, "surrogate_epochs", "at least 1")
        rate = self.surrogate_learning_rate
        _require(self, 0 < rate < math.inf, "surrogate_learning_rate", "positive")


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
        _require(self, 0 < rate < math.inf, "logits_learning_rate", "positive")
        _require(self, 0 <= self.baseline_momentum < 1, "baseline_momentum", "0 to below 1")


@dataclasses.dataclass(frozen=True)
class BohbSettings:
    """BOHB."""

    eta: int = setting(3, "One of so many cells advances to a longer training.")
    random_fraction: float = setting(1 / 3, "Of the new cells; the others follow the model.")
    num_samples: int = setting(64, "Codes drawn from the model for a new cell.")
    top_percent: int = setting(15, "Of the codes, which are the model's good ones.")
    min_points: int | None = setting(
        None, "Good codes, and others, without which there is no model; one more than decisions."
    )
    min_bandwidth: float = setting(0.3, "Of every decision's kernel.")

    def __post_init__(self):
        _require(self, self.eta >= 2, "eta", "at least 2")
        _require(self, 0 <= self.random_fraction <= 1, "random_fraction", "a share from 0 to 1")
        _require(self, self.num_samples >= 1, "num_samples", "at least 1")
        _require(self, 1 <= self.top_percent <= 99, "top_percent", "1 to 99")
        _require(self, 0 < self.min_bandwidth <= 1, "min_bandwidth", "above 0 to 1")


@dataclasses.dataclass(frozen=True)
class EvolutionSettings:
    """Regularized evolution."""

    population_size: int = setting(100, "Cells that live at a time; the oldest leaves.")
    tournament_size: int = setting(10, "Members drawn, of which the most accurate has a child.")

    def __post_init__(self):
        _require(self, self.population_size >= 1, "population_size", "at least 1")
        members = self.population_size
        fits = 1 <= self.tournament_size <= members
        _require(self, fits, "tournament_size", f"1 to --population_size={members}")


@dataclasses.dataclass(frozen=True)
class LocalSearchSettings:
    """Local search."""

    full_neighbourhood: bool = setting(
        True, "Query all neighbours before moving to the best; otherwise move to the first better one."
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
            _require(self, getattr(self, field.name) >= 1, field.name, "at least 1")
        rate = self.ensemble_learning_rate
        _require(self, 0 < rate < math.inf, "ensemble_learning_rate", "positive")


@dataclasses.dataclass(frozen=True)
class ReportSettings:
    """The comparison of finished studies, --job=report."""

    inputs: str | None = setting(
        None, "Output directories of finished searches, separated by commas, for --job=report."
    )
    reference: str | None = setting(
        None,
        "One of --inputs, which the others are tested against; the most accurate when not given.",
    )

    def directories(self) -> list[str]:
        """Returns the inputs one by one."""
        return [name.strip() for name in (self.inputs or "").split(",") if name.strip()]


@dataclasses.dataclass(frozen=True)
class Settings:
    """All settings of one job."""

    job: JobSettings = JobSettings()
    table: TableSettings = TableSettings()
    pretrain: PretrainSettings = PretrainSettings()
    search: SearchSettings = SearchSettings()
    reinforce: ReinforceSettings = ReinforceSettings()
    bayesian: BayesianSettings = BayesianSettings()
    categorical_reinforce: CategoricalReinforceSettings = CategoricalReinforceSettings()
    evolution: EvolutionSettings = EvolutionSettings()
    bohb: BohbSettings = BohbSettings()
    local_search: LocalSearchSettings = LocalSearchSettings()
    bananas: BananasSettings = BananasSettings()
    report: ReportSettings = ReportSettings()

    def values(self) -> dict[str, Any]:
        """Returns every setting by the name of its flag."""
        return {
            name: value
            for component in dataclasses.asdict(self).values()
            for name, value in component.items()
        }
