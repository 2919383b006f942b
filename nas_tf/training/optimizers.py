"""Optimizers as the papers have them: PyTorch's SGD, and weight decay that is added to gradients.

Keras' optimizers decay weights beside the gradient (Loshchilov and Hutter, 2019, arXiv:1711.05101);
PyTorch adds `weight_decay * weight` to the gradient, after it was clipped, and its momentum gathers
gradients, not steps: buffer = momentum * buffer + gradient, step = learning rate * buffer. Keras
has the learning rate in the buffer, which differs as soon as that changes. Here it is PyTorch's.

RMSprop is Keras', with epsilon under the root, as TensorFlow 1 had it for NAS-Bench-101; there the
mean squares began at 1, here at 0.
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import keras
from keras import ops

from nas_tf.training.settings import Training


class _AddedDecay:
    """Adds decay to gradients, except where `exclude_from_weight_decay` says not to.

    Args:
        added_decay: share of a weight that is added to its gradient.
        **settings: of the Keras optimizer.
    """

    def __init__(self, *, added_decay: float = 0.0, **settings):
        super().__init__(**settings)
        self.added_decay = added_decay

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable."""
        if self.added_decay and self._use_weight_decay(variable):
            gradient = gradient + self.added_decay * ops.convert_to_tensor(variable)
        super().update_step(gradient, variable, learning_rate)


class _TorchSGD(keras.optimizers.SGD):
    """SGD whose momentum gathers gradients; Nesterov's looks one buffer ahead."""

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable."""
        step = gradient
        if self.momentum:
            buffer = self.momentums[self._get_variable_index(variable)]
            gathered = self.momentum * ops.convert_to_tensor(buffer) + gradient
            self.assign(buffer, gathered)
            step = gradient + self.momentum * gathered if self.nesterov else gathered
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * step)


class SGD(_AddedDecay, _TorchSGD):
    """PyTorch's SGD; see the module."""


class Adam(_AddedDecay, keras.optimizers.Adam):
    """Keras' Adam with weight decay that may be added to gradients."""


class RMSprop(_AddedDecay, keras.optimizers.RMSprop):
    """Keras' RMSprop with weight decay that may be added to gradients."""


def make_optimizer(settings: Training, model: keras.Model) -> keras.optimizers.Optimizer:
    """Returns the optimizer of a training's settings; call it in the distribution's scope.

    Clipping is the trainer's, for the whole batch; a moving average of weights is the optimizer's.

    Args:
        settings: of the training.
        model: whose weights it will fit.
    """
    kinds = {
        "sgd": (SGD, {"momentum": float(settings.momentum), "nesterov": settings.nesterov}),
        "adam": (Adam, {"epsilon": settings.epsilon}),
        "rmsprop": (RMSprop, {"rho": settings.rho, "momentum": settings.momentum,
                              "epsilon": settings.epsilon}),
    }
    kind, own = kinds[settings.optimizer]
    beside = settings.decoupled and settings.weight_decay > 0
    optimizer = kind(
        learning_rate=settings.learning_rate,
        added_decay=0.0 if settings.decoupled else settings.weight_decay,
        weight_decay=settings.weight_decay if beside else None,
        use_ema=settings.ema is not None,
        ema_momentum=0.99 if settings.ema is None else settings.ema,
        **own,
    )
    if not settings.decay_all:
        optimizer.exclude_from_weight_decay(var_list=vectors(model))
    return optimizer


def vectors(model: keras.Model) -> list:
    """Returns biases and the weights of norms: trainable weights of less than two dimensions."""
    return [weight for weight in model.trainable_variables if len(weight.shape) < 2]
