"""Names of embedding spaces: to which recogniser's weights an identity vector or an embedding belongs.

Two networks trained alike still put the same face at unrelated places, so a vector is useless to a generator made
for another network. A space is therefore named after one set of weights, never after an architecture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SFACE: Final = "sface"
ARCFACE_WEBFACE42M: Final = "arcface_webface42m"
ARCFACE_GLINT360K: Final = "arcface_glint360k"
ELASTICFACE_MS1MV2: Final = "elasticface_ms1mv2"
ANTELOPEV2: Final = "antelopev2"
BUFFALO_L: Final = "buffalo_l"

SPACES: Mapping[str, str] = {
    SFACE: "SFace of OpenCV Zoo, 128-D; comes with synth as recogniser yunet_sface",
    ARCFACE_WEBFACE42M: "ArcFace IR-100 trained on WebFace42M, 512-D: arcface.onnx of FoivosPar/Arc2Face",
    ARCFACE_GLINT360K: "ArcFace IR-100 trained on Glint360K, 512-D: arcface-r100-glint360k.pth of BooBooWu/Vec2Face",
    ELASTICFACE_MS1MV2: "ElasticFace-Arc IR-100 trained on MS1MV2, 512-D: 295672backbone.pth",
    ANTELOPEV2: "glintr100.onnx of insightface's pack antelopev2, 512-D",
    BUFFALO_L: "w600k_r50.onnx of insightface's pack buffalo_l, 512-D",
}


def named(space: str | None) -> str:
    """Returns how a message names a space; None is none at all."""
    return "no recogniser's space" if space is None else f"space '{space}'"
