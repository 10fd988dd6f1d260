import numpy as np
import pytest
import warp as wp

from synth.rendering.attributes import even_skin_colour
from synth.rendering.kernels.bake import skin_colour


@wp.kernel
def evaluate(melanin: float, haemoglobin: float, colour: wp.array(dtype=wp.vec3)):
    colour[0] = skin_colour(melanin, haemoglobin)


@pytest.mark.parametrize(("melanin", "haemoglobin"), [(0.05, 0.08), (0.15, 0.27), (0.68, 0.27), (0.95, 0.75)])
def test_the_tone_in_the_truth_is_that_of_the_baked_skin(melanin, haemoglobin):
    colour = wp.zeros(1, dtype=wp.vec3, device="cpu")
    wp.launch(evaluate, 1, [melanin, haemoglobin], [colour], device="cpu")
    np.testing.assert_allclose(colour.numpy()[0], even_skin_colour(melanin, haemoglobin), rtol=1e-5)
