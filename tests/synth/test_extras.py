import pytest

from synth.errors import ComponentError
from synth.extras import require_extra


def test_installed_packages_are_enough():
    require_extra("diffusion", "json", "numpy")


def test_missing_packages_are_named_with_the_command_that_installs_them():
    with pytest.raises(ComponentError) as caught:
        require_extra("diffusion", "numpy", "no_such_torch", "no_such_diffusers")

    assert str(caught.value) == (
        "needs no_such_torch, no_such_diffusers, not installed here: pip install 'synth[diffusion]'"
    )
