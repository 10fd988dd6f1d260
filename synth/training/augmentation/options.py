"""How strongly training images are changed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, le=0.9)]


class Augmentation(BaseModel):
    """What may happen to a training image; 0 switches a change off.

    The defaults are DigiFace-1M's (Bae et al. 2023, section 4), whose synthetic training set gained more from them than
    from anything else: changes of appearance and a warp.

    Attributes:
        flip: probability of mirroring.
        scale: largest change of size, as a share.
        rotation: largest turn, degrees.
        shift: largest move, as a share of the side.
        aspect: largest change of the ratio of width and height, as a share.
        corners: largest move of each corner by itself, as a share of the side.
        brightness: largest change of brightness, as a share.
        contrast: largest change of contrast, as a share.
        saturation: largest change of saturation, as a share.
        hue: largest turn of the hue, as a share of the full circle.
        shade: largest change of brightness from one side of the picture to the other, as a share.
        grey: probability of losing all colour.
        blur: probability of a Gaussian blur.
        motion_blur: probability of a blur along a line.
        noise: probability of sensor noise.
        low_resolution: probability of being scaled down and up again.
        jpeg: probability of the rounding of a low JPEG quality.
        erase: probability that a rectangle is covered by noise (Zhong et al. 2020, "Random Erasing").
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    flip: Probability = 0.5
    scale: Share = 0.1
    rotation: Annotated[float, Field(ge=0, le=180)] = 10.0
    shift: Share = 0.05
    aspect: Share = 0.1
    corners: Annotated[float, Field(ge=0, le=0.3)] = 0.05
    brightness: Share = 0.15
    contrast: Share = 0.3
    saturation: Share = 0.1
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    shade: Share = 0.0
    grey: Probability = 0.01
    blur: Probability = 0.05
    motion_blur: Probability = 0.05
    noise: Probability = 0.035
    low_resolution: Probability = 0.01
    jpeg: Probability = 0.05
    erase: Probability = 0.0
