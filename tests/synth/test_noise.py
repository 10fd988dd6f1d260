import numpy as np
import pytest
import scipy.stats
import torch

from synth.noise import normal, philox, seeds_to, truncated_normal, uniform

SEEDS = torch.tensor([3, 2**62 + 5, 7], dtype=torch.int64)

# The known answers that come with Random123 (Salmon et al. 2011): counter, key, words.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_gives_the_known_answers(counter, key, words):
    def tensors(text):
        return tuple(torch.tensor([int(word, 16)]) for word in text.split())

    assert torch.cat(philox(tensors(counter), tensors(key))).tolist() == torch.cat(tensors(words)).tolist()


@pytest.mark.parametrize("draw", [uniform, normal])
def test_a_samples_numbers_do_not_depend_on_its_batch(draw):
    together = draw(SEEDS, 1, (5, 7))

    assert together.shape == (3, 5, 7)
    assert together.dtype == torch.float32
    assert torch.allclose(draw(SEEDS[1:2], 1, (5, 7)), together[1:2], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("draw", [uniform, normal])
def test_streams_and_seeds_share_no_numbers(draw):
    drawn = torch.cat([draw(SEEDS, stream, (1000,)) for stream in (0, 1)]).double()

    assert torch.corrcoef(drawn).fill_diagonal_(0).abs().max() < 0.15


def test_uniform_numbers_fill_zero_to_one():
    numbers = uniform(SEEDS, 0, (20_000,)).numpy()

    assert 0 <= numbers.min() < 1e-3
    assert 0.999 < numbers.max() < 1
    assert np.abs(np.histogram(numbers, 10, (0, 1))[0] / numbers.size - 0.1).max() < 0.005


def test_normal_numbers_have_the_moments_of_a_gaussian():
    numbers = normal(SEEDS, 0, (20_001,)).double()

    assert torch.isfinite(numbers).all()
    assert numbers.mean().abs() < 0.02
    assert abs(numbers.var() - 1) < 0.02
    assert abs((numbers**4).mean() - 3) < 0.15


def test_the_callers_random_state_is_left_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    normal(SEEDS, 0, (4,))

    assert torch.rand(1) == expected


def test_seeds_keep_their_value_on_the_way_to_torch():
    seeds = np.array([0, 2**63 - 1], dtype=np.uint64)

    assert seeds_to(seeds, torch.device("cpu")).tolist() == [0, 2**63 - 1]


def test_a_stream_out_of_range_is_refused():
    with pytest.raises(ValueError, match="stream"):
        uniform(SEEDS, 2**32, (1,))


def test_truncated_normal_numbers_have_the_distribution_of_scipy():
    seeds = torch.arange(20_000)
    low, high = (0.1 - 0.15) / 0.25, (1.0 - 0.15) / 0.25

    numbers = truncated_normal(seeds, 0, mean=0.15, spread=0.25, least=0.1, most=1.0)

    expected = scipy.stats.truncnorm(low, high, loc=0.15, scale=0.25)
    assert scipy.stats.kstest(numbers.numpy(), expected.cdf).pvalue > 0.01
    assert 0.1 <= numbers.min() < 0.11
    assert numbers.max() <= 1


def test_truncated_normal_numbers_do_not_depend_on_their_batch():
    limits = {"mean": 0.85, "spread": 0.05, "least": 0.8, "most": 0.9}

    together = truncated_normal(SEEDS, 2, **limits)

    assert truncated_normal(SEEDS[1:2], 2, **limits) == together[1]
    assert together.dtype == torch.float32
