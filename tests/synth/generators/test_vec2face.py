import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import safetensors.torch  # noqa: E402
from PIL import Image  # noqa: E402

from synth.components import ComponentSpec, build, check  # noqa: E402
from synth.errors import ComponentError, PrecisionError, VectorsError, WeightsError  # noqa: E402
from synth.generators.vec2face import Vec2Face, _pixels  # noqa: E402
from synth.networks.vec2face import masks_of  # noqa: E402
from synth.vec2face.options import MaskRates, Poses  # noqa: E402
from tests.synth.generators.vec2face_checkpoint import (  # noqa: E402
    TINY_HEADS,
    write_checkpoint,
    write_estimators,
    write_pose_checkpoint,
)

PARITY = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared")) / "parity"
HEADS = {"encoder_heads": TINY_HEADS[0], "decoder_heads": TINY_HEADS[1]}
VECTORS = np.random.default_rng(3).standard_normal((2, 512)).astype(np.float32).repeat(5, axis=0)
INDICES = np.tile(np.arange(5, dtype=np.int32), 2)
SEEDS = np.arange(100, 110, dtype=np.uint64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vec2face")
    write_checkpoint(folder / "vec2face_generator.pth")
    write_pose_checkpoint(folder / "pose_model.pth")
    return folder


@pytest.fixture(scope="module")
def generator(folder):
    return Vec2Face(weights=str(folder / "vec2face_generator.pth"), **HEADS)


@pytest.fixture(scope="module")
def posed(folder):
    return Vec2Face(weights=str(folder / "pose_model.pth"), poses=Poses(), **HEADS)


@pytest.fixture(scope="module")
def generated(generator):
    return generator.generate(VECTORS, INDICES, SEEDS)


def test_images_and_truth_have_the_declared_types(generated):
    assert generated.images.shape == (10, 112, 112, 3)
    assert generated.images.dtype == np.uint8
    assert set(generated.truth) == set(Vec2Face.truth)
    for name, column in Vec2Face.truth.items():
        column.check(name, generated.truth[name])


def test_another_batch_changes_a_value_by_one_level_at_most(generator, generated):
    order = [7, 0, 3]

    apart = generator.generate(VECTORS[order], INDICES[order], SEEDS[order])

    difference = np.abs(apart.images.astype(int) - generated.images[order])
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.001
    for name, values in apart.truth.items():
        assert np.array_equal(values, generated.truth[name][order])


def test_the_same_batch_gives_the_same_bytes_in_another_process(folder, generator):
    code = (
        "import sys, numpy as np\n"
        "from tests.synth.generators.test_vec2face import HEADS, INDICES, SEEDS, VECTORS\n"
        "from synth.generators.vec2face import Vec2Face\n"
        "made = Vec2Face(weights=sys.argv[1], **HEADS).generate(VECTORS[:3], INDICES[:3], SEEDS[:3])\n"
        "sys.stdout.buffer.write(made.images.tobytes())\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", code, str(folder / "vec2face_generator.pth")], capture_output=True, check=True
    )

    assert result.stdout == generator.generate(VECTORS[:3], INDICES[:3], SEEDS[:3]).images.tobytes()


def test_another_seed_another_vector_and_another_index_give_another_image(generator):
    row = [0, 0, 0, 5]  # row 5 is the second identity
    indices = np.array([0, 0, 2, 0], dtype=np.int32)
    seeds = np.array([100, 101, 100, 100], dtype=np.uint64)

    images = generator.generate(VECTORS[row], indices, seeds).images.astype(int)

    for other in (1, 2, 3):
        assert np.abs(images[other] - images[0]).mean() > 3


def test_each_identity_has_the_published_mix_of_perturbations(generated):
    for identity in range(2):
        strengths = generated.truth["perturbation"][identity * 5 : identity * 5 + 5]
        assert sorted(strengths.tolist()) == pytest.approx([0.3, 0.3, 0.5, 0.5, 0.7])


