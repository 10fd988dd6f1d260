import io

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from synth.training.augmentation.batch import augmented, network_input, planes
from synth.training.augmentation.colour import recolour
from synth.training.augmentation.degradation import degrade
from synth.training.augmentation.draws import Draws
from synth.training.augmentation.jpeg import compress
from synth.training.augmentation.options import Augmentation
from synth.training.augmentation.warp import warp

NOTHING = dict.fromkeys(Augmentation.model_fields, 0.0)


def only(**options):
    return Augmentation(**(NOTHING | options))


def pictures(count=16, size=48):
    """Returns smooth uint8 pictures (count, size, size, 3)."""
    rough = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.interpolate(rough, (size, size), mode="bicubic").clamp(0, 1)
    return (255 * smooth).permute(0, 2, 3, 1).to(torch.uint8)


def draws(count=16, step=0):
    return Draws(count, 1, step)


def test_without_any_change_the_pixels_stay():
    faces = augmented(pictures(), draws(), only())

    assert torch.equal(faces, planes(pictures()))


def test_everything_at_once_stays_within_the_range_and_is_repeatable():
    everything = Augmentation(
        shade=0.5, grey=0.3, blur=0.5, motion_blur=0.5, noise=0.5, low_resolution=0.5, jpeg=0.5, erase=0.5
    )

    faces = augmented(pictures(), draws(), everything)

    assert faces.shape == (16, 3, 48, 48)
    assert faces.dtype == torch.float32
    assert (faces >= 0).all()
    assert (faces <= 1).all()
    assert torch.equal(faces, augmented(pictures(), draws(), everything))
    assert not torch.equal(faces, augmented(pictures(), draws(step=1), everything))


