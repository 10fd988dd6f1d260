import numpy as np
import pytest

from filters.identity_consistency import IdentityConsistency
from tests.filters.batches import batch, directions


def test_each_face_is_compared_with_the_centroid_of_the_others():
    numbers = IdentityConsistency().measure(batch(directions(0, 0, 90)))

    assert numbers == pytest.approx([np.cos(np.pi / 4), np.cos(np.pi / 4), 0], abs=1e-6)


def test_faces_that_were_not_found_do_not_move_the_centroid():
    numbers = IdentityConsistency().measure(batch(directions(0, 30, 120), found=[True, True, False]))

    assert numbers[:2] == pytest.approx(np.cos(np.radians([30, 30])), abs=1e-6)
    assert np.isnan(numbers[2])


def test_other_identities_do_not_matter():
    numbers = IdentityConsistency().measure(batch(directions(0, 90, 0, 90), identities=[1, 2, 1, 2]))

    assert numbers == pytest.approx([1, 1, 1, 1])


def test_an_identitys_only_face_cannot_be_told():
    assert np.isnan(IdentityConsistency().measure(batch(directions(0, 10), identities=[1, 2]))).all()
