import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.vec2face.perturbation import PUBLISHED, pattern_of, perturbed  # noqa: E402

PARITY = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared")) / "parity"


def test_the_published_mix_repeats_every_five_indices():
    pattern = pattern_of(PUBLISHED)

    assert len(pattern) == 5
    assert sorted(pattern.tolist()) == pytest.approx([0.3, 0.3, 0.5, 0.5, 0.7])


@pytest.mark.parametrize("mix", [{0.1: 0.125, 0.4: 0.5, 0.9: 0.375}, {0.2: 0.9, 0.8: 0.1}, {0.0: 1.0}, dict(PUBLISHED)])
def test_any_block_of_a_period_has_the_exact_mix_and_any_other_is_close(mix):
    pattern = pattern_of(mix)
    repeated = np.concatenate([pattern] * 3)

    for start in range(len(pattern)):
        for length in range(1, 2 * len(pattern)):
            block = repeated[start : start + length]
            slack = 0 if length % len(pattern) == 0 else 1
            for strength, share in mix.items():
                count = np.isclose(block, strength).sum()
                assert abs(count - share * length) <= slack + 1e-6


def test_uneven_shares_are_exact_over_a_thousand_indices():
    mix = {0.3: 0.333, 0.5: 0.333, 0.7: 0.334}

    pattern = pattern_of(mix)

    counts = [int(np.isclose(pattern, strength).sum()) for strength in mix]
    assert (len(pattern), counts) == (1000, [333, 333, 334])


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ({}, "sum to 1"),
        ({0.3: 0.9}, "sum to 1"),
        ({0.3: 1 / 3, 0.5: 2 / 3}, "steps of 0.001"),
        ({0.3: 1.5, 0.5: -0.5}, "sum to 1"),
        ({0.3: float("nan")}, "sum to 1"),
        ({-0.1: 1.0}, "strengths"),
        ({float("inf"): 1.0}, "strengths"),
    ],
)
def test_a_mix_that_is_none_is_refused(mix, message):
    with pytest.raises(ValueError, match=message):
        pattern_of(mix)


def test_lengths_stay_and_stronger_noise_turns_further():
    random = torch.Generator().manual_seed(1)
    vectors = torch.randn(3, 512, generator=random)[[0, 0, 0]]
    noise = torch.randn(3, 512, generator=random)

    moved = perturbed(vectors, noise, torch.tensor([0.0, 0.3, 0.7]))

    assert torch.allclose(moved.norm(dim=1), vectors.norm(dim=1))
    assert torch.allclose(moved[0], vectors[0])
    cosines = torch.nn.functional.cosine_similarity(moved, vectors)
    assert cosines.tolist() == pytest.approx([1.0, 0.958, 0.82], abs=0.03)


@pytest.mark.skipif(not PARITY.is_dir(), reason=f"no outputs of the published code at {PARITY}")
def test_it_does_what_the_published_code_does():
    stored = np.load(PARITY / "vec2face/io.npz")
    base = stored["near_base"]
    random = np.random.RandomState(0)
    noise = np.vstack(
        [random.normal(0, strength, (int(len(base) * share), 512)) for strength, share in PUBLISHED.items()]
    )
    random.shuffle(noise)

    moved = perturbed(torch.from_numpy(base), torch.from_numpy(noise), torch.ones(len(base)))

    assert np.abs(moved.numpy() - stored["near_out"]).max() / np.abs(stored["near_out"]).max() < 1e-6
