"""How a recogniser is trained: numbers only."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """Steps, optimiser and learning rate.

    Attributes:
        steps: batches to train on, in all.
        batch_size: images of a batch, on each device.
        optimiser: 'sgd' with Nesterov's momentum, or 'adamw'.
        learning_rate: the highest, after the warm-up.
        momentum: of 'sgd'.
        weight_decay: of weights; normalisations, biases and PReLU slopes have none.
        max_gradient_norm: longer gradients are cut to it.
        schedule: how the learning rate falls: 'cosine' or 'poly' towards 0, or 'step', to a tenth at each milestone.
        milestones: of 'step', rising shares of all steps.
        power: of 'poly'.
        warmup_steps: in which the learning rate rises from 0.
        precision: of the backbone; heads always compute in float32. There is no float16, gradients underflow in it.
        average: share of the old in the running mean of the parameters that is judged and kept; 0 keeps the last ones.
        validate_every: steps between two looks at the held-out identities.
        checkpoint_every: steps between two checkpoints that a killed training goes on from.
        log_every: steps between two lines of the log.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    steps: Count
    batch_size: Annotated[int, Field(ge=2)] = 128  # a batch of one has no spread to normalise by
    optimiser: Literal["sgd", "adamw"] = "sgd"
    learning_rate: Rate = 0.1
    momentum: Share = 0.9
    weight_decay: Share = 5e-4
    max_gradient_norm: Rate = 5.0
    schedule: Literal["cosine", "step", "poly"] = "cosine"
    milestones: list[Annotated[float, Field(gt=0, lt=1)]] = [0.5, 0.75, 0.9]
    power: Rate = 1.0
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    average: Share = 0.0
    validate_every: Count = 200
    checkpoint_every: Count = 200
    log_every: Count = 20

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.warmup_steps > self.steps:
            raise ValueError(f"warmup_steps {self.warmup_steps}: there are only {self.steps} steps")
        if self.milestones != sorted(self.milestones):
            raise ValueError(f"milestones {self.milestones}: expected rising shares")
        return self

    def learning_rate_at(self, step: int) -> float:
        """Returns the learning rate of a step, 0..steps-1."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        if self.schedule == "cosine":
            return self.learning_rate * (1 + math.cos(math.pi * done)) / 2
        if self.schedule == "poly":
            return self.learning_rate * math.pow(1 - done, self.power)
        return self.learning_rate * math.pow(0.1, sum(step >= share * self.steps for share in self.milestones))
