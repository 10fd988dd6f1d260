import yaml

from synth.exporters.base import Card


def test_a_card_keeps_the_order_of_its_fields_and_adds_the_layout():
    card = Card(front_matter={"license": "cc0-1.0", "pretty_name": "Gesichter für alle"}, text="\n# Faces\n\n")

    text = card.render({"configs": [{"config_name": "default"}]})

    start, block, rest = text.split("---\n")
    assert start == ""
    assert rest == "\n# Faces\n"
    assert "Gesichter für alle" in block
    assert list(yaml.safe_load(block)) == ["license", "pretty_name", "configs"]
