import itertools

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from synth.errors import ConfigError, ShardError
from synth.images import decode_image, encode_png
from synth.shards.dataset import DatasetReader
from synth.shards.tar import TarWriter
from synth.training.feed import FaceFeed, load
from tests.synth.training.faces import write_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("dataset")
    write_dataset(path, identities=6, per_identity=7, shards=3)
    return path


def first(batches, count):
    return [(images.clone(), labels.clone()) for images, labels in itertools.islice(batches, count)]


def same(left, right):
    return all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(left, right, strict=True))


def test_batches_are_pixels_and_labels(folder):
    images, labels = next(iter(FaceFeed(folder, 8)))

    assert images.shape == (8, 112, 112, 3)
    assert images.dtype == torch.uint8
    assert labels.dtype == torch.int64


def test_an_epoch_shows_every_sample_once_as_pillow_decodes_it(folder):
    reader = DatasetReader(folder)
    feed = FaceFeed(reader, 7)
    wanted = {decode_image(reader.image(row)).tobytes(): reader.labels[row] for row in range(len(reader))}

    seen = [
        (image.numpy().tobytes(), int(label))
        for images, labels in first(iter(feed), feed.steps_per_epoch)
        for image, label in zip(images, labels, strict=True)
    ]

    assert feed.steps_per_epoch == 6
    assert dict(seen) == wanted
    assert len(seen) == 42


@pytest.mark.parametrize("images_per_label", [None, 4])
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # on a machine with fewer cores
def test_the_batches_are_the_same_for_any_number_of_workers(folder, workers, images_per_label):
    feed = FaceFeed(folder, 8, seed=5, images_per_label=images_per_label)

    alone = first(iter(feed), 12)
    together = first(DataLoader(feed, batch_size=None, num_workers=workers), 12)

    assert same(alone, together)


@pytest.mark.parametrize("step", [1, 5, 13])
def test_a_feed_goes_on_in_the_middle_of_an_epoch(folder, step):
    whole = first(iter(FaceFeed(folder, 8, seed=2)), step + 3)

    resumed = first(load(FaceFeed(folder, 8, seed=2, first_step=step), 1), 3)

    assert same(whole[step:], resumed)


def test_epochs_differ_and_follow_from_the_seed(folder):
    per_epoch = FaceFeed(folder, 8).steps_per_epoch
    batches = first(iter(FaceFeed(folder, 8, seed=1)), 2 * per_epoch)

    assert not same(batches[:per_epoch], batches[per_epoch:])
    assert same(batches, first(iter(FaceFeed(folder, 8, seed=1)), 2 * per_epoch))
    assert not same(batches, first(iter(FaceFeed(folder, 8, seed=3)), 2 * per_epoch))


def test_ranks_share_the_batch_of_one_trainer(folder):
    alone = first(iter(FaceFeed(folder, 12, seed=4)), 3)
    ranks = [first(iter(FaceFeed(folder, 6, seed=4, rank=rank, num_ranks=2)), 3) for rank in range(2)]

    together = [tuple(torch.cat(parts) for parts in zip(*both, strict=True)) for both in zip(*ranks, strict=True)]

    assert same(alone, together)


def test_balanced_batches_have_groups_of_one_identity(folder):
    _, labels = next(iter(FaceFeed(folder, 12, images_per_label=4)))

    assert all(len(set(group)) == 1 for group in labels.reshape(3, 4).tolist())
    assert len(set(labels.tolist())) == 3


def test_a_part_of_the_rows_is_fed_under_labels_of_its_own(folder):
    reader = DatasetReader(folder)
    rows = np.flatnonzero(reader.labels >= 4)

    feed = FaceFeed(reader, 7, rows=rows, labels=reader.labels[rows] - 4)
    labels = torch.cat([labels for _, labels in first(iter(feed), feed.steps_per_epoch)])

    assert torch.bincount(labels).tolist() == [7, 7]


def test_png_images_are_fed_as_well(tmp_path):
    images, labels = write_dataset(tmp_path, encode=encode_png, shards=1)

    feed = FaceFeed(tmp_path, 24)
    fed = next(iter(feed))

    assert sorted(image.tobytes() for image in fed[0].numpy()) == sorted(image.tobytes() for image in images)
    assert torch.bincount(fed[1]).tolist() == np.bincount(labels).tolist()


def test_fewer_images_than_a_batch_are_refused(folder):
    with pytest.raises(ConfigError, match="42 images do not fill a batch of 64 on 1 devices; lower batch_size"):
        FaceFeed(folder, 64)


@pytest.mark.parametrize(
    ("batch_size", "group", "message"),
    [(8, 3, "a batch of 8 is no multiple"), (16, 8, "an identity has 7 images, images_per_label asks for 8")],
)
def test_groups_that_do_not_fit_are_refused(folder, batch_size, group, message):
    with pytest.raises(ConfigError, match=message):
        FaceFeed(folder, batch_size, images_per_label=group)


def with_last_image(tmp_path, folder, change):
    """Copies a dataset with another last image, into a tar of its own."""
    reader = DatasetReader(folder)
    with TarWriter(tmp_path / "a.tar") as tar:
        for row in range(len(reader)):
            data = reader.image(row)
            tar.add(f"{row:04d}.jpg", change(data) if row == len(reader) - 1 else data)
            tar.add(f"{row:04d}.cls", b"%d" % reader.labels[row])
    return tmp_path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:700], r"a\.tar at offset \d+: "),
        (lambda data: b"no image", r"a\.tar at offset \d+: "),
        (
            lambda data: encode_png(np.zeros((96, 96, 3), np.uint8)),
            r"an image of 96x96 px among images of 112x112 px",
        ),
    ],
)
@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_cannot_be_fed_is_named(tmp_path, folder, change, message, workers):
    feed = FaceFeed(with_last_image(tmp_path, folder, change), 42)

    with pytest.raises(ShardError, match=message) as caught:
        next(load(feed, workers))
    assert "Traceback" not in str(caught.value)
