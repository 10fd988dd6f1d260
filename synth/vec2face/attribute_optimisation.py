"""Attribute optimisation: moves each vector until its image has the wanted quality, pose and identity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from synth.networks.iresnet import load_iresnet
from synth.networks.sixdrepnet import load_sixdrepnet, yaw_degrees
from synth.vec2face.options import AttributeTargets

_DECAYS: Final = (0.9, 0.999)  # of Adam's two means, as usual
_EPSILON: Final = 1e-8
_IDENTITY_WEIGHT: Final = 100.0  # of 1 - cosine against one of quality and one degree, as published

ImagesOf = Callable[[Tensor, Tensor], Tensor]
"""Maps vectors (b, D) and the rows of the batch that they are, int64 (b,), to images (b, 3, 112, 112), about -1..1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The image of each row, and what was measured on that very image.

    Attributes:
        images: float32 (B, 3, 112, 112), RGB, -1..1.
        met: bool (B,), whether it has all that was asked; otherwise it is the nearest that was found.
        steps: int32 (B,), changes of the vector before it.
        quality: float32 (B,).
        similarity: float32 (B,), cosine to the identity's vector.
        yaw: float32 (B,), degrees; 0 where no yaw was asked for.
        losses: float32 (B,), what was minimised.
    """

    images: Tensor
    met: Tensor
    steps: Tensor
    quality: Tensor
    similarity: Tensor
    yaw: Tensor
    losses: Tensor


class AttributeOptimiser:
    """Gradient steps on the vectors themselves, the "AttrOP" of Vec2Face (Wu et al. 2025).

    Each row has its own criterion and its own Adam (Kingma and Ba 2015, algorithm 1), keeps one mask throughout, and
    leaves the work as soon as its image is good; what is returned is the image that was judged. After `max_steps`
    a row returns the best image it had, so it always ends.

    Kernels round differently for another number of rows, and Adam turns a change of the last bit into another image
    within some steps. So the networks always see `rows_at_once` rows: the next row takes the place of one that has
    ended, and a place that no row needs repeats one. On a CPU a row is then the same bit by bit whatever its place
    and whatever rows are beside it; on a GPU we have not measured it.

    Args:
        targets: what is asked, and the files of the estimators.
        device: to compute on.

    Raises:
        WeightsError: an estimator's file is missing, damaged or of another network.
    """

    def __init__(self, targets: AttributeTargets, device: torch.device) -> None:
        self._targets = targets
        self._recogniser = _frozen(load_iresnet(Path(targets.recogniser)), device)
        self._quality = _frozen(load_iresnet(Path(targets.quality_estimator)), device)
        self._pose: nn.Module | None = None
        if targets.yaw_degrees is not None and targets.pose_estimator is not None:
            self._pose = _frozen(load_sixdrepnet(Path(targets.pose_estimator)), device)
        # 1 - decay ** step, by the steps before: a power of a tensor would be rounded by the row's place.
        unbias = [[1 - decay ** (step + 1) for step in range(targets.max_steps + 1)] for decay in _DECAYS]
        self._unbias = torch.tensor(unbias, device=device)

    def optimise(self, images_of: ImagesOf, start: Tensor, identities: Tensor, yaw_targets: Tensor) -> Outcome:
        """Moves vectors until their images are good.

        Args:
            images_of: the generator; the same row gives the same image of the same vector. It always gets
                `rows_at_once` rows, some of them more than once where fewer are left.
            start: float32 (B, D), vectors to begin with.
            identities: float32 (B, D), whose identity the images have to keep.
            yaw_targets: float32 (B,), 0..90 degrees to either side; not used unless a yaw is asked for.
        """
        vectors, moments = start.clone(), torch.zeros(2, *start.shape, device=start.device)
        steps = torch.zeros(len(start), dtype=torch.int64, device=start.device)
        places = torch.arange(self._targets.rows_at_once, device=start.device)
        rows, is_open = places % len(start), places < len(start)
        begun = len(places)
        outcome: Outcome | None = None
        while is_open.any():
            moving = vectors[rows].requires_grad_(True)
            made = images_of(moving, rows).float()
            images = torch.where(made.isinf(), torch.nan, made.clamp(-1, 1))  # what overflowed is not taken for white
            losses, found = self._judged(images, identities[rows], yaw_targets[rows], steps[rows])
            outcome = outcome or _empty_like(found, len(start))
            _keep_best(outcome, found, rows, is_open)
            goes_on = is_open & ~found.met & (steps[rows] < self._targets.max_steps)
            if goes_on.any():
                (gradient,) = torch.autograd.grad(losses.sum(), moving)
                moved = vectors[rows] - self._adam_step(moments, rows, goes_on, gradient, steps[rows])
                vectors[rows[goes_on]] = moved[goes_on]
                steps[rows[goes_on]] += 1
            free = (is_open & ~goes_on).nonzero()[:, 0]
            following = torch.arange(begun, begun + len(free), device=start.device)
            following = following[following < len(start)]
            begun += len(following)
            rows[free[: len(following)]] = following
            is_open[free[len(following) :]] = False
        assert outcome is not None
        return outcome

    def _judged(self, images: Tensor, identities: Tensor, yaw_targets: Tensor, steps: Tensor) -> tuple[Tensor, Outcome]:
        """Compares images (b, 3, 112, 112) with what is asked; returns what to minimise, (b,), and what was found."""
        targets = self._targets
        similarity = functional.cosine_similarity(self._recogniser(images), identities)
        quality = self._quality(images).norm(dim=1)
        shortfall = (targets.quality - quality).clamp(min=0)
        losses = _IDENTITY_WEIGHT * (1 - similarity) + shortfall
        met = (similarity >= targets.similarity) & (shortfall <= targets.quality_slack)
        yaw = torch.zeros_like(quality)
        if self._pose is not None:
            yaw = yaw_degrees(self._pose((images.flip(1) + 1) / 2))  # BGR, 0..1, not normalised further, as published
            missed = (yaw_targets - yaw.abs()).abs()
            losses = losses + missed
            met = met & (missed <= targets.yaw_slack_degrees)
        found = (images, met, steps.to(torch.int32), quality, similarity, yaw, losses)
        return losses, Outcome(*(values.detach() for values in found))

    def _adam_step(self, moments: Tensor, rows: Tensor, goes_on: Tensor, gradient: Tensor, steps: Tensor) -> Tensor:
        """Returns how far the vectors of rows move, (b, D), and updates the moments, (2, B, D), of those that go on."""
        first = _DECAYS[0] * moments[0, rows] + (1 - _DECAYS[0]) * gradient
        second = _DECAYS[1] * moments[1, rows] + (1 - _DECAYS[1]) * gradient.square()
        moments[0, rows[goes_on]], moments[1, rows[goes_on]] = first[goes_on], second[goes_on]
        unbias = self._unbias[:, steps, None]
        return self._targets.learning_rate * (first / unbias[0]) / ((second / unbias[1]).sqrt() + _EPSILON)


def _empty_like(found: Outcome, count: int) -> Outcome:
    """Returns an outcome of that many rows, which nothing has been found for."""
    return Outcome(*(values.new_zeros(count, *values.shape[1:]) for values in _values(found)))


def _keep_best(outcome: Outcome, found: Outcome, rows: Tensor, is_open: Tensor) -> None:
    """Puts what was found for open rows into the outcome where it is the first, good, or better than what is there."""
    better = is_open & ((found.steps == 0) | found.met | (found.losses < outcome.losses[rows]))
    for kept, values in zip(_values(outcome), _values(found), strict=True):
        kept[rows[better]] = values[better]


def _values(outcome: Outcome) -> tuple[Tensor, ...]:
    return tuple(getattr(outcome, name) for name in Outcome.__slots__)


def _frozen(network: nn.Module, device: torch.device) -> nn.Module:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.to(device).eval().requires_grad_(False)
