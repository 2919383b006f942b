"""Tests of batches: order, restarts, shards, augmentation image by image."""

import dataclasses

import numpy as np
import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.decoding import Decoding
from nas_tf.datasets.encoded_source import DecodedSource, FileSource
from nas_tf.datasets.forms import ImageForm
from nas_tf.datasets.image_source import ArraySource, Images
from nas_tf.datasets.pipeline import ImagePipeline
from tests.datasets.conftest import write_classes

FORM = ImageForm(Decoding((6, 6, 3)), (10.0, 20.0, 30.0), (2.0, 4.0, 8.0))
FULL = Augmentation(crop_padding=2, flip=True, cutout=2, cutout_probability=0.5, jitter=0.2)
RNG = np.random.default_rng(5)
PIXELS = RNG.integers(0, 256, (23, 6, 6, 3), dtype=np.uint8)
LABELS = RNG.integers(0, 4, 23)


def make(augmentation=FULL, seed=3, count=23, load=lambda: PIXELS):
    images = Images.all_of(ArraySource(load, "made up", (6, 6, 3)), LABELS)
    images = images.select(np.arange(count))
    return ImagePipeline(images, FORM, name="train", augmentation=augmentation, seed=seed)


def arrays(dataset):
    """All batches, one after the other, by name [steps, b, ...]."""
    batches = list(dataset.as_numpy_iterator())
    return {name: np.stack([batch[name] for batch in batches]) for name in batches[0]}


def assert_same(found, expected):
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.fixture(scope="module")
def pipeline():
    return make()


@pytest.fixture(scope="module")
def epoch(pipeline):
    """The batches of 4 of pass 2."""
    return arrays(pipeline.batches(4, epoch=2))


def test_batches_are_what_the_trainer_expects(pipeline):
    spec = pipeline.batches(4).element_spec
    shapes = {name: (tuple(item.shape), item.dtype.name) for name, item in spec.items()}
    assert shapes == {
        "image": ((4, 6, 6, 3), "float32"),
        "label": ((4,), "int32"),
        "index": ((4,), "int64"),
        "weight": ((4,), "float32"),
    }


def test_a_pass_has_every_image_at_most_once(pipeline, epoch):
    assert pipeline.steps(4) == 5 and epoch["label"].shape == (5, 4)
    assert len(set(epoch["index"].ravel())) == 20
    np.testing.assert_array_equal(epoch["label"], LABELS[epoch["index"]])
    assert (epoch["weight"] == 1).all()
    np.testing.assert_array_equal(epoch["index"].ravel(), pipeline.order(2)[:20])


def test_the_same_seed_and_pass_give_the_same_bits(epoch):
    assert_same(arrays(make().batches(4, epoch=2)), epoch)


def test_other_seeds_and_passes_give_others(pipeline, epoch):
    for other in (pipeline.batches(4, epoch=3), make(seed=4).batches(4, epoch=2)):
        found = arrays(other)
        assert not np.array_equal(found["index"], epoch["index"])
        by_index = dict(zip(found["index"].ravel(), found["image"].reshape(20, -1)))
        same = [
            np.array_equal(by_index.get(index), image)
            for index, image in zip(epoch["index"].ravel(), epoch["image"].reshape(20, -1))
        ]
        assert sum(same) < 5


@pytest.mark.parametrize("step", [1, 4])
def test_a_pass_goes_on_in_the_middle(pipeline, epoch, step):
    found = arrays(pipeline.batches(4, epoch=2, first_step=step))
    assert_same(found, {name: array[step:] for name, array in epoch.items()})


def test_a_pass_that_is_over_has_no_batches(pipeline):
    assert list(pipeline.batches(4, first_step=5)) == []


def test_shards_together_are_the_global_batch(pipeline, epoch):
    shards = [arrays(pipeline.batches(4, epoch=2, shard=k, num_shards=2)) for k in range(2)]
    for name, array in epoch.items():
        np.testing.assert_array_equal(np.concatenate([s[name] for s in shards], axis=1), array)


def test_batch_size_changes_neither_order_nor_images(pipeline, epoch):
    found = arrays(pipeline.batches(10, epoch=2))
    for name, array in epoch.items():
        flat = found[name].reshape(20, *array.shape[2:])
        np.testing.assert_array_equal(flat, array.reshape(20, *array.shape[2:]))


