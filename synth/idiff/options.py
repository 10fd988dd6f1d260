"""How a latent diffusion is sampled; known without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from synth.guidance import check_guidance

Scheduler: TypeAlias = Literal["ddpm", "ddim", "dpm"]
Negative: TypeAlias = Literal["empty", "opposite", "random", "farthest", "closest"]

FEW_STEPS = {"ddim": 50, "dpm": 20}
SAME = 0.999
"""Cosine from which a vector to steer away from counts as the person himself."""
ALL_THE_SAME = 2 * SAME**2 - 1
"""Vectors all closer than this to one of them may all be the same person as a further vector (the double angle)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a latent diffusion is sampled.

    Attributes:
        scheduler: 'ddpm' takes all steps with fresh noise at each, 'ddim' and 'dpm' few of them without.
        steps: of the scheduler; None: all, 50 and 20.
        guidance: strength, 1..30; 1 is none, at half the cost.
        negative: what guidance steers away from: nobody, or somebody else (`synth.idiff.negatives`).
        two_stage: UIFace's sampling (`synth.idiff.two_stage`).

    Raises:
        ValueError: a number is out of range, or two do not go together.
    """

    scheduler: Scheduler = "ddim"
    steps: int | None = None
    guidance: float = 1.0
    negative: Negative = "empty"
    two_stage: bool = False

    def __post_init__(self) -> None:
        check_guidance(self.guidance)
        if self.negative != "empty" and self.guidance == 1:
            raise ValueError(f"negative '{self.negative}' does nothing at guidance 1; NegFaceDiff takes guidance 1.5")
        if self.two_stage and self.scheduler != "ddim":
            raise ValueError(f"two_stage goes with scheduler 'ddim' alone, got '{self.scheduler}'")
        if self.two_stage and self.negative != "empty":
            raise ValueError("two_stage steers away from the empty context; leave `negative` out")

    def num_steps(self, total: int) -> int:
        """Returns the number of steps taken of a noise schedule of `total`.

        Raises:
            ValueError: there are not that many.
        """
        wanted = FEW_STEPS.get(self.scheduler, total) if self.steps is None else self.steps
        if self.scheduler == "ddpm" and wanted != total:
            raise ValueError(f"steps {wanted}: 'ddpm' takes all {total}; leave `steps` out, or take 'ddim' or 'dpm'")
        most = total - 1 if self.scheduler == "dpm" else total
        if not 1 <= wanted <= most:
            raise ValueError(f"steps {wanted}: expected 1 to {most} with '{self.scheduler}' and these weights")
        return wanted
