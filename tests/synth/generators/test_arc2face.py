import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="the extra 'diffusion' is not installed")

import torch
from safetensors.torch import load_file, save_file

from synth.components import ComponentSpec, build
from synth.errors import ComponentError, VectorsError, WeightsError
from synth.generators.arc2face import Arc2Face
from synth.spaces import ARCFACE_WEBFACE42M
from tests.synth.generators.arc2face_checkpoint import (
    SMALL_TEXT,
    write_checkpoint,
    write_encoder,
    write_lora,
    write_tiny_vae,
)


def unit_vectors(count):
    vectors = np.random.default_rng(21).standard_normal((count, 512)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


VECTORS = np.repeat(unit_vectors(2), 3, axis=0)
INDICES = np.array([0, 1, 2, 0, 1, 2], dtype=np.int32)
SEEDS = np.array([5, 2**62 + 1, 7, 8, 9, 10], dtype=np.uint64)
STEPS = 3


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    weights, base = write_checkpoint(tmp_path_factory.mktemp("arc2face"))
    return {"weights": str(weights), "base": str(base)}


@pytest.fixture(scope="module")
def generator(folders):
    return Arc2Face(**folders, steps=STEPS)


@pytest.fixture(scope="module")
def images(generator):
    return generator.generate(VECTORS, INDICES, SEEDS).images


@pytest.fixture
def copied(folders, tmp_path):
    return {name: str(shutil.copytree(folder, tmp_path / name)) for name, folder in folders.items()}


def test_pictures_have_the_size_that_the_configurations_say(images):
    assert images.shape == (6, 64, 64, 3)
    assert images.dtype == np.uint8
    assert images.std() > 20


def test_the_same_seeds_give_the_same_bytes_in_a_new_generator(folders, images):
    again = Arc2Face(**folders, steps=STEPS).generate(VECTORS, INDICES, SEEDS).images

    assert np.array_equal(again, images)


def test_another_batch_moves_at_most_one_value_in_a_thousand_by_one_level(generator, images):
    order = np.array([4, 0, 5, 2])
    others = [generator.generate(VECTORS[rows], INDICES[rows], SEEDS[rows]).images for rows in (order, order[:1])]

    for made, rows in zip(others, (order, order[:1]), strict=True):
        difference = np.abs(made.astype(int) - images[rows])
        assert difference.max() <= 1
        assert (difference > 0).mean() <= 0.001


def test_another_seed_gives_another_picture(images):
    assert np.abs(images[0].astype(int) - images[1]).mean() > 5


def test_the_vector_changes_the_picture_of_a_seed(generator):
    same_seed = np.full(2, 5, dtype=np.uint64)

    made = generator.generate(VECTORS[[0, 3]], INDICES[:2], same_seed).images.astype(int)

    assert np.abs(made[0] - made[1]).mean() > 0.5


def test_each_distinct_vector_is_encoded_once(generator):
    rows = []
    hook = generator.model.prompt._text_model.register_forward_pre_hook(
        lambda module, args, kwargs: rows.append(len(kwargs["input_ids"])), with_kwargs=True
    )

    with torch.inference_mode():
        encoded = generator.model.encode(VECTORS[[0, 3, 0, 3, 3]])
    hook.remove()

    assert rows == [2]
    assert torch.equal(encoded[0], encoded[2])
    assert torch.equal(encoded[1], encoded[4])
    assert not torch.equal(encoded[0], encoded[1])


def test_guidance_of_one_takes_half_the_rows(folders):
    rows = []
    generator = Arc2Face(**folders, steps=1, guidance=1.0)
    generator.model.unet.register_forward_pre_hook(lambda module, args: rows.append(len(args[0])))

    generator.generate(VECTORS[:2], INDICES[:2], SEEDS[:2])

    assert rows == [2]


def test_global_random_state_is_left_alone(folders):
    torch.manual_seed(1)
    before = torch.get_rng_state()

    Arc2Face(**folders, steps=1).generate(VECTORS[:1], INDICES[:1], SEEDS[:1])

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_makes_nearly_the_same_pictures(folders, images, precision):
    half = Arc2Face(**folders, steps=STEPS, precision=precision)

    made = half.generate(VECTORS[:2], INDICES[:2], SEEDS[:2]).images

    assert half.model.unet.dtype == getattr(torch, precision)
    assert np.abs(made.astype(int) - images[:2]).mean() < 3


def test_few_steps_with_the_lora_ask_for_no_guidance_and_four_evaluations(folders, images, tmp_path):
    lora = write_lora(tmp_path / "lora.safetensors", folders["weights"])
    generator = Arc2Face(**folders, lora=str(lora))
    rows = []
    generator.model.unet.register_forward_pre_hook(lambda module, args: rows.append(len(args[0])))

    made = generator.generate(VECTORS[:2], INDICES[:2], SEEDS[:2]).images
    again = generator.generate(VECTORS[1:2], INDICES[1:2], SEEDS[1:2]).images

    assert rows == [2, 2, 2, 2, 1, 1, 1, 1]
    assert generator.model.scheduler.timesteps == [999, 759, 499, 259]
    assert np.abs(made[1:].astype(int) - again).max() <= 1  # fresh noise, too, is a sample's own
    assert np.abs(made.astype(int) - images[:2]).mean() > 2


def test_the_tiny_autoencoder_stands_in_for_that_of_the_base(copied, tmp_path):
    shutil.rmtree(tmp_path / "base/vae")
    tiny = write_tiny_vae(tmp_path / "taesd")

    made = Arc2Face(**copied, steps=STEPS, tiny_vae=str(tiny)).generate(VECTORS[:2], INDICES[:2], SEEDS[:2]).images

    assert made.shape == (2, 64, 64, 3)
    assert made.std() > 10


def test_compile_has_both_networks_of_the_loop_compiled_when_they_first_run(folders):
    compiled, plain = (Arc2Face(**folders, steps=1, compile=compile).model for compile in (True, False))

    for networks, expected in ((compiled, True), (plain, False)):
        assert [network._compiled_call_impl is not None for network in (networks.unet, networks.decoder)] == [
            expected
        ] * 2


def test_safetensors_of_the_encoder_are_read_before_its_pickle(copied, images, tmp_path):
    pickled = tmp_path / "weights/encoder/pytorch_model.bin"
    save_file(torch.load(pickled, weights_only=True), pickled.with_name("model.safetensors"))
    pickled.unlink()

    made = Arc2Face(**copied, steps=STEPS).generate(VECTORS, INDICES, SEEDS).images

    assert np.array_equal(made, images)


def test_positions_in_files_of_old_transformers_are_passed_over(copied, images, tmp_path):
    path = tmp_path / "weights/encoder/pytorch_model.bin"
    positions = {"text_model.embeddings.position_ids": torch.arange(77)[None]}
    torch.save(torch.load(path, weights_only=True) | positions, path)

    made = Arc2Face(**copied, steps=STEPS).generate(VECTORS, INDICES, SEEDS).images

    assert np.array_equal(made, images)


def test_a_scheduler_saved_with_the_base_changes_nothing(copied, images, tmp_path):
    path = tmp_path / "base/scheduler/scheduler_config.json"
    config = json.loads(path.read_text())
    config |= {"_class_name": "DPMSolverMultistepScheduler", "timestep_spacing": "leading", "use_karras_sigmas": True}
    path.write_text(json.dumps(config))

    made = Arc2Face(**copied, steps=STEPS).generate(VECTORS, INDICES, SEEDS).images

    assert np.array_equal(made, images)


def test_weight_files_are_those_of_the_published_layout():
    files = Arc2Face.weight_files({"weights": "w", "base": "b"})

    assert {f"{file.repo}/{file.name}" for file in files} == {
        "FoivosPar/Arc2Face/arc2face/config.json",
        "FoivosPar/Arc2Face/arc2face/diffusion_pytorch_model.safetensors",
        "FoivosPar/Arc2Face/encoder/config.json",
        "FoivosPar/Arc2Face/encoder/pytorch_model.bin",
        *(
            f"stable-diffusion-v1-5/stable-diffusion-v1-5/{name}"
            for name in (
                "scheduler/scheduler_config.json",
                "tokenizer/merges.txt",
                "tokenizer/special_tokens_map.json",
                "tokenizer/tokenizer_config.json",
                "tokenizer/vocab.json",
                "vae/config.json",
                "vae/diffusion_pytorch_model.safetensors",
            )
        ),
    }
    assert all(file.license and file.origin.startswith("https://huggingface.co/") for file in files)


def test_weight_files_of_options_replace_and_add():
    options = {"weights": "w", "base": "b", "lora": "l/lora.safetensors", "tiny_vae": "t"}

    files = {str(file.path): file for file in Arc2Face.weight_files(options)}

    assert files["l/lora.safetensors"].repo == "latent-consistency/lcm-lora-sdv1-5"
    assert files["l/lora.safetensors"].name == "pytorch_lora_weights.safetensors"
    assert files["t/diffusion_pytorch_model.safetensors"].repo == "madebyollin/taesd"
    assert not any("vae/" in path for path in files)


def test_vectors_of_another_length_or_size_are_refused(generator):
    assert generator.vector_space == ARCFACE_WEBFACE42M
    with pytest.raises(VectorsError, match=r"vector 1 has length 21\.9"):
        generator.generate(VECTORS[:2] * np.float32([[1], [21.9]]), INDICES[:2], SEEDS[:2])
    with pytest.raises(VectorsError, match="512"):
        generator.generate(np.ones((2, 128), np.float32), INDICES[:2], SEEDS[:2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps 0: expected 1"),
        ({"steps": 1000}, "expected 1 to 999"),
        ({"guidance": 0.5}, "guidance 0.5: expected 1"),
        ({"guidance": float("nan")}, "guidance: input should be a finite number, got nan"),
        ({"device": "tpu"}, "device 'tpu'"),
        ({"precision": "int8"}, "precision"),
        ({"stepps": 3}, "did you mean 'steps'"),
    ],
)
def test_options_out_of_range_are_refused(folders, options, message):
    with pytest.raises(ComponentError, match=message):
        build(ComponentSpec("generator", "arc2face", folders | options))


def test_a_base_without_its_scheduler_is_refused_with_the_way_to_get_it(copied, tmp_path):
    shutil.rmtree(tmp_path / "base/scheduler")

    with pytest.raises(WeightsError, match=r"scheduler_config\.json: missing; `synth weights .*stable-diffusion-v1-5"):
        Arc2Face(**copied)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "holds a list"),
        ("{}", "beta_start is None"),
        ('{"beta_start": 0.1, "beta_end": 0.01}', "expected 0 < beta_start"),
        ('{"beta_start": 0.01, "beta_end": 0.1, "beta_schedule": "sigmoid"}', "'sigmoid'"),
        (
            '{"beta_start": 0.01, "beta_end": 0.1, "beta_schedule": "linear", "prediction_type": "v_prediction"}',
            "v_prediction",
        ),
    ],
)
def test_schedulers_of_other_models_are_refused(copied, tmp_path, content, message):
    (tmp_path / "base/scheduler/scheduler_config.json").write_text(content)

    with pytest.raises(WeightsError, match=message):
        Arc2Face(**copied)


