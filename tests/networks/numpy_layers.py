"""PyTorch's layers in plain NumPy, for literal expected values.

Images are float64 [B, H, W, C], kernels [height, width, in, out]; depthwise ones [h, w, C, 1].
"""

import numpy as np

EPSILON = 1e-5


def fill(model, gain=1.0):
    """Sets every weight of a model to a fixed number, and returns them by path, in float64.

    With a gain of about 1 kernels keep the size of what passes them, so that what a network
    computes depends on its inputs.
    """
    rng, found = np.random.default_rng(0), {}
    for weight in sorted(model.weights, key=lambda weight: weight.path):
        positive = weight.path.endswith(("variance", "gamma"))
        low, high = (0.5, 1.5) if positive else (-0.6, 0.6)
        if len(weight.shape) > 1:
            depthwise = weight.path.endswith("depthwise_kernel")
            high = gain * (6 / np.prod(weight.shape[: 2 if depthwise else -1])) ** 0.5
            low = -high
        found[weight.path] = rng.uniform(low, high, weight.shape).astype(np.float32)
        weight.assign(found[weight.path])
    return {path: value.astype(np.float64) for path, value in found.items()}


def images(*shape, seed=1):
    """Returns images of fixed numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def windows(inputs, size, stride, padding, value=0.0):
    """Returns what a window sees at each place, [B, H', W', size, size, C]."""
    margin = (padding, padding)
    padded = np.pad(inputs, ((0, 0), margin, margin, (0, 0)), constant_values=value)
    seen = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    return np.moveaxis(seen[:, ::stride, ::stride], 3, -1)


def conv(inputs, kernel, stride=1, bias=0.0):
    """A convolution padded by half the kernel at every side."""
    size = len(kernel)
    return np.einsum("bhwijc,ijco->bhwo", windows(inputs, size, stride, size // 2), kernel) + bias


def separable(inputs, depthwise, pointwise, stride=1):
    """A depthwise convolution and a 1x1 one."""
    size = len(depthwise)
    seen = windows(inputs, size, stride, size // 2)
    return np.einsum("bhwijc,ijcm,co->bhwo", seen, depthwise, pointwise[0, 0])


def batch_norm(inputs, weights, name):
    """Batch normalisation with running statistics."""
    mean, variance = weights[f"{name}/moving_mean"], weights[f"{name}/moving_variance"]
    normal = (inputs - mean) / np.sqrt(variance + EPSILON)
    return normal * weights.get(f"{name}/gamma", 1.0) + weights.get(f"{name}/beta", 0.0)


def max_pool(inputs, stride=1):
    """3x3 max pooling."""
    return windows(inputs, 3, stride, 1, -np.inf).max(axis=(3, 4))


def mean_pool(inputs, stride=1):
    """3x3 average pooling whose border does not count."""
    return np.nanmean(windows(inputs, 3, stride, 1, np.nan), axis=(3, 4))


def relu(inputs):
    """The positive part."""
    return np.maximum(inputs, 0.0)