def test_mask_rates_are_each_samples_own_and_within_their_limits(folder, generated):
    rates = generated.truth["mask_rate"]
    assert len(set(rates.tolist())) == 10
    assert rates.min() >= 0.1

    fixed = Vec2Face(
        weights=str(folder / "vec2face_generator.pth"),
        mask_rates=MaskRates(least=0.4, most=0.45, peak=0.4, spread=0.1),
        **HEADS,
    )
    assert set(fixed.generate(VECTORS[:3], INDICES[:3], SEEDS[:3]).truth["mask_rate"] // 0.05) == {8.0}


def test_global_random_state_is_left_alone(generator):
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002

    generator.generate(VECTORS[:1], INDICES[:1], SEEDS[:1])

    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


def test_read_only_vectors_are_fine(generator):
    vectors = VECTORS[:1].copy()
    vectors.setflags(write=False)

    assert generator.generate(vectors, INDICES[:1], SEEDS[:1]).images.shape == (1, 112, 112, 3)


def test_unit_vectors_are_refused(generator):
    unit = VECTORS[:2] / np.linalg.norm(VECTORS[:2], axis=1, keepdims=True)

    with pytest.raises(VectorsError, match="do not normalise"):
        generator.generate(unit, INDICES[:2], SEEDS[:2])


def test_reduced_precision_gives_about_the_same_image(folder, generated):
    quick = Vec2Face(weights=str(folder / "vec2face_generator.pth"), precision="bfloat16", **HEADS)

    images = quick.generate(VECTORS[:2], INDICES[:2], SEEDS[:2]).images

    assert np.abs(images.astype(int) - generated.images[:2]).mean() < 8


def test_poses_are_drawn_for_each_sample_and_change_the_image(folder, posed):
    rows = VECTORS[:3], INDICES[:3], SEEDS[:3]

    made = posed.generate(*rows)

    assert len(set(made.truth["asked_yaw"].tolist())) == 3
    assert np.abs(made.truth["asked_yaw"]).max() <= 60
    assert np.abs(made.truth["asked_pitch"]).max() <= 15
    assert (made.truth["mask_rate"] >= 0.8).all()
    ahead = Vec2Face(
        weights=str(folder / "pose_model.pth"),
        poses=Poses(yaw_degrees=(0.0, 0.0), pitch_degrees=(0.0, 0.0)),
        **HEADS,
    ).generate(*rows)
    assert (ahead.images != made.images).any(axis=(1, 2, 3)).all()


def test_posed_images_do_not_depend_on_their_batch(posed):
    made = posed.generate(VECTORS[4:7], INDICES[4:7], SEEDS[4:7])
    apart = posed.generate(VECTORS[5:6], INDICES[5:6], SEEDS[5:6])

    assert np.abs(apart.images.astype(int) - made.images[1:2]).max() <= 1
    assert apart.truth["asked_yaw"] == made.truth["asked_yaw"][1]


def test_the_pose_model_works_without_a_pose_and_from_safetensors(folder, tmp_path):
    content = torch.load(folder / "pose_model.pth", weights_only=True)
    flat = {f"{part}.{name}": value for part, tensors in content.items() for name, value in tensors.items()}
    safetensors.torch.save_file(flat, tmp_path / "pose_model.safetensors")

    plain = Vec2Face(weights=str(folder / "pose_model.pth"), **HEADS).generate(VECTORS[:1], INDICES[:1], SEEDS[:1])
    converted = Vec2Face(weights=str(tmp_path / "pose_model.safetensors"), poses=Poses(), **HEADS)

    assert plain.truth["asked_yaw"].tolist() == [0]
    assert plain.truth["mask_rate"].max() < 0.8
    assert converted.generate(VECTORS[:1], INDICES[:1], SEEDS[:1]).images.shape == (1, 112, 112, 3)


def test_pictures_of_landmarks_take_the_place_of_drawn_ones(folder, tmp_path):
    pictures = tmp_path / "landmarks"
    pictures.mkdir()
    for number, level in enumerate((0, 255)):
        Image.fromarray(np.full((112, 112, 3), level, np.uint8)).save(pictures / f"{number}.png")
    options = {"weights": str(folder / "pose_model.pth"), "poses": {"pictures": str(pictures)}} | HEADS

    made = build(ComponentSpec("generator", "vec2face", options)).generate(VECTORS[:2], INDICES[:2], SEEDS[:2])

    assert made.truth["asked_yaw"].tolist() == [0, 0]
    assert [file.path.name for file in Vec2Face.weight_files(options)] == ["pose_model.pth", "0.png", "1.png"]


def test_a_folder_without_pictures_is_named(folder, tmp_path):
    with pytest.raises(WeightsError, match="empty"):
        Vec2Face(weights=str(folder / "pose_model.pth"), poses=Poses(pictures=str(tmp_path / "empty")), **HEADS)


def test_a_configuration_builds_it_with_groups_of_options(folder):
    options = {
        "weights": str(folder / "vec2face_generator.pth"),
        "perturbation": {0.2: 0.5, 0.6: 0.5},
        "mask_rates": {"most": 0.5},
        **HEADS,
    }

    built = build(ComponentSpec("generator", "vec2face", options))

    made = built.generate(VECTORS[:4], INDICES[:4], SEEDS[:4])
    assert made.truth["perturbation"].tolist() == pytest.approx([0.2, 0.6, 0.2, 0.6])
    assert made.truth["mask_rate"].max() <= 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"perturbation": {0.3: 0.5}}, "sum to 1"),
        ({"perturbation": {-0.3: 1.0}}, "strengths"),
        ({"mask_rates": {"least": 0.6}}, "peak"),
        ({"encoder_heads": 3}, "heads"),
        ({"encoder_heads": 0}, "at least 1"),
        ({"device": "tpu"}, "tpu"),
        ({"precision": "float8"}, "precision"),
        ({"poses": {"yaw_degrees": [30, -30]}}, "yaw_degrees"),
        ({"poses": {"dot_size": 2}}, "dot_size"),
        ({"attributes": {"recogniser": "a", "quality_estimator": "b", "yaw_degrees": [0, 60]}}, "pose_estimator"),
    ],
)
def test_bad_options_are_refused_by_name(folder, options, message):
    options = {"weights": str(folder / "vec2face_generator.pth"), **HEADS, **options}

    with pytest.raises(ComponentError, match=message):
        build(ComponentSpec("generator", "vec2face", options))


