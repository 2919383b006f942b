"""Settings of an experiment: one frozen dataclass a component, checked where it is made.

Every field is a command-line flag of the same name, and its `help` is the flag's. A component's
learner gets plain values out of these, never the dataclass.
"""

import dataclasses
import math
from typing import Any

from nas_tf.declaration import require, setting
from nas_tf.evaluators.budget import Budget
from nas_tf.spaces.nasbench201_forms import NUMBERINGS
from nas_tf.strategy_settings import (
    BananasSettings,
    BayesianSettings,
    BohbSettings,
    CategoricalReinforceSettings,
    EvolutionSettings,
    GraphPnasSettings,
    LocalSearchSettings,
    ReinforceSettings,
    SupervisedSettings,
)

JOBS = ("search", "pretrain", "report", "analyze", "sample", "query")
SPACES = ("nasbench101", "nasbench201", "darts")
STRATEGIES = (
    "reinforce",
    "bayesian",
    "random",
    "categorical_reinforce",
    "evolution",
    "bohb",
    "local_search",
    "bananas",
    "graphpnas",
    "rnn_generator",
    "supervised_reinforce",
    "supervised_bayesian",
)
AUTOENCODERS = ("arch2vec", "gae", "vgae")
DISTRIBUTIONS = ("none", "mirrored", "multi_worker", "tpu")


