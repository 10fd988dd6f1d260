"""The files that options of the generator `idiff` lead to, and where they are published; known without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from synth.idiff.published_folder import checkpoint_in, configuration_of
from synth.weights.files import WeightFile

_ORIGIN: Final = "https://github.com/fdbtrs/IDiff-Face (request form)"
_LICENSE: Final = (
    "IDiff-Face: CC BY-NC-SA 4.0 (trained on FFHQ, CC BY-NC-SA 4.0); NegFaceDiff: CC BY-NC 4.0; UIFace and ADMIS name "
    "none (trained on CASIA-WebFace)"
)
_FIRST_STAGE_LICENSE: Final = "published with IDiff-Face, CC BY-NC-SA 4.0 (CompVis latent diffusion, trained on FFHQ)"
_SIZE: Final = 865_000_000
_FIRST_STAGE_SIZE: Final = 132_000_000


def idiff_files(options: Mapping[str, Any]) -> list[WeightFile]:
    """Returns the checkpoint, the configuration beside it where there is one, the first stage and the negatives."""
    checkpoint = checkpoint_in(Path(options["weights"]))
    configuration, negatives = configuration_of(checkpoint), options.get("negative_vectors")
    files = [WeightFile(path=checkpoint, origin=_ORIGIN, license=_LICENSE, size=_SIZE)]
    if configuration is not None:
        files.append(WeightFile(path=configuration, origin=_ORIGIN, license=_LICENSE))
    first_stage = Path(options["first_stage"])
    files.append(WeightFile(path=first_stage, origin=_ORIGIN, license=_FIRST_STAGE_LICENSE, size=_FIRST_STAGE_SIZE))
    if negatives is not None:
        origin = "embeddings of ElasticFace-Arc, your own"
        files.append(WeightFile(path=Path(negatives), origin=origin, license="that of what was embedded"))
    return files