def test_missing_files_are_listed_with_their_origin(tmp_path):
    options = {
        "weights": str(tmp_path / "main_model.pth"),
        "attributes": {"recogniser": "r.pth", "quality_estimator": "q.pth", "pose_estimator": "p.pth"},
    }

    with pytest.raises(WeightsError, match=r"main_model.pth: missing.*\n.*r.pth: missing(.|\n)*BooBooWu/Vec2Face"):
        build(ComponentSpec("generator", "vec2face", options))

    files = Vec2Face.weight_files(options)
    assert [file.name for file in files] == [
        "vec2face_plus/main_model.pth",
        "weights/arcface-r100-glint360k.pth",
        "weights/magface-r100-glint360k.pth",
        "weights/6DRepNet_300W_LP_AFLW2000.pth",
    ]


def test_the_generator_and_its_pose_network_may_be_two_files():
    options = {"weights": "main_model.pth", "pose_weights": "pose_model.safetensors", "poses": {}}

    files = Vec2Face.weight_files(options)

    assert [file.name for file in files] == ["vec2face_plus/main_model.pth", "vec2face_plus/pose_model.pth"]


@pytest.mark.parametrize("pose_weights", [None, "pose_model.pth"])
def test_a_checkpoint_that_was_not_trained_for_poses_cannot_be_asked_for_them(folder, pose_weights):
    weights = str(folder / "vec2face_generator.pth")
    other = None if pose_weights is None else str(folder / pose_weights)

    with pytest.raises(
        WeightsError, match=r"vec2face_generator\.pth: has no low-rank terms.*pose_model\.pth of Vec2Face"
    ):
        Vec2Face(weights=weights, pose_weights=other, poses=Poses(), **HEADS)


def test_numbers_that_overflow_are_told(folder, tmp_path):
    content = torch.load(folder / "vec2face_generator.pth", weights_only=True)
    content["model_vec2face"]["im_decoder.conv_out.bias"][:] = 6e4  # 65,504 is the most that float16 can say
    content["model_vec2face"]["im_decoder.conv_out.weight"] *= 1e5
    torch.save(content, tmp_path / "loud.pth")

    generator = Vec2Face(weights=str(tmp_path / "loud.pth"), precision="float16", **HEADS)

    with pytest.raises(PrecisionError, match="use `precision: bfloat16`"):
        generator.generate(VECTORS, INDICES, SEEDS)


