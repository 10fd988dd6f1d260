import numpy as np
import pytest

from synth.rendering.lighting import direction, environment, harmonics
from synth.rendering.nuisance import draw
from synth.rendering.nuisance_ranges import NuisanceRanges


def test_directions_follow_azimuth_and_elevation():
    assert direction(0, 0) == pytest.approx([0, 0, 1])
    assert direction(90, 0) == pytest.approx([1, 0, 0])
    assert direction(0, 90) == pytest.approx([0, 1, 0])


def test_an_even_environment_has_only_the_constant_harmonic():
    coefficients = harmonics(np.array([[0.0, 0.0, 1.0]]), np.array([0.0]), np.array([[0.3, 0.5, 0.7]]))
    assert coefficients[0] == pytest.approx(np.array([0.3, 0.5, 0.7]) * np.sqrt(4 * np.pi), rel=1e-3)
    assert abs(coefficients[1:]).max() < 1e-2


def test_light_from_the_left_is_in_the_x_harmonic():
    coefficients = harmonics(np.array([[1.0, 0.0, 0.0]]), np.array([10.0]), np.ones((1, 3)))
    assert coefficients[3, 0] > 0.1
    assert abs(coefficients[1:3]).max() < 0.01


def test_environment_adds_sky_and_front_to_the_lobes():
    lights = draw(3, NuisanceRanges()).lights
    axes, sharpness, colours = environment(lights)
    assert len(axes) == len(sharpness) == len(colours) == len(lights.lobe_axes) + 2
    assert np.linalg.norm(axes, axis=1) == pytest.approx(1, abs=1e-6)
