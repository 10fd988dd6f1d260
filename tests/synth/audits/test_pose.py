import numpy as np
import pytest

from synth.audits.pose import REFERENCE, estimate_pose
from synth.rendering.camera import rotation


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 0, 0), (30, 0, 0), (0, 15, 0), (0, 0, 20), (-25, 10, -5), (40, -20, 30)]
)
def test_the_pose_of_the_reference_is_recovered_from_its_picture(yaw, pitch, roll):
    turned = REFERENCE @ rotation(yaw, pitch, roll).T
    landmarks = (turned[:, :2] * [1.4, -1.4] + [60, 50]).astype(np.float32)[None]

    assert estimate_pose(landmarks)[0] == pytest.approx([yaw, pitch, roll], abs=1e-3)


def test_landmarks_that_coincide_have_no_pose():
    assert np.isnan(estimate_pose(np.full((1, 5, 2), 7, dtype=np.float32))).all()
