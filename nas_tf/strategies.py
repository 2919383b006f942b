"""Search strategies by name, made from the settings of a job."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from nas_tf.arch2vec.bayesian import BayesianSearch
from nas_tf.arch2vec.embedding import standardized
from nas_tf.arch2vec.pools import RunEmbeddings
from nas_tf.arch2vec.reinforce import ReinforceSearch
from nas_tf.arch2vec.supervised import SupervisedSearch
from nas_tf.baselines.bananas import Bananas
from nas_tf.baselines.bohb import Bohb, first_full_query
from nas_tf.baselines.categorical import Encoding, NasBench101Encoding, NasBench201Encoding
from nas_tf.baselines.categorical_reinforce import CategoricalReinforce
from nas_tf.baselines.evolution import RegularizedEvolution
from nas_tf.baselines.local_search import LocalSearch
from nas_tf.baselines.random_search import RandomSearch
from nas_tf.core import ConfigError, SearchSpace, Strategy
from nas_tf.experiment import make_predictor_training
from nas_tf.graphpnas.cells import FORMS
from nas_tf.graphpnas.description import GraphDescription
from nas_tf.graphpnas.explorer import Exploration, Explorer
from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.rnn import RecurrentGenerator
from nas_tf.graphpnas.rows import Generator
from nas_tf.graphpnas.learning import Learning
from nas_tf.graphpnas.search import GraphSearch
from nas_tf.graphs import CellGraphs
from nas_tf.pools.pool import each_once
from nas_tf.settings import Settings

EMBEDDED = {"reinforce", "bayesian"}  # strategies that search in a pre-trained embedding


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """What a strategy is made for.

    Attributes:
        space: of the cells.
        cells: the pool [M].
        seeds: R seeds of the runs.
        epochs: training budgets that cells can be measured at, ascending.
        embedding: float32 [M, L] of the pool; None for a strategy that needs none.
        devices: names of the devices that share the runs, where the strategy uses devices.
    """

    space: SearchSpace
    cells: CellGraphs
    seeds: list[int]
    epochs: tuple[int, ...]
    embedding: np.ndarray | None = None
    devices: Sequence[str] = ()


def make_strategy(settings: Settings, study: Study) -> Strategy:
    """Returns the strategy of a job.

    Raises:
        ConfigError: a setting does not suit the study.
    """
    return STRATEGIES[settings.search.strategy](settings, study)


def check(settings: Settings, epochs: tuple[int, ...]) -> None:
    """Checks settings of a strategy against the budget, before any compute is spent.

    Args:
        settings: of the job.
        epochs: training budgets that cells can be measured at, ascending.

    Raises:
        ConfigError: all queries would be random, or none a full training, or a model is given
            that would not be used.
    """
    strategy, queries = settings.search.strategy, settings.search.num_queries
    given = settings.pretrain.pretrained
    if given and not needs_embedding(settings):
        raise ConfigError(f"--pretrained={given}: --strategy={strategy} uses no pre-trained model")
    first = {
        "bayesian": ("num_initial", settings.bayesian.num_initial),
        "supervised_bayesian": ("num_initial", settings.bayesian.num_initial),
        "bananas": ("bananas_initial", settings.bananas.bananas_initial),
        "graphpnas": ("generator_period", settings.graphpnas.generator_period),
        "rnn_generator": ("generator_period", settings.graphpnas.generator_period),
    }
    if strategy in first and queries is not None:
        name, count = first[strategy]
        if queries <= count:
            raise ConfigError(f"--num_queries={queries}: all would be random, --{name}={count}")
    if strategy in ("graphpnas", "rnn_generator") and queries is not None:
        values = settings.graphpnas
        always = values.explore_schedule == "step" and values.explore_start == 1
        if always and queries <= values.explore_queries:
            raise ConfigError(
                f"--num_queries={queries}: all would be random, "
                f"--explore_queries={values.explore_queries}"
            )
    if strategy == "bohb":
        if len(epochs) < 2:
            raise ConfigError(
                f"--strategy=bohb: the table has one training budget, {epochs[0]} epochs; it needs "
                "two or more, as nasbench_full.tfrecord has"
            )
        needed = first_full_query(len(epochs), settings.bohb.eta)
        if queries is not None and queries < needed:
            raise ConfigError(
                f"--num_queries={queries}: BOHB's first training of {epochs[-1]} epochs is query "
                f"{needed} with --eta={settings.bohb.eta}"
            )


def needs_embedding(settings: Settings) -> bool:
    """Tells whether the strategy of a job searches in a pre-trained embedding."""
    return settings.search.strategy in EMBEDDED


def _reinforce(settings: Settings, study: Study) -> Strategy:
    embedding = _embedding(settings, study.embedding)
    return _reinforce_in(_scaled(settings, embedding), settings, study)


def _reinforce_in(
    embedding: np.ndarray | RunEmbeddings, settings: Settings, study: Study
) -> ReinforceSearch:
    values = settings.reinforce
    return ReinforceSearch(
        embedding,
        study.cells,
        seeds=study.seeds,
        episode_length=values.episode_length,
        learning_rate=values.policy_learning_rate,
        discount=values.discount,
        baseline=values.baseline,
        devices=study.devices,
    )


def _bayesian(settings: Settings, study: Study) -> Strategy:
    return _bayesian_in(_embedding(settings, study.embedding), settings, study)


def _bayesian_in(
    embedding: np.ndarray | RunEmbeddings, settings: Settings, study: Study
) -> BayesianSearch:
    values = settings.bayesian
    return BayesianSearch(
        embedding,
        study.cells,
        seeds=study.seeds,
        num_initial=values.num_initial,
        batch_size=values.batch_queries,
        target=values.target_accuracy,
        epochs=values.surrogate_epochs,
        learning_rate=values.surrogate_learning_rate,
        devices=study.devices,
    )


def _supervised_reinforce(settings: Settings, study: Study) -> Strategy:
    def finish(embedding: np.ndarray) -> np.ndarray:
        return _scaled(settings, _embedding(settings, embedding))

    return _supervised(_reinforce_in, settings, study, first=1, finish=finish)


def _supervised_bayesian(settings: Settings, study: Study) -> Strategy:
    def finish(embedding: np.ndarray) -> np.ndarray:
        return _embedding(settings, embedding)

    first = settings.bayesian.num_initial
    return _supervised(_bayesian_in, settings, study, first=first, finish=finish)


def _supervised(
    search: Callable[[RunEmbeddings, Settings, Study], Strategy],
    settings: Settings,
    study: Study,
    *,
    first: int,
    finish: Callable[[np.ndarray], np.ndarray],
) -> Strategy:
    """Returns a search in embeddings learned as it goes; see `SupervisedSearch`."""
    study = dataclasses.replace(study, cells=each_once(study.cells)[0])
    values = settings.supervised
    return SupervisedSearch(
        lambda embeddings: search(embeddings, settings, study),
        study.cells,
        make_predictor_training(settings, study.space, study.cells, study.devices),
        seeds=study.seeds,
        first=first,
        period=values.encoder_period,
        steps=values.encoder_steps,
        finish=finish,
        progress=True,
    )


def _random(unused_settings: Settings, study: Study) -> Strategy:
    return RandomSearch(study.cells, seeds=study.seeds)


def _categorical_reinforce(settings: Settings, study: Study) -> Strategy:
    values = settings.categorical_reinforce
    return CategoricalReinforce(
        study.cells,
        _encoding(study),
        seeds=study.seeds,
        learning_rate=values.logits_learning_rate,
        baseline_momentum=values.baseline_momentum,
        optimizer=values.logits_optimizer,
    )


def _evolution(settings: Settings, study: Study) -> Strategy:
    values = dataclasses.asdict(settings.evolution)
    return RegularizedEvolution(study.cells, study.space, seeds=study.seeds, **values)


def _bohb(settings: Settings, study: Study) -> Strategy:
    values = dataclasses.asdict(settings.bohb)
    return Bohb(
        study.cells,
        _encoding(study),
        seeds=study.seeds,
        epochs=study.epochs,
        num_samples=values.pop("bohb_samples"),
        **values,
    )


def _local_search(settings: Settings, study: Study) -> Strategy:
    values = dataclasses.asdict(settings.local_search)
    return LocalSearch(study.cells, study.space, seeds=study.seeds, **values)


def _bananas(settings: Settings, study: Study) -> Strategy:
    values = settings.bananas
    return Bananas(
        study.cells,
        study.space,
        seeds=study.seeds,
        num_initial=values.bananas_initial,
        round_size=values.bananas_round,
        num_parents=values.num_parents,
        num_candidates=values.num_candidates,
        path_length=values.path_length,
        ensemble_size=values.ensemble_size,
        num_layers=values.ensemble_layers,
        layer_width=values.ensemble_width,
        epochs=values.ensemble_epochs,
        batch_size=values.ensemble_batch_size,
        learning_rate=values.ensemble_learning_rate,
        devices=study.devices,
    )


def _graphpnas(settings: Settings, study: Study) -> Strategy:
    values = settings.graphpnas
    network = functools.partial(
        GraphGenerator,
        hidden=values.generator_hidden,
        num_components=values.generator_components,
        num_steps=values.generator_steps,
        pooling=values.generator_pooling,
    )
    return _graph_search(network, settings, study)


def _rnn_generator(settings: Settings, study: Study) -> Strategy:
    values = settings.graphpnas
    network = functools.partial(
        RecurrentGenerator, hidden=values.generator_hidden, num_layers=values.generator_layers
    )
    return _graph_search(network, settings, study)


def _graph_search(
    network: Callable[[GraphDescription], Generator], settings: Settings, study: Study
) -> GraphSearch:
    form = FORMS[study.space.name].of_pool(study.cells)
    generator = network(form.description)
    values = settings.graphpnas
    learning = Learning(
        objective=values.objective,
        beta=values.negative_weight,
        keep_top=values.keep_top,
        shares=(values.keep_first_share, values.keep_last_share),
        total_queries=settings.search.num_queries or len(each_once(study.cells)[0]),
        epochs=values.generator_epochs,
        batch_size=values.generator_batch_size,
        learning_rate=values.generator_learning_rate,
        clip_norm=values.generator_clip_norm,
        period=values.generator_period,
        num_samples=values.generator_samples,
        temperature=values.generator_temperature,
        restart=values.generator_restart,
    )
    return GraphSearch(
        study.cells,
        form,
        generator,
        seeds=study.seeds,
        learning=learning,
        explorer=Explorer(
            generator.description,
            values.explorer,
            values.explorer_probability,
            values.explorer_neighbours,
        ),
        exploration=Exploration(
            values.explore_schedule,
            values.explore_start,
            values.explore_end,
            values.explore_queries,
        ),
        run_block=values.generator_block,
        jit_compile=settings.pretrain.jit_compile,
        devices=study.devices,
    )


def _embedding(settings: Settings, embedding: np.ndarray) -> np.ndarray:
    """Returns the embedding that is searched, float32 [M, L]."""
    return standardized(embedding) if settings.search.standardize else embedding


def _scaled(settings: Settings, embedding: np.ndarray) -> np.ndarray:
    """Returns an embedding beside the noise of a policy, float32 [M, L]."""
    return np.float32(settings.reinforce.embedding_scale) * embedding


def _encoding(study: Study) -> Encoding:
    """Returns the cells of a study as categorical decisions."""
    return _ENCODINGS[study.space.name].of_pool(study.cells)


_ENCODINGS = {"nasbench101": NasBench101Encoding, "nasbench201": NasBench201Encoding}

STRATEGIES: dict[str, Callable[[Settings, Study], Strategy]] = {
    "reinforce": _reinforce,
    "bayesian": _bayesian,
    "random": _random,
    "categorical_reinforce": _categorical_reinforce,
    "evolution": _evolution,
    "bohb": _bohb,
    "local_search": _local_search,
    "bananas": _bananas,
    "graphpnas": _graphpnas,
    "rnn_generator": _rnn_generator,
    "supervised_reinforce": _supervised_reinforce,
    "supervised_bayesian": _supervised_bayesian,
}
