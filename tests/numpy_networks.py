"""Operations and networks in plain NumPy, written from the papers' PyTorch code.

Weights are those of Keras layers, by the layers' names: `weights["stem_conv"]` is a list of arrays.
Everything is float64 and as slow as it looks.
"""

import numpy as np

EPSILON = 1e-5


def randomize(model, seed: int = 0) -> dict[str, list[np.ndarray]]:
    """Gives a model uneven weights, batch norm's statistics included, and returns them."""
    rng = np.random.default_rng(seed)
    weights = {}
    for layer in model.layers:
        drawn = [_draw(rng, variable) for variable in layer.weights]
        if drawn:
            layer.set_weights(drawn)
            weights[layer.name] = [array.astype(np.float64) for array in layer.get_weights()]
    return weights


def _draw(rng, variable) -> np.ndarray:
    shape = tuple(variable.shape)
    if variable.name == "rate":  # of drop path
        return np.full(shape, 0.3)
    if variable.name in ("gamma", "moving_variance"):
        return rng.uniform(0.5, 1.5, shape)
    fan_in = max(np.prod(shape[:-1]), 1) if len(shape) > 1 else 9
    return rng.normal(size=shape) / np.sqrt(fan_in)


def images(shape: tuple, seed: int = 1) -> np.ndarray:
    """Returns float32 values of both signs."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def windows(x, size: int, stride: int, padding: int, outside: float, dilation: int = 1):
    """Returns what every window sees, [B, H', W', size, size, C]."""
    padded = np.pad(
        x.astype(np.float64), ((0, 0), *[(padding, padding)] * 2, (0, 0)), constant_values=outside
    )
    reach = dilation * (size - 1) + 1
    rows = range(0, padded.shape[1] - reach + 1, stride)
    columns = range(0, padded.shape[2] - reach + 1, stride)
    return np.stack([
        np.stack([
            padded[:, row : row + reach : dilation, column : column + reach : dilation]
            for column in columns
        ], axis=1)
        for row in rows
    ], axis=1)


def conv(x, kernel, stride: int = 1, padding: int | None = None):
    """`torch.nn.Conv2d` with a kernel [k, k, C, D]."""
    size = len(kernel)
    seen = windows(x, size, stride, size // 2 if padding is None else padding, 0.0)
    return np.einsum("bhwklc,klcd->bhwd", seen, kernel)


def separable(x, depthwise, pointwise, stride: int = 1, dilation: int = 1):
    """`torch.nn.Conv2d` with groups=C and a kernel [k, k, C, 1], then a 1x1 one."""
    size = len(depthwise)
    seen = windows(x, size, stride, dilation * (size // 2), 0.0, dilation)
    return np.einsum("bhwklc,klcm->bhwc", seen, depthwise) @ pointwise[0, 0]


def max_pool(x, stride: int = 1):
    """`torch.nn.MaxPool2d(3, stride, padding=1)`."""
    return windows(x, 3, stride, 1, -np.inf).max(axis=(3, 4))


def average_pool(x, stride: int = 1):
    """`torch.nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)`."""
    return np.nanmean(windows(x, 3, stride, 1, np.nan), axis=(3, 4))


def batch_norm(x, weights):
    """Batch norm with its moving statistics."""
    gamma, beta, mean, variance = weights
    return (x - mean) / np.sqrt(variance + EPSILON) * gamma + beta


def relu(x):
    """The positive part."""
    return np.maximum(x, 0)


def relu_conv_bn(x, weights, name: str, stride: int = 1):
    """ReLU, convolution, batch norm."""
    net = conv(relu(x), *weights[f"{name}_conv"], stride)
    return batch_norm(net, weights[f"{name}_bn"])


def factorized_reduction(x, weights, name: str):
    """DARTS' `FactorizedReduce`: the second half sees the odd pixels."""
    net = relu(x)
    halves = [net[:, ::2, ::2] @ weights[f"{name}_conv1"][0][0, 0],
              net[:, 1::2, 1::2] @ weights[f"{name}_conv2"][0][0, 0]]
    return batch_norm(np.concatenate(halves, axis=-1), weights[f"{name}_bn"])


def classify(x, weights, name: str = "logits"):
    """Mean over pixels and a dense layer."""
    kernel, bias = weights[name]
    return x.mean(axis=(1, 2)) @ kernel + bias


def counts(model) -> tuple[int, int]:
    """Returns a built model's trainable parameters, and multiply-adds by its layers' shapes."""
    parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    total = 0
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("Conv2D", "SeparableConv2D", "Dense"):
            pixels = int(np.prod(layer.output.shape[1:-1]))
            kernels = [w for w in layer.trainable_weights if w.name != "bias"]
            total += pixels * sum(int(np.prod(kernel.shape)) for kernel in kernels)
    return parameters, total
