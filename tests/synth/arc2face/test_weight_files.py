import os
import subprocess
import sys
from pathlib import Path

from synth.arc2face.weight_files import encoder_weights
from synth.generators.arc2face import Arc2Face

ROOT = Path(__file__).parents[3]


def listed(weights):
    """Returns what the generator says it reads of the encoder's folder."""
    paths = [file.path for file in Arc2Face.weight_files({"weights": str(weights), "base": "base"})]
    return {path for path in paths if path.parent == weights / "encoder"}


def test_the_weights_that_are_listed_are_those_that_are_read(tmp_path):
    encoder = tmp_path / "encoder"
    encoder.mkdir()

    assert encoder_weights(encoder) == encoder / "pytorch_model.bin"
    assert listed(tmp_path) == {encoder / "config.json", encoder / "pytorch_model.bin"}

    (encoder / "pytorch_model.bin").touch()
    (encoder / "model.safetensors").touch()

    assert encoder_weights(encoder) == encoder / "model.safetensors"
    assert listed(tmp_path) == {encoder / "config.json", encoder / "model.safetensors"}


def test_the_files_are_known_without_torch():
    code = "import sys, synth.generators.arc2face; sys.exit('torch' in sys.modules)"

    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
