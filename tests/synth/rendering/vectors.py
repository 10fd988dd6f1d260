"""Identity vectors for the tests of the renderer."""

import numpy as np
import numpy.typing as npt


def random_vectors(count: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Returns unit vectors, float32 (count, 512)."""
    vectors = np.random.default_rng(seed).standard_normal((count, 512))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def close_vector(vector: npt.NDArray[np.float32], cosine: float, seed: int = 1) -> npt.NDArray[np.float32]:
    """Returns a unit vector at a given cosine to another one, float32 (512,)."""
    other = np.random.default_rng(seed).standard_normal(512)
    other -= (other @ vector) * vector
    other /= np.linalg.norm(other)
    return (cosine * vector + np.sqrt(1 - cosine**2) * other).astype(np.float32)