@pytest.mark.parametrize(
    "options",
    [
        {"flip": 0.5}, {"scale": 0.2}, {"rotation": 20.0}, {"shift": 0.1}, {"aspect": 0.2}, {"corners": 0.1},
        {"brightness": 0.3}, {"contrast": 0.3}, {"saturation": 0.5}, {"hue": 0.2}, {"shade": 0.5}, {"grey": 0.5},
        {"blur": 0.5}, {"motion_blur": 0.5}, {"noise": 0.5}, {"low_resolution": 0.5}, {"jpeg": 0.5}, {"erase": 0.5},
    ],
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_each_option_changes_pictures_by_itself(options):
    faces = augmented(pictures(), draws(), only(**options))

    assert not torch.allclose(faces, planes(pictures()), atol=1e-3)


def test_one_more_option_leaves_the_draws_of_the_others_alone():
    alone = warp(planes(pictures()), draws(), only(rotation=20.0))

    both = augmented(pictures(), draws(), only(rotation=20.0, brightness=0.3))
    bright = recolour(alone, draws(), only(brightness=0.3))

    assert torch.allclose(both, bright, atol=1e-6)


def test_a_flip_is_exact_with_a_warp_and_without():
    faces = planes(pictures())

    without = warp(faces, draws(), only(flip=1.0))
    with_warp = warp(faces, draws(), only(flip=1.0, rotation=1e-6))

    assert torch.equal(without, faces.flip(3))
    assert torch.allclose(with_warp, faces.flip(3), atol=1e-3)


def test_a_shift_moves_the_picture_by_that_many_pixels():
    faces = planes(pictures(4))
    options = only(shift=0.25)
    moved = warp(faces, draws(4), options)

    steps = torch.stack([draws(4).around("shift_x", 0.25), draws(4).around("shift_y", 0.25)], dim=1) * 48
    for face, out, (right, down) in zip(faces, moved, steps.round().long().tolist(), strict=True):
        inner = out[:, 14:34, 14:34]
        there = face[:, 14 + down : 34 + down, 14 + right : 34 + right]
        assert (inner - there).abs().mean() < 0.2 * (inner - face[:, 14:34, 14:34]).abs().mean()  # half a pixel is left


def test_corners_move_to_where_they_were_drawn():
    from synth.training.augmentation.warp import _bent

    transform = _bent(draws(5), only(corners=0.1))
    corners = torch.tensor([[-1.0, -1.0, 1.0], [1.0, -1.0, 1.0], [1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])

    found = corners @ transform.transpose(1, 2)
    steps = torch.stack([draws(5).around(f"corner_{number}", 0.1) for number in range(8)], dim=1).view(5, 4, 2)

    assert torch.allclose(found[..., :2] / found[..., 2:], corners[:, :2] + 2 * steps, atol=1e-5)


def test_grey_pictures_have_equal_channels_and_the_same_luma():
    faces = planes(pictures())

    grey = recolour(faces, draws(), only(grey=1.0))

    luma = 0.299 * faces[:, 0] + 0.587 * faces[:, 1] + 0.114 * faces[:, 2]
    assert torch.allclose(grey[:, 0], grey[:, 2], atol=1e-6)
    assert torch.allclose(grey[:, 1], luma, atol=1e-5)


def test_contrast_keeps_the_mean_luma_and_hue_keeps_grey():
    faces = 0.4 + 0.2 * planes(pictures())
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]

    steeper = recolour(faces, draws(), only(contrast=0.3))
    turned = recolour(faces[:, :1].expand_as(faces), draws(), only(hue=0.3))

    assert torch.allclose((steeper * weights).sum(1).mean((1, 2)), (faces * weights).sum(1).mean((1, 2)), atol=1e-4)
    assert torch.allclose(turned, faces[:, :1].expand_as(faces), atol=1e-5)


def test_a_third_of_the_circle_swaps_the_channels():
    from synth.training.augmentation.colour import _turned

    third = _turned(torch.tensor([1 / 3]))[0]

    assert torch.allclose(third @ torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)


def test_blurs_keep_the_mean_and_lessen_detail():
    faces = planes(pictures())

    for options in (only(blur=1.0), only(motion_blur=1.0)):
        blurred = degrade(faces.clone(), draws(), options)

        assert torch.allclose(blurred.mean((1, 2, 3)), faces.mean((1, 2, 3)), atol=0.02)
        assert (blurred.diff(dim=3).abs().mean((1, 2, 3)) < faces.diff(dim=3).abs().mean((1, 2, 3))).all()


def test_erasing_covers_one_rectangle_and_nothing_else():
    faces = planes(pictures())

    erased = degrade(faces.clone(), draws(), only(erase=1.0))

    for changed in (erased != faces).any(dim=1):
        rows, columns = changed.any(dim=1).nonzero(), changed.any(dim=0).nonzero()
        inside = changed[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert inside.float().mean() > 0.99
        assert 0.005 < changed.float().mean() < 0.4


def test_pictures_that_nothing_was_drawn_for_stay():
    faces = planes(pictures(64))

    noisy = degrade(faces.clone(), draws(64), only(noise=0.25))

    chosen = draws(64).chosen("noise", 0.25)
    assert torch.equal((noisy != faces).any(dim=(1, 2, 3)), chosen)


def test_compression_rounds_as_a_jpeg_encoder_does():
    faces = planes(pictures(4))
    quality = (15 + 60 * draws(4).uniform("jpeg quality")).round().int().tolist()

    rounded = compress(faces.clone(), draws(4), only(jpeg=1.0))

    for face, own, number in zip(faces, rounded, quality, strict=True):
        buffer = io.BytesIO()
        pixels = (face * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=number, subsampling=0)
        theirs = torch.from_numpy(np.asarray(Image.open(buffer)).copy()).permute(2, 0, 1) / 255
        assert (own - theirs).abs().mean() < 0.01
        assert (own - theirs).abs().mean() < 0.35 * (face - theirs).abs().mean()


@pytest.mark.parametrize("size", [24, 48, 20, 96])
def test_network_input_is_scaled_and_centred(size):
    faces = torch.full((2, 3, 48, 48), 0.75)

    scaled = network_input(faces, size)

    assert scaled.shape == (2, 3, size, size)
    assert torch.allclose(scaled, torch.tensor(0.5), atol=1e-5)


def test_half_the_size_is_the_mean_of_four_pixels():
    faces = planes(pictures())

    scaled = network_input(faces, 24)

    assert torch.allclose(scaled, torch.nn.functional.avg_pool2d(faces, 2) * 2 - 1, atol=1e-5)


@pytest.mark.parametrize("options", [{"flip": 1.5}, {"scale": 1.0}, {"rotation": 200.0}, {"hue": -0.1}, {"wrap": 0.1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValidationError):
        Augmentation(**options)


@pytest.mark.parametrize("options", [{"flip": 0.5}, {"flip": 0.5, "scale": 0.1, "corners": 0.1}], ids=str)
def test_images_of_another_device_than_the_draws_are_warped_there(options):
    faces = warp(planes(pictures()).to("meta"), draws(), only(**options))

    assert (faces.device.type, faces.shape) == ("meta", (16, 3, 48, 48))
