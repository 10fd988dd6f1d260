"""Groups of options of the generator `vec2face`: one documented field each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

Range = tuple[float, float]
Colour = tuple[int, int, int]

_RED: Final[Colour] = (255, 0, 0)
_GREEN: Final[Colour] = (0, 255, 0)
_BLUE: Final[Colour] = (0, 0, 255)


@dataclass(frozen=True, kw_only=True)
class MaskRates:
    """Share of the 49 tokens that are masked: a normal draw of each sample, cut off at both ends.

    Attributes:
        least: smallest share, at least 0; so many tokens are dropped from the encoder of every sample.
        most: largest share, at most 1.
        peak: most likely share, between the two.
        spread: standard deviation before it is cut.

    Raises:
        ValueError: they are not ordered or the spread is not above 0.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    least: float = 0.1
    most: float = 1.0
    peak: float = 0.15
    spread: float = 0.25

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.peak <= self.most <= 1:
            raise ValueError(
                f"mask_rates: expected 0 <= least <= peak <= most <= 1, got {self.least}, {self.peak}, {self.most}"
            )
        if not self.spread > 0:
            raise ValueError(f"mask_rates.spread: expected a number above 0, got {self.spread}")


POSED_MASK_RATES: Final = MaskRates(least=0.8, most=0.9, peak=0.85, spread=0.05)
"""As published for generation with a pose."""


@dataclass(frozen=True, kw_only=True)
class Poses:
    """Which poses Vec2Face+ is asked for: a turn drawn for each sample, shown to the network as five dots.

    The network was trained on pictures of the five landmarks of aligned faces. The program that drew them is not
    published, so the dots' look is a best guess from what is known of them; `pictures` takes published ones instead.

    Attributes:
        yaw_degrees: limits of the uniform turn to a side, positive to the person's left.
        pitch_degrees: limits of the uniform nod, positive up.
        dot_radius_px: of a dot, in the 112 px picture.
        dot_colours: RGB of the five dots on black: eyes, nose, mouth corners; the viewer's left one first.
        pictures: folder with 112 px pictures of landmarks, .png or .jpg, of which each sample takes one; the fields
            above then say nothing.

    Raises:
        ValueError: limits are not ordered or beyond 90 degrees, or a dot has no size or no colour.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    yaw_degrees: Range = (-60.0, 60.0)
    pitch_degrees: Range = (-15.0, 15.0)
    dot_radius_px: float = 3.0
    dot_colours: tuple[Colour, Colour, Colour, Colour, Colour] = (_RED, _RED, _GREEN, _BLUE, _BLUE)
    pictures: str | None = None

    def __post_init__(self) -> None:
        for name, limits in (("yaw_degrees", self.yaw_degrees), ("pitch_degrees", self.pitch_degrees)):
            if not -90 < limits[0] <= limits[1] < 90:
                raise ValueError(f"poses.{name}: expected least before most, both within -90 to 90, got {limits}")
        if not self.dot_radius_px > 0:
            raise ValueError(f"poses.dot_radius_px: expected a number above 0, got {self.dot_radius_px}")
        if not all(0 <= value <= 255 for colour in self.dot_colours for value in colour):
            raise ValueError(f"poses.dot_colours: expected numbers from 0 to 255, got {self.dot_colours}")


@dataclass(frozen=True, kw_only=True)
class AttributeTargets:
    """What attribute optimisation asks of each image, and how long it tries.

    Attributes:
        recogniser: file of the ArcFace network the vectors come from, arcface-r100-glint360k.pth.
        quality_estimator: file of the MagFace network whose embedding's length is the quality,
            magface-r100-glint360k.pth.
        pose_estimator: file of 6DRepNet, 6DRepNet_300W_LP_AFLW2000.pth; needed for a yaw only.
        quality: least quality.
        quality_slack: how far below `quality` an image may stay.
        similarity: least cosine between the image's embedding and the identity's vector.
        yaw_degrees: limits of the turn to either side, whose target is drawn for each sample; None: any turn.
        yaw_slack_degrees: how far from its target a turn may stay.
        max_steps: changes of the vector at most.
        learning_rate: of Adam on the vector.
        rows_at_once: images that are optimised together, whatever the batch; they take the memory of training. More
            are faster on a GPU; another number gives other images.

    Raises:
        ValueError: a number is out of range, or a yaw is asked for without an estimator.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    recogniser: str
    quality_estimator: str
    pose_estimator: str | None = None
    quality: float = 27.0
    quality_slack: float = 1.0
    similarity: float = 0.7
    yaw_degrees: Range | None = None
    yaw_slack_degrees: float = 5.0
    max_steps: int = 30
    learning_rate: float = 0.1
    rows_at_once: int = 8

    def __post_init__(self) -> None:
        if not -1 <= self.similarity <= 1:
            raise ValueError(f"attributes.similarity: expected a cosine, -1 to 1, got {self.similarity}")
        for name in ("quality", "quality_slack", "yaw_slack_degrees", "max_steps"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"attributes.{name}: expected at least 0, got {getattr(self, name)}")
        if not self.rows_at_once >= 1:
            raise ValueError(f"attributes.rows_at_once: expected at least 1, got {self.rows_at_once}")
        if not self.learning_rate > 0:
            raise ValueError(f"attributes.learning_rate: expected a number above 0, got {self.learning_rate}")
        if self.yaw_degrees is None:
            return
        if not 0 <= self.yaw_degrees[0] <= self.yaw_degrees[1] <= 90:
            raise ValueError(f"attributes.yaw_degrees: expected 0 <= least <= most <= 90, got {self.yaw_degrees}")
        if self.pose_estimator is None:
            raise ValueError("attributes.yaw_degrees: a yaw takes a pose_estimator, name its file or leave the yaw out")
