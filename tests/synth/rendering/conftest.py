import numpy as np
import pytest

from synth.rendering.identity import build_face


def unit_vector(seed):
    vector = np.random.default_rng(seed).standard_normal(512).astype(np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture(scope="session")
def face():
    """A person with hair, built once."""
    return build_face(unit_vector(3), size=112)
