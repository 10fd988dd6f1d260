"""Batches with known cosines, and the check of gradients, for the tests of heads."""

import torch
from torch.autograd import gradcheck
from torch.nn import functional

LENGTHS = torch.tensor([11.0, 24.0, 35.0, 9.5, 60.0, 18.0], dtype=torch.float64)
LABELS = torch.tensor([0, 0, 1, 1, 3, 3])


def facing(cosine, length=20.0):
    """Returns a float64 embedding (1, 3) of that cosine to the first axis, at right angles to the second."""
    return length * torch.tensor([[cosine, 0.0, (1 - cosine**2) ** 0.5]], dtype=torch.float64)


def with_axes(head):
    """Gives a head of two labels and three numbers an embedding the first two axes as centres, of any length."""
    with torch.no_grad():
        head.double().centres.copy_(torch.diag(torch.tensor([2.0, 0.5, 1.0]))[:2])
    return head


def loss_at(head, cosine, length=20.0):
    """Returns the loss of one sample of the first label, at a cosine to its centre; the other's is 0."""
    with torch.no_grad():
        return float(head(facing(cosine, length), torch.tensor([0])).loss)


def falls_with_the_cosine(head, length=20.0):
    """Whether a sample's loss nowhere rises with its cosine."""
    losses = torch.tensor([loss_at(head, float(cosine), length) for cosine in torch.linspace(-1, 1, 401)])
    return bool((losses.diff() <= 1e-12).all()) and bool(losses[-1] < losses[0])


def gradients_are_exact(head, labels=LABELS, lengths=LENGTHS):
    """Compares gradients with finite differences, at embeddings of fixed lengths and at the centres.

    Args:
        head: of 4 labels and 5 numbers an embedding.
        labels: int64 (B,).
        lengths: float64 (B,).
    """
    head.double()
    directions = torch.randn(len(labels), 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))

    def loss(directions, *parameters):
        torch.manual_seed(0)
        embeddings = lengths[:, None] * functional.normalize(directions)
        named = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(head, named, (embeddings, labels)).loss

    names, parameters = [], []
    for name, parameter in head.named_parameters():
        names.append(name)
        parameters.append(torch.randn_like(parameter).requires_grad_())
    return gradcheck(loss, (directions.requires_grad_(), *parameters))
