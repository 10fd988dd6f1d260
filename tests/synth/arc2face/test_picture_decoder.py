from types import SimpleNamespace

import pytest

pytest.importorskip("diffusers", reason="the extra 'diffusion' is not installed")

import torch

from synth.arc2face.picture_decoder import DECODED_AT_ONCE, PictureDecoder
from synth.errors import PrecisionError

ROWS = DECODED_AT_ONCE + 2


@pytest.fixture
def decoder():
    """Shows latents of three channels as they are."""
    config = SimpleNamespace(latent_channels=3, block_out_channels=(1,), scaling_factor=1.0, shift_factor=None)
    return PictureDecoder(SimpleNamespace(config=config, decoder=torch.nn.Identity()))


def test_latents_are_decoded_in_parts_and_rounded(decoder):
    latents = torch.linspace(-1.2, 1.2, ROWS)[:, None, None, None].expand(ROWS, 3, 2, 2)

    pictures = decoder.pictures(latents, torch.float32)

    assert pictures.shape == (ROWS, 2, 2, 3)
    assert pictures.dtype == torch.uint8
    expected = ((latents[:, 0, 0, 0] / 2 + 0.5).clamp(0, 1) * 255).round()
    assert pictures[:, 0, 0, 0].tolist() == expected.tolist()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1e6])
def test_numbers_that_overflow_are_told_by_their_row_of_the_batch(decoder, number):
    latents = torch.zeros(ROWS, 3, 2, 2)
    latents[DECODED_AT_ONCE + 1, 2, 1, 0] = number  # 65,504 is the most that float16 can say

    with pytest.raises(PrecisionError, match=rf"1 of {ROWS} images .* in row {DECODED_AT_ONCE + 1}; .*bfloat16"):
        decoder.pictures(latents, torch.float16)