@dataclasses.dataclass(frozen=True)
class JobSettings:
    """What is run, and where its results go."""

    job: str = setting("search", "What to do.", JOBS)
    output_dir: str = setting(
        "runs/search",
        "Where everything the job makes is written. Taken up again if unfinished.",
        path=True,
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
        require(self, self.job in JOBS, "job", f"one of {', '.join(JOBS)}")
        require(self, bool(self.output_dir), "output_dir", "a directory")
        require(self, 0 <= self.seed < 2**31, "seed", "a number from 0 to 2147483647")
        require(self, 0 <= self.checkpoint_sec < math.inf, "checkpoint_sec", "seconds from 0 up")
        require(self, 1 <= self.cpu_devices <= 64, "cpu_devices", "1 to 64")


@dataclasses.dataclass(frozen=True)
class TableSettings:
    """Search space and benchmark table."""

    space: str = setting("nasbench101", "Search space.", SPACES)
    nasbench101_records: str | None = setting(
        None,
        "Official NAS-Bench-101 file, such as nasbench_only108.tfrecord. The embedded table of "
        "small cells trained on digits when not given.",
        path=True,
        by_content=True,
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
        path=True,
        by_content=True,
    )
    dataset: str = setting(
        "cifar10",
        "Data set searched in a NAS-Bench-201 table: cifar10, cifar100, imagenet16-120 or another "
        "that it has columns of; 'all' for --job=query.",
    )

    def __post_init__(self):
        require(self, self.nasbench101_records != "", "nasbench101_records", "a file")
        require(self, self.nasbench201_table != "", "nasbench201_table", "a file or a folder")
        require(self, bool(self.dataset), "dataset", "the name of a data set")


@dataclasses.dataclass(frozen=True)
class PretrainSettings:
    """The arch2vec autoencoder and its pre-training."""

    pretrained: str | None = setting(
        None,
        "Output directory of a pre-training job whose model is used; none pre-trains here.",
        path=True,
    )
    pretrain_cells: str = setting(
        "space", "Cells to pre-train on: the whole space or those of the table.", ("space", "table")
    )
    pretrain_seed: int = setting(
        0, "Seed of the pre-trained model, its own: runs of every --seed search in the same embedding."
    )
    autoencoder: str = setting(
        "arch2vec",
        "What is pre-trained: arch2vec's variational autoencoder on GIN layers, or the GAE or VGAE "
        "on graph convolutions that it is compared with. --kl_weight=0 is arch2vec without KL.",
        AUTOENCODERS,
    )
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
    jit_compile: bool = setting(True, "Compile pre-training (on one device) and generators with XLA.")

    def __post_init__(self):
        seed = self.pretrain_seed
        require(self, 0 <= seed < 2**31, "pretrain_seed", "a number from 0 to 2147483647")
        require(self, self.epochs >= 1, "epochs", "at least 1")
        require(self, self.batch_size >= 1, "batch_size", "at least 1")
        require(self, 0 < self.learning_rate < math.inf, "learning_rate", "a positive number")
        require(self, 0 < self.adam_epsilon < math.inf, "adam_epsilon", "a positive number")
        require(self, 0 < self.held_out < 1, "held_out", "a share between 0 and 1")
        require(self, 0 <= self.kl_weight < math.inf, "kl_weight", "a number from 0 up")
        require(self, abs(self.epsilon_start) < math.inf, "epsilon_start", "a number")
        require(self, 0 <= self.free_nats < math.inf, "free_nats", "a number from 0 up")
        require(self, 0 <= self.dropout < 1, "dropout", "a rate from 0 to below 1")
        clips = self.clip_norm is not None
        require(self, not clips or 0 < self.clip_norm < math.inf, "clip_norm", "a positive number")

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
        require(self, self.num_runs >= 1, "num_runs", "at least 1")
        self.budget()

    def budget(self) -> Budget:
        """Returns what each run may spend.

        Raises:
            ConfigError: a limit is not positive, or there is none.
        """
        return Budget(self.num_queries, self.cost_budget_sec)


@dataclasses.dataclass(frozen=True)
class ReportSettings:
    """The comparison of finished studies, --job=report."""

    inputs: str | None = setting(
        None,
        "Output directories, separated by commas: of finished searches for --job=report, of "
        "pre-trainings for the table of --job=analyze.",
        path=True,
        several=True,
    )
    reference: str | None = setting(
        None,
        "One of --inputs, which the others are tested against; the most accurate when not given.",
        path=True,
    )

    def directories(self) -> list[str]:
        """Returns the inputs one by one."""
        return [name.strip() for name in (self.inputs or "").split(",") if name.strip()]


@dataclasses.dataclass(frozen=True)
class AnalyzeSettings:
    """What an embedding knows, --job=analyze."""

    gp_cells: int = setting(250, "Cells that a Gaussian process and a supervised encoder learn from.")
    gp_seeds: int = setting(10, "Draws of these cells.")
    supervised_steps: int = setting(1000, "Batches of 32 cells that train the supervised encoder.")
    walk_cells: int = setting(1000, "Cells of the random walk that distances are measured on.")
    map_cells: int = setting(10_000, "Cells drawn on the map by t-SNE, at most.")
    num_walks: int = setting(20, "Greedy walks through the embedding.")
    walk_length: int = setting(80, "Cells of a greedy walk.")

    def __post_init__(self):
        for field in dataclasses.fields(self):
            least = 2 if field.name != "num_walks" else 1
            require(self, getattr(self, field.name) >= least, field.name, f"at least {least}")


@dataclasses.dataclass(frozen=True)
class SampleSettings:
    """What is drawn from a fitted generator, --job=sample."""

    generator: str | None = setting(
        None, "generator.keras of a search, to draw cells from with --job=sample.", path=True
    )
    num_samples: int = setting(1000, "Graphs to draw.")

    def __post_init__(self):
        require(self, self.num_samples >= 1, "num_samples", "at least 1")


@dataclasses.dataclass(frozen=True)
class QuerySettings:
    """Which cells are looked up, --job=query."""

    cells: str | None = setting(
        None,
        "File of cells to look up with --job=query, one a line or a JSON list: NAS-Bench-201's "
        "strings, NAS-Bench-101's matrices and operations, genotypes, operation indices.",
        path=True,
        by_content=True,
    )
    op_indices: str = setting(
        "naslib",
        "What six operation indices of a NAS-Bench-201 cell mean: NASLib's numbers and order of "
        "edges, or NATS-Bench's.",
        NUMBERINGS,
    )


@dataclasses.dataclass(frozen=True)
class Settings:
    """All settings of one job."""

    job: JobSettings = JobSettings()
    table: TableSettings = TableSettings()
    pretrain: PretrainSettings = PretrainSettings()
    search: SearchSettings = SearchSettings()
    reinforce: ReinforceSettings = ReinforceSettings()
    bayesian: BayesianSettings = BayesianSettings()
    supervised: SupervisedSettings = SupervisedSettings()
    categorical_reinforce: CategoricalReinforceSettings = CategoricalReinforceSettings()
    evolution: EvolutionSettings = EvolutionSettings()
    bohb: BohbSettings = BohbSettings()
    local_search: LocalSearchSettings = LocalSearchSettings()
    bananas: BananasSettings = BananasSettings()
    graphpnas: GraphPnasSettings = GraphPnasSettings()
    report: ReportSettings = ReportSettings()
    analyze: AnalyzeSettings = AnalyzeSettings()
    sample: SampleSettings = SampleSettings()
    query: QuerySettings = QuerySettings()

    def values(self) -> dict[str, Any]:
        """Returns every setting by the name of its flag."""
        return {
            name: value
            for component in dataclasses.asdict(self).values()
            for name, value in component.items()
        }