def test_attribute_optimisation_reports_what_it_reached(folder, tmp_path):
    options = {
        "weights": str(folder / "vec2face_generator.pth"),
        "attributes": {**write_estimators(tmp_path), "quality": 0.0, "similarity": -1.0, "max_steps": 2},
        **HEADS,
    }
    generator = build(ComponentSpec("generator", "vec2face", options))

    easy = generator.generate(VECTORS[:2], INDICES[:2], SEEDS[:2])

    for name, column in Vec2Face.truth.items():
        column.check(name, easy.truth[name])
    assert easy.truth["optimised"].all()
    assert easy.truth["optimised_steps"].tolist() == [0, 0]
    assert (easy.truth["optimised_quality"] > 0).all()


def test_attributes_that_are_met_at_once_leave_the_image_as_it_was(folder, tmp_path, generated):
    attributes = {**write_estimators(tmp_path), "quality": 0.0, "similarity": -1.0}
    options = {"weights": str(folder / "vec2face_generator.pth"), "attributes": attributes, **HEADS}

    made = build(ComponentSpec("generator", "vec2face", options)).generate(VECTORS[:2], INDICES[:2], SEEDS[:2])

    assert np.abs(made.images.astype(int) - generated.images[:2]).max() <= 1


def test_attribute_optimisation_moves_posed_vectors_and_stops_at_its_cap(folder, tmp_path):
    def made(steps, rows):
        targets = {"quality": 1e4, "yaw_degrees": [20.0, 70.0], "max_steps": steps, "learning_rate": 0.01}
        attributes = {**write_estimators(tmp_path), **targets}
        options = {"weights": str(folder / "pose_model.pth"), "poses": {}, "attributes": attributes, **HEADS}
        built = build(ComponentSpec("generator", "vec2face", options))
        return built.generate(VECTORS[rows], INDICES[rows], SEEDS[rows])

    before, after, alone = made(0, [0, 5]), made(2, [0, 5]), made(2, [5])

    assert not after.truth["optimised"].any()
    assert after.truth["optimised_steps"].tolist() == [2, 2]
    assert (after.truth["optimised_quality"] > before.truth["optimised_quality"]).all()
    assert (after.images != before.images).any(axis=(1, 2, 3)).all()
    assert np.array_equal(alone.images[0], after.images[1])
    for name, column in Vec2Face.truth.items():
        column.check(name, after.truth[name])
        assert np.array_equal(alone.truth[name][0], after.truth[name][1])


def test_compiling_is_refused_where_gradients_go_through(folder, tmp_path):
    options = {"weights": str(folder / "vec2face_generator.pth"), "attributes": write_estimators(tmp_path), **HEADS}

    with pytest.raises(ComponentError, match="compile"):
        build(ComponentSpec("generator", "vec2face", options | {"compile": True}))


def test_checking_a_configuration_needs_no_torch():
    code = (
        "import sys; from synth.components import ComponentSpec, check; "
        "check(ComponentSpec('generator', 'vec2face', {'weights': 'a.pth'})); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_options_survive_a_json_file():
    options = {"weights": "a.pth", "perturbation": {0.3: 1.0}, "poses": {"yaw_degrees": [-30.0, 30.0]}}

    arguments = check(ComponentSpec("generator", "vec2face", json.loads(json.dumps(options | {"perturbation": None}))))

    assert arguments["poses"] == Poses(yaw_degrees=(-30.0, 30.0))


@pytest.mark.skipif(not PARITY.is_dir(), reason=f"no outputs of the published code at {PARITY}")
def test_pixels_are_those_of_the_published_code():
    stored = np.load(PARITY / "vec2face/io.npz")
    heads = {"encoder_heads": 4, "decoder_heads": 4}
    generator = Vec2Face(weights=str(PARITY / "vec2face/vec2face_tiny.pth"), **heads)
    rates = torch.full((4,), float(stored["a_mask_rate"]))
    masks = masks_of(torch.from_numpy(stored["a_noise"]), rates, 0.1)

    with torch.inference_mode():
        ours = _pixels(generator._network(torch.from_numpy(stored["rep"]), masks))

    theirs = ((stored["a_image"].transpose(0, 2, 3, 1) + 1) / 2 * 255).clip(0, 255).astype(np.uint8)
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.001
