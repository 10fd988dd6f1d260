import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from synth.components import ComponentSpec, build
from synth.errors import ComponentError, PrecisionError, VectorsError, WeightsError
from synth.generators.idiff import Idiff
from synth.networks.latent_unet import UNetLayout
from synth.weights.conversion import convert
from tests.synth.generators.idiff_checkpoint import SMALL_UNET, write_checkpoint

SHARED = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared"))
VECTORS = np.random.default_rng(4).standard_normal((5, 512)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
INDICES = np.arange(5, dtype=np.int32)
SEEDS = np.array([5, 2**62 + 1, 7, 8, 9], dtype=np.uint64)
SIZE = 32
LEARNED_EMPTY = UNetLayout(
    channels=32, multipliers=(1, 2), attention=(False, True), blocks=1, context_channels=32, learned_empty_context=True
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("idiff"), image_size=SIZE, num_steps=30)


@pytest.fixture(scope="module")
def uiface_files(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("uiface"), layout=LEARNED_EMPTY)


def options(files, **more):
    return {"weights": str(files[0]), "first_stage": str(files[1]), **more}


def made(files, rows=5, **more):
    return Idiff(**options(files, **more)).generate(VECTORS[:rows], INDICES[:rows], SEEDS[:rows]).images


@pytest.mark.parametrize(("scheduler", "steps"), [("ddpm", None), ("ddim", 3), ("dpm", 3)], ids=["ddpm", "ddim", "dpm"])
def test_every_scheduler_makes_pictures_that_do_not_depend_on_their_batch(files, scheduler, steps):
    generator = Idiff(**options(files, scheduler=scheduler, steps=steps))

    together = generator.generate(VECTORS, INDICES, SEEDS).images
    order = np.array([3, 0])
    apart = generator.generate(VECTORS[order], INDICES[order], SEEDS[order]).images

    assert together.shape == (5, SIZE, SIZE, 3)
    assert together.dtype == np.uint8
    difference = np.abs(apart.astype(int) - together[order])
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.001
    assert len(np.unique(together)) > 50


def test_the_same_seeds_give_the_same_bytes_in_another_process(files):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.synth.generators.test_idiff import made\n"
        "sys.stdout.buffer.write(made((sys.argv[1], sys.argv[2]), scheduler='ddim', steps=2).tobytes())\n"
    )

    result = subprocess.run([sys.executable, "-c", code, *map(str, files)], capture_output=True, check=True)

    assert result.stdout == made(files, scheduler="ddim", steps=2).tobytes()


def test_seed_and_vector_both_matter_and_the_index_does_not(files):
    generator = Idiff(**options(files, steps=2))
    first = generator.generate(VECTORS[:2], INDICES[:2], SEEDS[:2]).images

    assert np.array_equal(generator.generate(VECTORS[:2], INDICES[2:4], SEEDS[:2]).images, first)
    assert not np.array_equal(generator.generate(VECTORS[:2], INDICES[:2], SEEDS[2:4]).images, first)
    assert not np.array_equal(generator.generate(VECTORS[2:4], INDICES[:2], SEEDS[:2]).images, first)


def test_torchs_own_random_numbers_are_left_alone(files):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)

    made(files, rows=1, scheduler="ddpm")

    assert torch.equal(torch.rand(3), expected)


def test_guidance_and_each_negative_change_the_picture(files, tmp_path):
    np.save(tmp_path / "others.npy", VECTORS[1:])
    others = str(tmp_path / "others.npy")
    variants = [
        made(files, rows=2, steps=2),
        made(files, rows=2, steps=2, guidance=3.0),
        made(files, rows=2, steps=2, guidance=3.0, negative="opposite"),
        made(files, rows=2, steps=2, guidance=3.0, negative="random"),
        made(files, rows=2, steps=2, guidance=3.0, negative="farthest", negative_vectors=others),
        made(files, rows=2, steps=2, guidance=3.0, negative="closest", negative_vectors=others),
    ]

    assert len({variant.tobytes() for variant in variants}) == len(variants)


def test_uiface_weights_are_sampled_in_two_stages_independently_of_the_batch(uiface_files):
    generator = Idiff(**options(uiface_files, two_stage=True, steps=4, guidance=2.0))

    together = generator.generate(VECTORS[:3], INDICES[:3], SEEDS[:3]).images
    apart = generator.generate(VECTORS[2:3], INDICES[2:3], SEEDS[2:3]).images

    assert together.shape == (3, 128, 128, 3)
    difference = np.abs(apart.astype(int) - together[2:3])
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.001
    assert not np.array_equal(together, made(uiface_files, rows=3, steps=4, guidance=2.0))


