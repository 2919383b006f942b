"""Where names meet classes: the search space and the trainers of a job, from its settings.

`benchmarks` does the same for tables, `strategies` for search strategies.
"""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from nas_tf.arch2vec.predictor import AccuracyPredictor, PredictorTraining
from nas_tf.arch2vec.vgae import METRIC_NAMES, VGAE, make_loss
from nas_tf.core import SearchSpace
from nas_tf.graphs import CellGraphs
from nas_tf.settings import PretrainSettings, Settings
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.training.trainer import Trainer

SPACES: dict[str, Callable[[], SearchSpace]] = {
    "nasbench101": NasBench101Space,
    "nasbench201": NasBench201Space,
    "darts": DartsSpace,
}


# Kipf and Welling's autoencoders have two graph convolutions; with four they reconstruct less.
_CONVOLUTIONS = {"encoder": "gcn", "hidden": (128, 128)}
_ENCODERS = {"arch2vec": {}, "gae": _CONVOLUTIONS, "vgae": _CONVOLUTIONS}


def make_space(settings: Settings) -> SearchSpace:
    """Returns the search space of a job."""
    return SPACES[settings.table.space]()


def make_predictor_training(
    settings: Settings, space: SearchSpace, cells: CellGraphs, devices: Sequence[str] = ()
) -> PredictorTraining:
    """Returns what trains supervised encoders and embeds a pool of cells with them."""
    values = settings.pretrain
    model = AccuracyPredictor(
        space.max_nodes,
        len(space.op_names),
        positions=values.positions,
        epsilon_start=values.epsilon_start,
        pooling=values.pooling,
    )
    rate = settings.supervised.encoder_learning_rate
    return PredictorTraining(model, space, cells, learning_rate=rate, devices=devices)


def make_trainer(
    settings: PretrainSettings, space: SearchSpace, seed: int, distribution: tf.distribute.Strategy
) -> Trainer:
    """Returns a trainer of a fresh autoencoder for the cells of a space."""
    alone = distribution.num_replicas_in_sync == 1
    with distribution.scope():
        model = VGAE(
            space.max_nodes,
            len(space.op_names),
            positions=settings.positions,
            adjacency_bias=settings.adjacency_bias,
            epsilon_start=settings.epsilon_start,
            synchronized=not alone,
            **_ENCODERS[settings.autoencoder],
            seed=seed,
        )
        if settings.autoencoder == "gae":
            model.log_std_head.trainable = False  # nothing is sampled: it has no gradient
        optimizer = keras.optimizers.Adam(
            settings.learning_rate, epsilon=settings.adam_epsilon
        )
    loss = make_loss(
        kl_weight=settings.kl_weight,
        free_nats=settings.free_nats,
        dropout=settings.dropout,
        form=settings.operation_loss,
        entries=settings.adjacency_entries,
        padding_output=settings.padding_output,
        variational=settings.autoencoder != "gae",
    )
    return Trainer(
        model,
        optimizer,
        loss,
        batch_size=settings.batch_size,
        metric_names=METRIC_NAMES,
        distribution=distribution,
        clip_norm=settings.clip_norm,
        jit_compile=settings.jit_compile and alone,
        seed=seed,
    )