def test_images_without_augmentation_are_normalized_pixels():
    found = arrays(make(Augmentation()).batches(23))
    expected = (PIXELS[found["index"][0]].astype(np.float32) - [10, 20, 30]) / [2, 4, 8]
    np.testing.assert_allclose(found["image"][0], expected, rtol=1e-6)
    assert found["index"][0].tolist() != list(range(23))


def test_evaluation_fills_its_last_batch_up():
    pipeline = make(None)
    found = arrays(pipeline.batches(10))
    assert found["index"].ravel().tolist() == [*range(23), *[22] * 7]
    assert found["weight"].ravel().tolist() == [1] * 23 + [0] * 7
    np.testing.assert_array_equal(found["image"][2, 2:], np.repeat(found["image"][2, 2:3], 8, 0))
    shards = [arrays(pipeline.batches(10, shard=k, num_shards=5))["index"] for k in range(5)]
    np.testing.assert_array_equal(np.concatenate(shards, axis=1), found["index"])
    assert pipeline.steps(100) == 1


def test_nothing_is_read_before_a_batch_is_asked_for():
    def load():
        raise DataError("read")

    pipeline = make(load=load)
    assert pipeline.num_examples == 23 and pipeline.steps(5) == 4
    with pytest.raises(DataError, match="read"):
        pipeline.batches(5)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"batch_size": 24}, "batch_size=24: expected at most the 23 images of the train split"),
        ({"batch_size": 0}, "batch_size=0: expected at least 1"),
        ({"batch_size": 5, "num_shards": 2}, "batch_size=5: expected a multiple of the 2 shards"),
        ({"batch_size": 4, "num_shards": 2, "shard": 2}, "shard=2: expected 0 to 1"),
        ({"batch_size": 4, "first_step": 6}, "first_step=6: expected 0 to 5"),
    ],
)
def test_what_does_not_fit_is_refused(pipeline, wrong, message):
    with pytest.raises(ConfigError, match=message):
        pipeline.batches(**wrong)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A source of 16 PNG files, and the same with pixels in memory."""
    root = write_classes(tmp_path_factory.mktemp("files"), {"ant": 16})
    source = FileSource(root, [f"ant/{k:03d}.png" for k in range(16)])
    return source, DecodedSource(source, FORM.decoding)


def test_decoding_each_time_gives_what_memory_gives(files):
    pipelines = [
        ImagePipeline(
            Images.all_of(source, LABELS[:16]), FORM, name="train", augmentation=FULL, seed=1
        )
        for source in files
    ]
    found, expected = (arrays(p.batches(6, epoch=1, shard=1, num_shards=3)) for p in pipelines)
    assert_same(found, expected)
    np.testing.assert_array_equal(*(p.pixels([3, 1]) for p in pipelines))
    assert pipelines[0].image_name(2) == pipelines[1].image_name(2) == files[0].name(2)


def test_resized_crops_are_functions_of_the_image(files):
    augmentation = Augmentation(resized_crop=True, flip=True)
    images = Images.all_of(files[0], LABELS[:16])
    pipeline = ImagePipeline(images, FORM, name="train", augmentation=augmentation)
    whole = arrays(pipeline.batches(4, epoch=5))
    rest = arrays(pipeline.batches(4, epoch=5, first_step=2))
    assert_same(rest, {name: array[2:] for name, array in whole.items()})
    plain = arrays(ImagePipeline(images, FORM, name="plain").batches(16))["image"][0]
    changed = [not np.array_equal(*pair) for pair in
               zip(whole["image"].reshape(16, -1), plain[whole["index"].ravel()].reshape(16, -1))]
    assert sum(changed) > 12


def test_a_damaged_image_is_explained(files, tmp_path):
    root = write_classes(tmp_path / "damaged", {"ant": 16})
    path = root / "ant" / "011.png"
    path.write_bytes(path.read_bytes()[:60])
    images = Images.all_of(FileSource(root, files[0].files), LABELS[:16])
    pipeline = ImagePipeline(images, FORM, name="train", augmentation=FULL)
    with pytest.raises(Exception) as raised:
        list(pipeline.batches(4))
    assert str(pipeline.explain(raised.value)) == f"{path}: damaged or truncated image"
    sound = dataclasses.replace(images, indices=images.indices[:4], labels=images.labels[:4])
    assert ImagePipeline(sound, FORM, name="train").explain(raised.value) is None
    assert make().explain(raised.value) is None