def test_adagn_checkpoints_are_read_and_their_context_matters(tmp_path):
    layout = UNetLayout(
        channels=32, multipliers=(1, 2), attention=(False, True), blocks=1, context_channels=32, conditioning="adagn"
    )
    files = write_checkpoint(tmp_path, layout=layout, image_size=SIZE)
    generator = Idiff(**options(files, steps=2))

    mine = generator.generate(VECTORS[:1], INDICES[:1], SEEDS[:1]).images
    other = generator.generate(VECTORS[1:2], INDICES[:1], SEEDS[:1]).images

    assert mine.shape == (1, SIZE, SIZE, 3)
    assert not np.array_equal(mine, other)


def test_the_checkpoint_itself_and_its_safetensors_give_the_same_pictures_as_the_folder(files, tmp_path):
    expected = made(files, rows=1, steps=2)
    checkpoint = files[0] / "checkpoints" / "ema_averaged_model.ckpt"
    folder = shutil.copytree(files[0], tmp_path / "converted")
    convert(checkpoint, folder / "checkpoints" / "ema_averaged_model.safetensors")
    (folder / "checkpoints" / "ema_averaged_model.ckpt").unlink()
    convert(files[1], tmp_path / "decoder.safetensors")

    assert np.array_equal(made((checkpoint, files[1]), rows=1, steps=2), expected)
    assert np.array_equal(made((folder, tmp_path / "decoder.safetensors"), rows=1, steps=2), expected)


def test_half_precision_stays_close(files):
    exact = made(files, rows=2, steps=2).astype(int)

    near = made(files, rows=2, steps=2, precision="bfloat16")

    assert np.abs(near - exact).mean() < 0.2 * np.abs(exact - exact[::-1]).mean()


def test_numbers_that_overflow_are_told(files):
    generator = Idiff(**options(files, steps=1))
    generator.model.decoder.decoder.conv_out.bias.data[1] = float("inf")

    with pytest.raises(PrecisionError, match=r"2 of 2 images .*use `precision: bfloat16`"):
        generator.generate(VECTORS[:2], INDICES[:2], SEEDS[:2])


def test_published_parity_weights_load_through_the_constructor():
    folder = SHARED / "parity" / "idiff"
    if not folder.is_dir():
        pytest.skip(f"no parity data at {folder}")

    images = made((folder, folder / "autoencoder" / "first_stage_decoder_state_dict.pt"), rows=1, scheduler="ddpm")

    assert images.shape == (1, 128, 128, 3)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"guidance": 0.5}, "guidance 0.5: expected 1 to 30"),
        ({"negative": "opposite"}, "does nothing at guidance 1"),
        ({"negative": "farthest", "guidance": 1.5}, "needs `negative_vectors`"),
        ({"negative_vectors": "a.npy"}, "takes no `negative_vectors`"),
        ({"two_stage": True}, "learned empty context"),
        ({"two_stage": True, "scheduler": "dpm"}, "'ddim' alone"),
        ({"two_stage": True, "guidance": 2.0, "negative": "random"}, "leave `negative` out"),
        ({"two_stage": True, "compile": True}, "cannot be compiled"),
        ({"scheduler": "ddpm", "steps": 20}, "'ddpm' takes all 30"),
        ({"scheduler": "ddim", "steps": 31}, "steps 31: expected 1 to 30"),
        ({"scheduler": "dpm", "steps": 30}, "steps 30: expected 1 to 29"),
        ({"steps": 0}, "steps 0"),
        ({"scheduler": "euler"}, "scheduler"),
        ({"device": "tpu", "steps": 2}, "device 'tpu'"),
    ],
)
def test_options_out_of_range_or_at_odds_are_refused_with_the_way_out(files, more, message):
    with pytest.raises(ComponentError, match=message):
        build(ComponentSpec("generator", "idiff", options(files, **more)))


def test_vectors_of_another_norm_or_size_are_refused(files):
    generator = Idiff(**options(files, steps=1))

    with pytest.raises(VectorsError, match="vector 1 has length 20"):
        generator.generate(VECTORS[:2] * np.array([[1], [20]], np.float32), INDICES[:2], SEEDS[:2])
    with pytest.raises(VectorsError, match="expected \\(B, 512\\)"):
        generator.generate(VECTORS[:2, :128], INDICES[:2], SEEDS[:2])


def test_negatives_of_another_size_are_refused(files, tmp_path):
    np.save(tmp_path / "others.npy", VECTORS[:, :128])

    with pytest.raises(VectorsError, match=r"expected two or more of 512"):
        made(files, guidance=1.5, negative="farthest", negative_vectors=str(tmp_path / "others.npy"))


def test_negatives_that_are_all_one_person_are_refused(files, tmp_path):
    np.save(tmp_path / "others.npy", VECTORS[:1].repeat(3, axis=0))

    with pytest.raises(VectorsError, match="all 3 vectors are the same person"):
        made(files, guidance=1.5, negative="closest", negative_vectors=str(tmp_path / "others.npy"))


