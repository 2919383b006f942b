"""nas_tf/studies/prediction.py: what a trained network says of arrays and of files."""

import csv

import numpy as np
import pytest
from PIL import Image

from nas_tf.core import ConfigError, DataError
from nas_tf.networks import packaging
from nas_tf.studies import prediction
from tests.small_networks import CLASSES, MEAN, STD, pixels, small_network


ONE_COLOUR = (200, 100, 50)


@pytest.fixture(scope="module")
def model():
    return packaging.package(small_network(), mean=MEAN, std=STD, class_names=CLASSES)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    """A directory with the model."""
    directory = tmp_path_factory.mktemp("training")
    packaging.write_model(directory / "model.keras", model)
    return directory


@pytest.fixture
def folder(tmp_path):
    """Three images, one of them in a sub-folder and of another size."""
    first, second = pixels(2)
    (tmp_path / "photos" / "more").mkdir(parents=True)
    Image.fromarray(first).save(tmp_path / "photos" / "b.png")
    Image.fromarray(second).save(tmp_path / "photos" / "a.png")
    Image.new("RGB", (20, 30), ONE_COLOUR).save(tmp_path / "photos" / "more" / "c.png")
    return tmp_path / "photos"


def test_arrays_of_any_number_give_what_the_model_gives(model):
    for count in (1, 64, 70):
        found = prediction.predict(model, pixels(count))
        np.testing.assert_allclose(found.probabilities, model(pixels(count)), atol=1e-6)
        assert len(found.classes) == count and found.files is None
    best = np.asarray(model(pixels())).argmax(axis=1)
    assert prediction.predict(model, pixels()).classes == [CLASSES[index] for index in best]


def test_a_model_is_named_by_its_file_or_its_directory(model, saved):
    expected = prediction.predict(model, pixels()).probabilities
    for named in (saved, str(saved / "model.keras")):
        found = prediction.predict(named, pixels())
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
        assert found.class_names == CLASSES


def test_a_folder_is_read_in_the_order_of_names_and_resized(model, folder, tmp_path):
    found = prediction.predict(model, folder)
    assert found.files == ("a.png", "b.png", "more/c.png")
    first, second = pixels(2)
    expected = model(np.stack([second, first, np.full((8, 8, 3), ONE_COLOUR)]))
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    found.write(tmp_path / "predictions.csv")
    with open(tmp_path / "predictions.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "class", "probability_cat", "probability_dog", "probability_owl"]
    assert [row[:2] for row in rows[1:]] == [list(pair) for pair in zip(found.files, found.classes)]
    np.testing.assert_allclose(np.array(rows[1:])[:, 2:].astype(float), expected, atol=1e-5)
    assert list(found.to_pandas()["class"]) == found.classes
    assert sum(found.counts().values()) == 3 and list(found.counts()) == list(CLASSES)


def test_grey_images_are_made_coloured(model, tmp_path):
    grey = pixels(1)[0, ..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    found = prediction.predict(model, tmp_path / "grey.png")
    expected = model(np.repeat(grey[None, ..., None], 3, axis=-1))
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    assert found.files == ("grey.png",)


def test_the_middle_square_is_cut_where_training_cut_it(model, tmp_path):
    """An image of 32 x 64 with another colour outside the middle 28 x 28 (224/256 of its height)."""
    image = np.full((32, 64, 3), 255, np.uint8)
    image[2:30, 18:46] = ONE_COLOUR
    Image.fromarray(image).save(tmp_path / "a.png")
    cut = packaging.package(
        packaging.inner_network(model), mean=MEAN, std=STD, class_names=CLASSES, centre=True
    )
    found = prediction.predict(cut, tmp_path).probabilities
    np.testing.assert_allclose(found, model(np.full((1, 8, 8, 3), ONE_COLOUR)), atol=1e-5)
    stretched = prediction.predict(model, tmp_path).probabilities
    assert np.abs(found - stretched).max() > 0.01


@pytest.mark.parametrize("images, message", [
    (pixels()[..., :1], r"images=\[5, 8, 8, 1\]: expected \[n, 8, 8, 3\] with pixels from 0 to 255"),
    (pixels()[0], r"images=\[8, 8, 3\]: expected"),
    (pixels()[:0], r"images=\[0, 8, 8, 3\]: expected"),
    (pixels().astype(str), "images of <U3: expected numbers"),
])
def test_arrays_of_another_shape_are_told(model, images, message):
    with pytest.raises(ConfigError, match=message):
        prediction.predict(model, images)


@pytest.mark.parametrize("images, message", [
    (pixels() / 255, "float64, 0.* to 1: expected pixels from 0 to 255; multiply them"),
    (pixels() - 128.0, "float64, -128 to 127: expected pixels from 0 to 255"),
    (pixels() * np.nan, "images of float64, nan to nan: expected"),
])
def test_what_are_no_pixels_is_told(model, images, message):
    with pytest.raises(DataError, match=message):
        prediction.predict(model, images)


def test_images_of_several_shapes_are_told(model):
    with pytest.raises(ConfigError, match="images: no array, as they differ in shape "):
        prediction.predict(model, [pixels()[0], pixels()[0, :4]])


def test_folders_without_images_and_files_that_are_none_are_told(model, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no images"):
        prediction.predict(model, tmp_path / "empty")
    with pytest.raises(DataError, match="nowhere: no such folder"):
        prediction.predict(model, tmp_path / "nowhere")
    (folder / "notes.txt").write_text("no image")
    with pytest.raises(DataError, match="notes.txt: no image"):
        prediction.predict(model, folder)
    (folder / "notes.txt").unlink()
    (folder / "aa.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="aa.png: no image"):
        prediction.predict(model, folder)


def test_what_is_no_model_is_told(saved, tmp_path):
    with pytest.raises(ConfigError, match="model=.*nowhere: no such file, nor a directory with a mo"):
        prediction.predict(tmp_path / "nowhere", pixels())
    with pytest.raises(ConfigError, match="model=3: expected a trained network, its file or direct"):
        prediction.predict(3, pixels())
    with pytest.raises(ConfigError, match="model=.*: its last layer does not name classes"):
        prediction.predict(small_network(), pixels())
