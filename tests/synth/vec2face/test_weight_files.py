import pytest

from synth.vec2face.weight_files import vec2face_files

GENERATOR = ("BooBooWu/Vec2Face", "weights/vec2face_generator.pth")
MAIN = ("BooBooWu/Vec2Face_plus", "vec2face_plus/main_model.pth")
POSE = ("BooBooWu/Vec2Face_plus", "vec2face_plus/pose_model.pth")


def sources(**options):
    return [(file.repo, file.name) for file in vec2face_files(options)]


@pytest.mark.parametrize("poses", [None, {}])
@pytest.mark.parametrize(
    ("name", "source"), [("vec2face_generator", GENERATOR), ("main_model", MAIN), ("pose_model", POSE)]
)
def test_a_published_name_stands_for_that_model_with_and_without_poses(name, source, poses):
    assert sources(weights=f"w/{name}.pth", poses=poses) == [source]
    assert sources(weights="pose_model.pth", poses={}, pose_weights=f"w/{name}.pth") == [POSE, source]


def test_another_name_stands_for_the_model_that_the_options_need():
    assert sources(weights="mine.pth") == [GENERATOR]
    assert sources(weights="mine.pth", poses={}) == [POSE]
    assert sources(weights="main_model.pth", poses={}, pose_weights="mine.pth") == [MAIN, POSE]


def test_a_converted_model_is_never_fetched_but_made_of_the_published_one():
    options = {"weights": "main_model.safetensors", "poses": {}, "pose_weights": "pose_model.safetensors"}

    files = vec2face_files(options)

    assert [(file.repo, file.name) for file in files] == [(None, MAIN[1]), (None, POSE[1])]
    assert "`synth weights convert pose_model.pth pose_model.safetensors`" in files[1].way_out