def test_missing_files_are_named_with_their_origin(tmp_path):
    with pytest.raises(WeightsError, match=r"ema\.ckpt: missing; get it from https(.|\n)*decoder\.pt: missing"):
        Idiff(weights=str(tmp_path / "ema.ckpt"), first_stage=str(tmp_path / "decoder.pt"))


def changed(files, tmp_path, change):
    """Returns the files with another content of the checkpoint."""
    folder = shutil.copytree(files[0], tmp_path / "changed")
    path = folder / "checkpoints" / "ema_averaged_model.ckpt"
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)
    return folder, files[1]


def test_negatives_are_among_the_files_a_run_needs(files):
    found = Idiff.weight_files(options(files, negative="closest", negative_vectors="nobody.npy"))

    assert found[-1].path == Path("nobody.npy")
    assert not found[-1].is_present
    assert all(file.is_present for file in found[:-1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("eps_model.middle.res1.conv1.bias"), "1 missing: middle.res1.conv1.bias"),
        (lambda content: content.update({"eps_model.extra": torch.zeros(1)}), "1 unknown: extra"),
        (lambda content: content.update({"eps_model.norm.bias": torch.zeros(7)}), r"norm\.bias \(7,\) instead of"),
        (lambda content: content.pop("betas"), "noise schedule lacks betas"),
        (lambda content: content.update(betas=torch.zeros(4)), "not of one length"),
        (lambda content: content.pop("eps_model.context_emb.weight"), "it has no context_emb.weight; expected a check"),
        (lambda content: content.pop("eps_model.down.0.res.conv1.weight"), "lacks blocks"),
        (lambda content: content.pop("eps_model.middle.attn.c_proj_in.weight"), "it has no middle.attn.c_proj_in"),
    ],
)
def test_checkpoints_with_missing_extra_or_misshapen_tensors_are_refused(files, tmp_path, change, message):
    with pytest.raises(WeightsError, match=message):
        made(changed(files, tmp_path, change))


def test_a_checkpoint_of_another_network_is_refused(files):
    with pytest.raises(WeightsError, match=r"it has no image_proj\.weight; expected a checkpoint of IDiff-Face"):
        made((files[1], files[1]))
    with pytest.raises(WeightsError, match="expected a half of a first stage"):
        made((files[0], files[0] / "checkpoints" / "ema_averaged_model.ckpt"))


def test_a_file_cut_short_is_refused(files, tmp_path):
    content = files[1].read_bytes()
    (tmp_path / "decoder.pt").write_bytes(content[: len(content) // 2])

    with pytest.raises(WeightsError, match=r"decoder\.pt: "):
        made((files[0], tmp_path / "decoder.pt"))


def test_a_decoder_of_other_latents_is_refused(files, tmp_path):
    layout = UNetLayout(channels=32, multipliers=(1, 2), attention=(False, True), blocks=1, latent_channels=4)
    weights, _ = write_checkpoint(tmp_path, layout=layout)

    with pytest.raises(WeightsError, match="do not belong together"):
        made((weights, files[1]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("constants: {image_size: 100}", "100 px, not a multiple of 8"),
        ("constants: {image_size: large}", r"config\.yaml: constants\.image_size: expected int like 128, got 'large'"),
        ("constants: [", "cannot be read as YAML"),
        ("- constants", "holds no settings by name"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(files, tmp_path, text, message):
    folder = shutil.copytree(files[0], tmp_path / "changed")
    (folder / ".hydra" / "config.yaml").write_text(text)

    with pytest.raises(WeightsError, match=message):
        made((folder, files[1]))


def test_a_schedule_that_nobody_stored_has_to_be_linear(files, tmp_path):
    def drop_schedule(content):
        for name in [name for name in content if not name.startswith("eps_model.")]:
            del content[name]

    folder, first_stage = changed(files, tmp_path, drop_schedule)
    assert Idiff(weights=str(folder), first_stage=str(first_stage), steps=2).model.schedule.num_steps == 30
    (folder / ".hydra" / "config.yaml").write_text("diffusion: {schedule_type: cosine}")

    with pytest.raises(WeightsError, match="holds no noise schedule"):
        made((folder, first_stage))


def test_the_class_is_known_without_torch():
    code = (
        "import sys; from synth.components import ComponentSpec, check; "
        "check(ComponentSpec('generator', 'idiff', {'weights': 'a', 'first_stage': 'b', 'scheduler': 'dpm'})); "
        "sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_small_layout_is_the_one_that_is_written(files):
    assert Idiff(**options(files, steps=1)).model.unet.layout == SMALL_UNET
