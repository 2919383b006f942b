"""Named `tf.distribute` strategies, and independent pieces of work side by side on devices."""

import concurrent.futures
import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import tensorflow as tf

from nas_tf.core import ConfigError


Piece = TypeVar("Piece")


def side_by_side(
    work: Callable[[Piece], None], pieces: Iterable[Piece], devices: Sequence[str] = ()
) -> None:
    """Does independent pieces of work in threads, one a device at a time.

    Args:
        work: does a piece; its TensorFlow programs run on the piece's device.
        pieces: what is to be done; they go to the devices in turn.
        devices: names; without any, TensorFlow places the work of a thread a core.
    """
    def on_device(piece: Piece, device: str | None) -> None:
        with tf.device(device):
            work(piece)

    in_turn = itertools.cycle(devices or [None])
    with concurrent.futures.ThreadPoolExecutor(len(devices) or os.cpu_count()) as threads:
        list(threads.map(on_device, pieces, in_turn))


def divide_cpu(count: int) -> None:
    """Makes logical CPU devices; TensorFlow allows it only before its first use.

    Raises:
        ConfigError: it has been used.
    """
    cpu = tf.config.list_physical_devices("CPU")[0]
    configuration = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(cpu, configuration)
    except RuntimeError:
        raise ConfigError(f"cpu_devices={count}: this process has used TensorFlow before") from None


def make_distribution(name: str = "none") -> tf.distribute.Strategy:
    """Returns the strategy that training runs under.

    Args:
        name: "none" is one device, "mirrored" every GPU of this machine (or every logical CPU
            device where there is no GPU), "multi_worker" the workers named by TF_CONFIG, "tpu" the
            TPU found by its environment variables.

    Raises:
        ConfigError: an unknown name, or no TPU found.
    """
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        return tf.distribute.MirroredStrategy(
            [device.name for device in tf.config.list_logical_devices(kind)]
        )
    if name == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        return _tpu_strategy()
    raise ConfigError(f"distribution={name}: expected none, mirrored, multi_worker or tpu")


def is_several_processes(strategy: tf.distribute.Strategy) -> bool:
    """Tells whether other processes take part in a strategy's training."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return False
    tasks = strategy.cluster_resolver.cluster_spec().as_dict()
    return len(tasks.get("worker", ())) + len(tasks.get("chief", ())) > 1


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Tells whether this is the process that writes: the only one, the chief, or worker 0."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return True
    resolver = strategy.cluster_resolver
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    if has_chief:
        return resolver.task_type == "chief"
    return resolver.task_type in (None, "worker") and not resolver.task_id


def _tpu_strategy() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"distribution=tpu: no TPU found ({reason})") from None
    return tf.distribute.TPUStrategy(resolver)
