from tests.pipelines.weighted import weighted_config, write_weights
from tests.toy import run_toy


def test_a_file_that_two_components_read_has_its_licence_stated_for_both(tmp_path):
    write_weights(tmp_path)
    text = weighted_config(tmp_path).replace("recogniser.bin", "generator/encoder.bin")

    run, _ = run_toy(tmp_path / "run", text=text)

    card = (run.dataset / "README.md").read_text()
    assert card.startswith("---\nlicense: other\nlicense_name: non-commercial-research-only\n")
    assert "- weights of the generator tests.pipelines.weighted.WeightedVector: MIT; trained on paint" in card
    assert "- weights of the recogniser tests.pipelines.weighted.WeightedRecogniser: CC BY-NC 4.0\n" in card


def test_the_size_of_images_is_stated_however_they_are_cropped(tmp_path):
    aligned, _ = run_toy(tmp_path / "aligned")
    generated, _ = run_toy(tmp_path / "generated", "export.crop=generated", "images.encoding=png")

    assert "112x112 px, aligned to the ArcFace template, JPEG." in (aligned.dataset / "README.md").read_text()
    assert "64x64 px, as generated, PNG." in (generated.dataset / "README.md").read_text()
