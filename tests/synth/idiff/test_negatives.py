import pytest
import torch

from synth.idiff.negatives import negative_vectors

VECTORS = torch.nn.functional.normalize(torch.randn((3, 16), generator=torch.Generator().manual_seed(1)))
OTHERS = torch.cat([VECTORS, torch.nn.functional.normalize(VECTORS[:1] + 0.1 * VECTORS[1:2]), -VECTORS[:1]])
SEEDS = torch.tensor([4, 5, 6])


def chosen(kind, rows=slice(None)):
    return negative_vectors(kind, VECTORS[rows], SEEDS[rows], 9, OTHERS)


def test_nobody_is_no_vector():
    assert chosen("empty") is None


def test_the_opposite_is_as_far_as_can_be():
    assert torch.equal(chosen("opposite"), -VECTORS)


def test_random_negatives_follow_from_the_seed_alone():
    drawn = chosen("random")

    assert torch.allclose(drawn.norm(dim=1), torch.ones(3))
    assert torch.equal(chosen("random", slice(1, 2)), drawn[1:2])
    assert len(drawn.unique(dim=0)) == 3


def test_the_farthest_and_the_closest_are_of_the_file_and_never_the_person_himself():
    assert torch.equal(chosen("farthest")[0], OTHERS[4])
    assert torch.equal(chosen("closest")[0], OTHERS[3])
    assert not torch.equal(chosen("closest")[2], VECTORS[2])


def test_a_choice_needs_vectors_to_choose_from():
    with pytest.raises(ValueError, match="needs the vectors"):
        negative_vectors("closest", VECTORS, SEEDS, 9)
