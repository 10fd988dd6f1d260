import json
import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.errors import WeightsError  # noqa: E402
from synth.networks.vec2face import Masks, load_vec2face, masks_of, vec2face_for  # noqa: E402
from synth.networks.vec2face_blocks import LoraLinear  # noqa: E402
from synth.networks.vec2face_pose import PoseCondition, load_pose_condition, pose_condition_for  # noqa: E402
from tests.synth.generators.vec2face_checkpoint import (  # noqa: E402
    TINY_HEADS,
    write_checkpoint,
    write_pose_checkpoint,
)

SHARED = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared"))
LISTINGS, PARITY = SHARED / "research/statedict", SHARED / "parity"
PARITY_HEADS = (4, 4)

needs_listings = pytest.mark.skipif(not LISTINGS.is_dir(), reason=f"no listings of published checkpoints at {LISTINGS}")
needs_parity = pytest.mark.skipif(not PARITY.is_dir(), reason=f"no outputs of the published code at {PARITY}")


def relative_error(ours, published):
    published = torch.from_numpy(published)
    assert ours.shape == published.shape
    return float((ours - published).abs().max() / published.abs().max())


def published_tensors(listing):
    keys = json.loads((LISTINGS / f"{listing}.json").read_text())["keys"]
    return {
        name: torch.empty(entry["shape"], dtype=getattr(torch, entry["dtype"]), device="meta")
        for name, entry in keys.items()
    }


def described(tensors):
    return {name: (tuple(value.shape), value.dtype) for name, value in tensors.items()}


@needs_listings
@pytest.mark.parametrize("listing", ["vec2face", "vec2face_plus_main", "vec2face_plus_lora"])
def test_the_published_checkpoints_fit_exactly(listing):
    published = published_tensors(listing)

    with torch.device("meta"):
        network = vec2face_for(published)

    assert described(network.state_dict()) == described(published)


@needs_listings
def test_the_published_pose_checkpoint_fits_exactly():
    published = published_tensors("vec2face_plus_pose")

    with torch.device("meta"):
        network = pose_condition_for(published)

    assert described(network.state_dict()) == described(published)


@needs_parity
@pytest.mark.parametrize("case", ["a", "b"])
def test_every_step_agrees_with_the_published_code(case):
    stored = np.load(PARITY / "vec2face/io.npz")
    network = load_vec2face(PARITY / "vec2face/vec2face_tiny.pth", PARITY_HEADS)
    vectors = torch.from_numpy(stored["rep"])
    rates = torch.full((len(vectors),), float(stored[f"{case}_mask_rate"]))

    masks = masks_of(torch.from_numpy(stored[f"{case}_noise"]), rates, 0.1)
    with torch.inference_mode():
        embedded = network.embed(vectors)
        encoded = network.encode(vectors, masks)
        decoded = network.decode(encoded, masks)
        grid = network.grid_of(decoded)
        images = network(vectors, masks)

    dropped = np.flatnonzero(stored[f"{case}_drop_mask"][0])
    assert np.array_equal(masks.masked.numpy(), stored[f"{case}_all_mask"] == 1)
    assert np.array_equal(np.setdiff1d(np.arange(50), masks.kept[0].numpy()), dropped)
    assert relative_error(embedded, stored[f"{case}_gt_indices"]) < 1e-5
    assert relative_error(encoded, stored[f"{case}_latent"]) < 1e-5
    assert relative_error(decoded, stored[f"{case}_logits"]) < 1e-5
    assert relative_error(grid, stored[f"{case}_decoder_proj"]) < 1e-5
    assert relative_error(images, stored[f"{case}_image"]) < 1e-5


@needs_parity
def test_the_plus_model_agrees_with_the_published_code_with_and_without_a_pose():
    stored = np.load(PARITY / "vec2face_plus/io.npz")
    network = load_vec2face(PARITY / "vec2face_plus/vec2face_plus_tiny.pth", PARITY_HEADS)
    vectors, pose = torch.from_numpy(stored["rep"]), torch.from_numpy(stored["cond"])
    rates = torch.full((len(vectors),), float(stored["mask_rate"]))

    masks = masks_of(torch.from_numpy(stored["noise"]), rates, 0.8)
    with torch.inference_mode():
        decoded = network.decode(network.encode(vectors, masks), masks, pose)
        posed, plain = network(vectors, masks, pose), network(vectors, masks)

    assert np.array_equal(masks.masked.numpy(), stored["all_mask"] == 1)
    assert relative_error(decoded, stored["logits_cond"]) < 1e-5
    assert relative_error(posed, stored["image_cond"]) < 1e-5
    assert relative_error(plain, stored["image_nocond"]) < 1e-5


