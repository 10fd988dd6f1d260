"""What a dataset card says about use, people, limits and licences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

# Samplers whose vectors are of nobody. Of others, which may read vectors from files, nobody but the user knows that.
OF_NOBODY: Final = frozenset({"gaussian", "packing", "pca_gaussian"})


def use() -> str:
    """Returns what the dataset is for and what it must not be used for."""
    return (
        "Intended: research on face recognition, training and pre-training of face recognisers, tests of face "
        "processing software.\n\n"
        "Prohibited: identifying or tracking real people without a legal basis, surveillance, impersonation, "
        "presenting the images as photographs of real people, and attempts to find out who was in the training data "
        "of a model involved."
    )


def biometric_notes(sampler: str) -> str:
    """Returns what European law has to do with faces of nobody, as far as we understand it.

    Args:
        sampler: type of the identity sampler.
    """
    vectors = (
        "The identity vectors were drawn at random; none was computed from a photograph."
        if sampler in OF_NOBODY
        else f"The identity vectors are what the sampler `{sampler}` gave, and this card cannot tell whose they are. "
        "Computed from photographs they are biometric data of the people in them, and so are the embeddings here."
    )
    return (
        f"- GDPR Art. 9: data that identify a person by the face are special personal data. {vectors} A recogniser "
        "trained on this dataset processes such data of everybody it is used on, and that needs a legal basis.\n"
        "- EU AI Act Art. 50: generated images have to be marked as such, for machines and for people. The files are "
        "marked (see above); who shows or hands on images says that they are synthetic.\n"
        "- This is no legal advice."
    )


def limits(recogniser: str) -> str:
    """Returns what the dataset cannot promise.

    Args:
        recogniser: type of the one that chose the images.
    """
    return (
        "- A synthetic face may resemble a real person by chance; no resemblance is intended.\n"
        "- The faces inherit what the generator knows: its gaps and biases in age, sex, skin tone, pose and image "
        "quality are the dataset's. Attributes were not balanced unless the configuration below says so.\n"
        f"- `{recogniser}` decided which images were kept, so faces it handles badly are under-represented.\n"
        "- A model trained on data of real people may repeat some of them. Only an audit that compares the images "
        "with real faces tells whether the generator does.\n"
        "- Labels are correct by construction, but an image may show an identity less clearly than its label says; "
        "the filter values tell how clearly."
    )


def licence_terms(
    *, dataset: str, generator: tuple[str, str], recogniser: tuple[str, str], weights: Mapping[str, Sequence[str]]
) -> str:
    """Returns the terms of the dataset and of all it was made with.

    Args:
        dataset: its licence.
        generator: type, and the licence of the images it makes.
        recogniser: type, and the licence of its weights; empty where it is not known.
        weights: licences of the weight files by component, like 'generator arc2face'.
    """
    name, of_recogniser = recogniser
    if not of_recogniser:
        has_weights = any(weights.get(f"recogniser {name}", ()))
        of_recogniser = "that of its weights" if has_weights else "not stated; check it before you publish"
    lines = [
        f"- this dataset: `{dataset}`, the strictest of what follows",
        f"- images of the generator `{generator[0]}`: `{generator[1]}`",
        f"- recogniser `{name}`: {of_recogniser}",
    ]
    for component, licences in weights.items():
        lines += [f"- weights of the {component}: {licence or 'not stated'}" for licence in licences]
    return (
        "\n".join(lines) + "\n\n"
        "The licence of a model's weights does not settle the terms of the data it was trained on; look at both."
    )
