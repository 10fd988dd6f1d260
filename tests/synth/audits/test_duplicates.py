import numpy as np
import pytest

from synth.audits.duplicates import (
    alike_within_classes,
    bits_apart,
    difference_hash,
    equal_bytes,
    similar_hashes,
)
from synth.similarity import unit
from tests.synth.audits.crowds import crowd, faces


def test_equal_bytes_are_told_within_and_across_labels():
    digests = np.array([9, 5, 9, 9, 5, 1, 9], dtype=np.uint64)
    labels = np.array([2, 0, 0, 2, 0, 1, 1])

    found = equal_bytes(digests, labels)

    assert found.copies == 2  # row 3 of row 0, row 4 of row 1
    assert found.across.tolist() == [[2, 6], [2, 0]]


def test_different_bytes_are_no_duplicates():
    found = equal_bytes(np.arange(5, dtype=np.uint64), np.zeros(5, dtype=np.int64))

    assert (found.copies, found.across.shape) == (0, (0, 2))


def test_the_hash_says_where_a_picture_brightens_to_the_right():
    picture = np.zeros((1, 32, 36, 3), dtype=np.uint8)
    picture[0, :, 18:] = 200  # between the fifth cell's halves: the step is seen on both sides of it

    bits = difference_hash(picture).reshape(8, 8)

    assert bits.sum(axis=0).tolist() == [0, 0, 0, 8, 8, 0, 0, 0]


def test_the_hash_is_that_of_cell_means_for_sides_that_do_not_divide():
    picture = faces(1, 50)
    luma = picture[0].astype(float) @ [0.299, 0.587, 0.114]
    rows = [slice(k * 50 // 8, (k + 1) * 50 // 8) for k in range(8)]
    columns = [slice(k * 50 // 9, (k + 1) * 50 // 9) for k in range(9)]
    cells = np.array([[luma[row, column].mean() for column in columns] for row in rows])

    assert np.array_equal(difference_hash(picture)[0].reshape(8, 8), cells[:, 1:] > cells[:, :-1])


def test_a_planted_near_copy_in_another_class_is_found_and_one_in_its_own_is_not():
    pictures = faces(12)
    pictures[7] = np.clip(pictures[3].astype(int) + 6, 0, 255)  # a little brighter, in another class
    pictures[1] = np.clip(pictures[0].astype(int) + 6, 0, 255)  # likewise, in its own

    found, confirmed = similar_hashes(
        difference_hash(pictures), np.arange(12) // 2, crowd(12, 1)[0], threshold=None, most_pairs=5
    )

    assert (found.count, confirmed.count) == (1, 0)
    assert found.closest.pairs.tolist() == [[3, 7]]
    assert bits_apart(float(found.closest.similarities[0])) <= 1


@pytest.mark.parametrize(("different", "count"), [(4, 1), (5, 0)])
def test_hashes_may_differ_in_four_bits(different, count):
    hashes = np.random.default_rng(0).random((2, 64)) < 0.5
    hashes[1] = hashes[0]
    hashes[1, :different] = ~hashes[0, :different]

    found, _ = similar_hashes(hashes, np.array([0, 1]), crowd(2, 1)[0], threshold=0.5, most_pairs=5)

    assert found.count == count
    assert [bits_apart(float(value)) for value in found.closest.similarities] == [different] * count


def test_a_copy_is_confirmed_by_its_face_however_many_strangers_have_closer_hashes():
    random = np.random.default_rng(0)
    hashes = np.repeat(random.random((62, 64)) < 0.5, 2, axis=0)  # rows 2 k and 2 k + 1 begin as copies
    hashes[1::2, :3] ^= True
    hashes[41, 3] ^= True  # 4 bits from row 40, and their faces are one person's
    embeddings, _ = crowd(124, 1)
    embeddings[41] = unit(embeddings[40:41] + 0.01)[0]

    similar, confirmed = similar_hashes(hashes, np.arange(124), embeddings, threshold=0.9, most_pairs=5)

    assert (similar.count, confirmed.count) == (62, 1)
    assert [40, 41] not in similar.closest.pairs.tolist()
    assert confirmed.closest.pairs.tolist() == [[40, 41]]
    assert bits_apart(float(confirmed.closest.similarities[0])) == 4


def test_alike_samples_of_a_class_are_found_and_those_of_two_classes_are_not():
    embeddings, labels = crowd(6, 4, noise=0.5)
    random = np.random.default_rng(1)
    for copy, original in ((6, 4), (20, 3)):  # rows 4 and 6 are of class 1, rows 3 and 20 of two
        embeddings[copy] = unit(embeddings[original : original + 1] + 0.01 * random.standard_normal((1, 64)))[0]

    found = alike_within_classes(embeddings, labels, most_pairs=5)

    assert found.count == 1
    assert found.closest.pairs.tolist() == [[4, 6]]
    assert found.closest.similarities[0] > 0.95
