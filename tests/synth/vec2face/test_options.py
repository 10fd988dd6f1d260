import pytest

from synth.vec2face.options import POSED_MASK_RATES, AttributeTargets, MaskRates, Poses

FILES = {"recogniser": "r.pth", "quality_estimator": "q.pth"}


def test_the_defaults_are_the_published_ones():
    assert MaskRates() == MaskRates(least=0.1, most=1.0, peak=0.15, spread=0.25)
    assert MaskRates(least=0.8, most=0.9, peak=0.85, spread=0.05) == POSED_MASK_RATES


@pytest.mark.parametrize(
    "values", [{"least": -0.1}, {"least": 0.2}, {"most": 1.1}, {"peak": 0.05}, {"spread": 0.0}, {"peak": float("nan")}]
)
def test_mask_rates_are_ordered_shares(values):
    with pytest.raises(ValueError, match="mask_rates"):
        MaskRates(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"yaw_degrees": (10.0, -10.0)}, "yaw_degrees"),
        ({"pitch_degrees": (-10.0, 90.0)}, "pitch_degrees"),
        ({"dot_radius_px": 0.0}, "dot_radius_px"),
        ({"dot_colours": ((256, 0, 0),) * 5}, "dot_colours"),
    ],
)
def test_poses_are_checked(values, message):
    with pytest.raises(ValueError, match=message):
        Poses(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"similarity": 1.5}, "similarity"),
        ({"quality": -1.0}, "quality"),
        ({"max_steps": -1}, "max_steps"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"rows_at_once": 0}, "rows_at_once"),
        ({"yaw_degrees": (0.0, 30.0)}, "pose_estimator"),
        ({"yaw_degrees": (30.0, 0.0), "pose_estimator": "p.pth"}, "least <= most"),
        ({"yaw_degrees": (0.0, 95.0), "pose_estimator": "p.pth"}, "90"),
    ],
)
def test_attribute_targets_are_checked(values, message):
    with pytest.raises(ValueError, match=message):
        AttributeTargets(**FILES, **values)