@needs_parity
def test_the_pose_network_agrees_with_the_published_code():
    stored = np.load(PARITY / "vec2face_plus/io.npz")
    network = PoseCondition((32, 64, 128, 256), 768)
    random = torch.Generator().manual_seed(int(stored["pose_fill_seed"]))
    with torch.no_grad():  # its weights are not stored but drawn like this
        for _, value in sorted(network.state_dict().items()):
            value.copy_(torch.randn(value.shape, generator=random) * float(stored["pose_fill_scale"]))

        tokens = network(torch.from_numpy(stored["pose_landmark_image"]))
        channels_last = network(
            torch.from_numpy(stored["pose_landmark_image"]).contiguous(memory_format=torch.channels_last)
        )

    assert relative_error(tokens, stored["pose_out"]) < 1e-5
    assert relative_error(channels_last, stored["pose_out"]) < 1e-5


def test_masks_take_the_smallest_noise_and_keep_equally_many_tokens():
    noise = torch.rand(5, 49, generator=torch.Generator().manual_seed(2))
    rates = torch.tensor([0.1, 0.15, 0.5, 0.99, 1.0])

    masks = masks_of(noise, rates, 0.1)

    assert masks.kept.shape == (5, 45)
    assert masks.masked.sum(dim=1).tolist() == [5, 8, 25, 49, 49]
    assert not masks.masked[:, 0].any()
    for row in range(5):
        smallest = set((noise[row].argsort()[:5] + 1).tolist())
        assert set(range(50)) - set(masks.kept[row].tolist()) == smallest
        assert all(masks.masked[row, token] for token in smallest)


def test_equal_noise_still_masks_the_right_number():
    masks = masks_of(torch.zeros(2, 49), torch.tensor([0.2, 0.6]), 0.1)

    assert masks.masked.sum(dim=1).tolist() == [10, 30]
    assert masks.kept.shape == (2, 45)


def test_low_rank_terms_are_weighted_by_alpha_over_rank():
    layer = LoraLinear(6, 3, rank=2)
    random = torch.Generator().manual_seed(3)
    inputs = torch.randn(4, 6, generator=random)
    with torch.no_grad():
        for value in layer.parameters():
            value.normal_(generator=random)
        expected = layer.base(inputs) + 32 / 2 * (inputs @ layer.A.T @ layer.B.T)

        outputs = layer(inputs)

    assert torch.allclose(outputs, expected, rtol=1e-5, atol=1e-4)


def test_a_pose_changes_the_image_and_another_mask_does_too(tmp_path):
    path = write_pose_checkpoint(tmp_path / "pose_model.pth")
    network, condition = load_vec2face(path, TINY_HEADS), load_pose_condition(path)
    random = torch.Generator().manual_seed(4)
    vectors = torch.randn(1, 512, generator=random)
    masks, others = (masks_of(torch.rand(1, 49, generator=random), torch.tensor([0.5]), 0.1) for _ in range(2))

    with torch.inference_mode():
        plain = network(vectors, masks)
        posed = network(vectors, masks, condition(torch.rand(1, 3, 112, 112, generator=random)))
        masked = network(vectors, others)

    assert plain.shape == (1, 3, 112, 112)
    assert (plain - posed).abs().mean() > 0.05
    assert (plain - masked).abs().mean() > 0.05


def test_a_checkpoint_without_a_pose_network_is_named(tmp_path):
    path = write_checkpoint(tmp_path / "vec2face_generator.pth")

    with pytest.raises(WeightsError, match="pose_model"):
        load_pose_condition(path)


@pytest.mark.parametrize("name", ["center_token.bias", "latent_prior_proj_f.weight", "im_decoder.conv_out.weight"])
def test_a_missing_tensor_is_named_even_if_nothing_uses_it(tmp_path, name):
    path = write_checkpoint(tmp_path / "vec2face_generator.pth")
    tensors = torch.load(path, weights_only=True)["model_vec2face"]
    del tensors[name]
    torch.save({"model_vec2face": tensors}, path)

    with pytest.raises(WeightsError, match=name):
        load_vec2face(path, TINY_HEADS)


def test_a_width_that_the_heads_do_not_divide_is_refused(tmp_path):
    path = write_checkpoint(tmp_path / "vec2face_generator.pth")

    with pytest.raises(ValueError, match="heads"):
        load_vec2face(path, (3, 4))


def test_masks_can_be_built_by_hand(tmp_path):
    """The identity's token alone reaches the encoder: the image is a function of the vector."""
    network = load_vec2face(write_checkpoint(tmp_path / "vec2face_generator.pth"), TINY_HEADS)
    alone = Masks(torch.zeros(1, 1, dtype=torch.int64), torch.tensor([[False] + [True] * 49]))

    with torch.inference_mode():
        encoded = network.encode(torch.ones(1, 512), alone)

    assert encoded.shape == (1, 1, 16)
