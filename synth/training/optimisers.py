"""Optimisers, and which parameters decay."""

from __future__ import annotations

import torch
from torch import nn

from synth.training.recipe import Recipe


def optimiser_for(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Returns the optimiser of a recipe over a model's trainable parameters.

    Weights of layers decay; numbers a channel (normalisations, biases, PReLU slopes) do not.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [weight for weight in trained if weight.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [number for number in trained if number.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.learning_rate)
    return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0)
