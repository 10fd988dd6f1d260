import numpy as np

from synth.rendering.attributes import HairlineTraits
from synth.rendering.head import load_head
from synth.rendering.moles import CANDIDATES, mole_map, mole_presence
from synth.rendering.regions import beard_regions, face_regions, scalp
from synth.rendering.texture_domain import texture_domain

SHAPE = (80, 128)
PLAIN = HairlineTraits(front=0.0, side=0.0, nape=0.0, recession=0.0)


def test_regions_are_mirrored_and_within_bounds():
    positions = texture_domain(SHAPE).positions
    for name, values in face_regions(positions).items():
        assert 0 <= values.min() <= values.max() <= 1.0001, name
        np.testing.assert_allclose(values, face_regions(positions * [-1, 1, 1])[name], atol=1e-5)


def test_beards_grow_below_the_nose():
    head = load_head()
    moustache, chin, whole = beard_regions(head.vertices)
    above = head.vertices[:, 1] > 7.3
    for region in (moustache, chin, whole):
        assert region[above].max() < 0.05
        assert region.max() > 0.9


def test_a_higher_cheek_line_grows_the_beard():
    positions = load_head().vertices
    assert beard_regions(positions, 0.1)[2].sum() > beard_regions(positions, -0.1)[2].sum()


def test_the_scalp_covers_the_crown_and_not_the_face():
    head = load_head()
    covered = scalp(head.vertices, PLAIN, head, 0.05)
    assert covered[head.vertices[:, 1] > 8.3].min() > 0.9
    assert covered[head.landmark_vertices].max() == 0


def test_recession_bares_the_temples():
    head = load_head()
    receding = HairlineTraits(front=0.0, side=0.0, nape=0.0, recession=0.3)
    assert scalp(head.vertices, receding, head, 0.05).sum() < scalp(head.vertices, PLAIN, head, 0.05).sum()


def test_people_have_a_few_of_the_candidate_moles():
    directions = np.random.default_rng(0).standard_normal((300, 12))
    counts = [np.sum(mole_presence(direction) > 0.5) for direction in directions]
    assert 1 < np.mean(counts) < 8
    assert max(counts) < CANDIDATES / 3


def test_moles_are_small_dark_spots():
    moles = mole_map((320, 512))
    assert 0.0005 < (moles.shape > 0.2).mean() < 0.03
    assert moles.index.max() < CANDIDATES


def test_the_texture_lies_on_the_head():
    domain = texture_domain(SHAPE)
    assert domain.positions.shape == (SHAPE[0] * SHAPE[1], 3)
    nose = domain.positions.reshape(*SHAPE, 3)[int(80 * (6.91 - 6.0) / 2.52), 64]
    assert nose[2] > 1.6
    assert domain.lips.max() > 0.9
    assert domain.ears.max() > 0.9