UNET, VAE = "weights/arc2face/diffusion_pytorch_model.safetensors", "base/vae/diffusion_pytorch_model.safetensors"


@pytest.mark.parametrize("place", [UNET, VAE, "weights/encoder/model.safetensors"])
@pytest.mark.parametrize("mistake", ["missing", "unknown", "of another shape"])
def test_checkpoints_with_other_keys_are_refused(copied, tmp_path, place, mistake):
    path = tmp_path / place
    if not path.exists():
        save_file(torch.load(path.with_name("pytorch_model.bin"), weights_only=True), path)
    tensors = load_file(path)
    name = next(name for name, tensor in tensors.items() if tensor.ndim > 1)
    if mistake == "unknown":
        tensors[f"{name}.more"] = torch.zeros(1)
    elif mistake == "missing":
        del tensors[name]
    else:
        tensors[name] = tensors[name][1:].clone()
    save_file(tensors, path)

    with pytest.raises(WeightsError, match=f"1 {mistake}: "):
        Arc2Face(**copied)


@pytest.mark.parametrize("place", [UNET, VAE, "weights/encoder/pytorch_model.bin"])
def test_half_downloaded_files_are_refused(copied, tmp_path, place):
    path = tmp_path / place
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(WeightsError, match=rf"{path.name}: is (cut short|not as long as its header says)"):
        Arc2Face(**copied)


