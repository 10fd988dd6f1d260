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
