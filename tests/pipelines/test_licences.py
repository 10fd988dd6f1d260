import pytest

from pipelines.licences import Licence, strictest
from synth.components import available, resolve
from synth.faces.insightface_packs import LICENSE as OF_PACKS
from synth.idiff.weight_files import idiff_files
from synth.vec2face.weight_files import vec2face_files

RESEARCH_ONLY = "non-commercial-research-only"


def named(*statements):
    found = strictest(statements)
    return (found.identifier, found.name)


def test_each_step_of_the_order_is_stricter_than_the_one_before():
    order = ["CC0 1.0", "CC BY 4.0", "CC BY-SA 4.0", "CreativeML OpenRAIL-M", "CC BY-NC 4.0", "CC BY-NC-SA 4.0"]
    order += ["non-commercial research only", "terms of the moon"]
    expected = ["cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "openrail", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "other", "other"]

    for at, identifier in enumerate(expected):
        assert named(*order[: at + 1])[0] == identifier
        assert named(*reversed(order[: at + 1]))[0] == identifier


def test_identifiers_of_the_hub_are_understood():
    identifiers = ["cc0-1.0", "mit", "bsd-3-clause", "apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "openrail"]
    for identifier in [*identifiers, "cc-by-nc-4.0", "cc-by-nc-sa-4.0"]:
        assert named(identifier) == (identifier, "")


def test_licences_of_software_leave_the_images_with_the_generators_licence():
    assert named("cc0-1.0", "MIT (YuNet), Apache-2.0 (SFace)") == ("cc0-1.0", "")


def test_what_a_model_was_trained_on_counts():
    assert named("MIT; tuned from Stable Diffusion 1.5 (CreativeML OpenRAIL-M) on images under CC BY-NC-SA 4.0") == (
        "cc-by-nc-sa-4.0",
        "",
    )
    assert named("MIT; trained on WebFace4M") == ("other", RESEARCH_ONLY)
    assert named("cc0-1.0", OF_PACKS) == ("other", RESEARCH_ONLY)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("", "not-stated"),
        ("that of what was embedded", "that-of-what-was-embedded"),
        ("not stated by its authors; trained on WebFace4M", "not-stated-by-its-authors-trained-on-webface4m"),
        ("Emitted by a committee", "emitted-by-a-committee"),  # holds the letters of MIT
        ("CC BY-NC-ND 4.0", "cc-by-nc-nd-4.0"),
        ("see /home/me/weights/MODEL.LICENSE", "model.license"),
    ],
)
def test_what_is_not_known_counts_as_the_strictest_and_keeps_its_name(statement, name):
    assert named("non-commercial research only", statement, "cc0-1.0") == ("other", name)


def test_of_equally_strict_ones_the_first_counts():
    assert strictest(["mit", "cc0-1.0"]).identifier == "mit"


def test_known_licences_have_a_page():
    assert strictest(["cc0-1.0"]) == Licence(identifier="cc0-1.0", url="https://spdx.org/licenses/CC0-1.0.html")


def test_no_terms_at_all_are_a_mistake():
    with pytest.raises(ValueError, match="no terms"):
        strictest([])


def test_published_generators_give_no_free_dataset():
    vec2face = vec2face_files({"weights": "vec2face_generator.pth"})
    idiff = idiff_files({"weights": "a.ckpt", "first_stage": "b.pt"})

    for files in (vec2face, idiff):
        assert named(*(file.license for file in files))[0] == "other"


def test_generators_without_weights_state_a_licence_of_their_own():
    assert {"rendered"} <= set(available("generator"))
    assert named(resolve("generator", "rendered").license, resolve("recogniser", "yunet_sface").license) == (
        "cc0-1.0",
        "",
    )