class Explosive:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (self.mark, "w")


def test_a_pickle_that_runs_code_is_refused_before_it_runs(copied, tmp_path):
    mark = tmp_path / "it_ran"
    torch.save({"text_model.x": Explosive(str(mark))}, tmp_path / "weights/encoder/pytorch_model.bin")

    with pytest.raises(WeightsError, match=r"pytorch_model\.bin: refused"):
        Arc2Face(**copied)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("weights/arc2face/config.json", {"block_out_channels": [32]}, "describes no UNet2DConditionModel"),
        ("weights/arc2face/config.json", {"cross_attention_dim": 520}, "of another shape"),
        ("weights/encoder/config.json", {"num_hidden_layers": 1}, "unknown"),
        ("weights/encoder/config.json", {"num_attention_heads": 7}, "describes no CLIPTextModel"),
        ("base/tokenizer/vocab.json", None, "vocab.json: cannot be read"),
        ("base/tokenizer/vocab.json", {"id</w>": "57"}, "vocab.json lacks numbers"),
        ("base/tokenizer/vocab.json", {"<|endoftext|>": 5000}, "another model"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(copied, tmp_path, name, change, message):
    path = tmp_path / name
    path.write_text("{" if change is None else json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(WeightsError, match=message):
        Arc2Face(**copied)


def test_a_tokenizer_of_two_models_is_refused(copied, tmp_path):
    with (tmp_path / "base/tokenizer/merges.txt").open("a") as merges:
        merges.write("zz z</w>\n")

    with pytest.raises(WeightsError, match=r"vocab\.json lacks zz \+ z</w> of merges\.txt"):
        Arc2Face(**copied)


def test_a_tokenizer_without_the_word_is_refused(copied, tmp_path):
    path = tmp_path / "base/tokenizer/merges.txt"
    path.write_text(path.read_text().replace("i d</w>\n", ""))

    with pytest.raises(WeightsError, match="makes 2 tokens of 'id'"):
        Arc2Face(**copied)


def test_an_encoder_for_another_network_is_refused(copied, tmp_path):
    write_encoder(tmp_path / "weights/encoder", SMALL_TEXT | {"hidden_size": 520}, torch.float32, seed=9)

    with pytest.raises(WeightsError, match=r"takes prompts 512 wide and 4 latent channels, .* make 520 and 4"):
        Arc2Face(**copied)


def test_listing_components_imports_no_torch_and_loading_prints_nothing(folders):
    code = (
        "import sys, numpy as np\n"
        "from synth.components import ComponentSpec, build, check\n"
        f"spec = ComponentSpec('generator', 'arc2face', {folders | {'steps': 1}!r})\n"
        "check(spec)\n"
        "assert 'torch' not in sys.modules\n"
        "build(spec).generate(np.eye(1, 512, dtype=np.float32), np.zeros(1, np.int32), np.ones(1, np.uint64))\n"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout + result.stderr == ""
