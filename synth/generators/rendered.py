"""The embedded generator: a procedural head, decoded from the vector and rendered with exact labels."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from synth.generators.base import Generator, TruthColumn
from synth.rendering.camera import Framing
from synth.rendering.nuisance import Nuisance, draw
from synth.rendering.nuisance_ranges import NuisanceRanges
from synth.rendering.prior import DEFAULT_PRIOR, IdentityPrior
from synth.types import Generated, Vectors

if TYPE_CHECKING:
    from synth.rendering.face import Face
    from synth.rendering.scene import Rendering, Scene

SIZES = (112, 512)  # px, smallest and largest picture
CACHED_IDENTITIES = 4


class Rendered(Generator):
    """Renders people from a morphable head, needing no weights, no downloads and no photos of anyone.

    The unit vector decides the person (`synth.rendering.identity`); the sample's seed decides pose, expression,
    light, camera, background, clothes, accessories and the sensor (`synth.rendering.nuisance`). The idea of
    training recognisers on rendered people follows DigiFace-1M (Bae et al. 2023).

    Args:
        size: side of the pictures, px, 112 to 512.
        framing: `portrait` shows the whole head; `aligned` renders straight onto the ArcFace template.
        nuisance: ranges and rates of all that is not identity.
        prior: how widely people spread.
        device: where the kernels run, 'cpu' or like 'cuda:0'.

    Raises:
        ValueError: the size is out of range or the framing unknown.
    """

    version: ClassVar[int] = 2
    vector_size: ClassVar[int] = 512
    license: ClassVar[str] = "cc0-1.0"
    truth: ClassVar[Mapping[str, TruthColumn]] = {
        "landmarks": TruthColumn("float32", width=10, unit="px"),
        "yaw": TruthColumn("float32", unit="degrees"),
        "pitch": TruthColumn("float32", unit="degrees"),
        "roll": TruthColumn("float32", unit="degrees"),
        "expression": TruthColumn("str"),
        "glasses": TruthColumn("bool"),
        "sunglasses": TruthColumn("bool"),
        "hat": TruthColumn("bool"),
        "mask": TruthColumn("bool"),
        "occluder": TruthColumn("bool"),
        "light_azimuth": TruthColumn("float32", unit="degrees"),
        "light_elevation": TruthColumn("float32", unit="degrees"),
        "light_key_to_fill": TruthColumn("float32", unit="ratio"),
        "camera_distance": TruthColumn("float32", unit="dm"),
        "background": TruthColumn("str"),
        "age_years": TruthColumn("float32", unit="years"),
        "male": TruthColumn("float32"),
        "ancestry_african": TruthColumn("float32"),
        "ancestry_asian": TruthColumn("float32"),
        "ancestry_caucasian": TruthColumn("float32"),
        "skin_tone": TruthColumn("float32", unit="degrees (individual typology angle)"),
        "hair_style": TruthColumn("str"),
        "beard": TruthColumn("str"),
    }

    def __init__(
        self,
        size: int = 112,
        framing: Framing = "aligned",
        nuisance: NuisanceRanges | None = None,
        prior: IdentityPrior | None = None,
        device: str = "cpu",
    ) -> None:
        if not SIZES[0] <= size <= SIZES[1]:
            raise ValueError(f"Rendered.size: expected {SIZES[0]} to {SIZES[1]} px, got {size}")
        if framing not in ("portrait", "aligned"):
            raise ValueError(f"Rendered.framing: expected 'portrait' or 'aligned', got {framing!r}")
        self.size = size
        self.framing: Framing = framing
        self.nuisance = NuisanceRanges() if nuisance is None else nuisance
        self.prior = DEFAULT_PRIOR if prior is None else prior
        self.device = device
        self._scenes: OrderedDict[bytes, Scene] = OrderedDict()

    def generate(self, vectors: Vectors, indices: npt.NDArray[np.int32], seeds: npt.NDArray[np.uint64]) -> Generated:
        """Renders one picture a row; each depends on its own vector and seed alone.

        Args:
            vectors: float32 (B, 512), unit L2 norm.
            indices: int32 (B,), not used: the seeds already differ.
            seeds: uint64 (B,).

        Raises:
            VectorsError: a vector has another size or is no unit vector.
        """
        self.check_vectors(vectors)
        images = np.empty((len(vectors), self.size, self.size, 3), dtype=np.uint8)
        rows = []
        for image, vector, seed in zip(images, vectors, seeds.tolist(), strict=True):
            scene = self._scene(vector)
            nuisance = draw(seed, self.nuisance)
            rendering = scene.render(nuisance, size=self.size, framing=self.framing)
            image[...] = rendering.image
            rows.append(_truth(scene.face, nuisance, rendering))
        return Generated(images=images, truth=_columns(rows, self.truth))

    def _scene(self, vector: npt.NDArray[np.float32]) -> Scene:
        """Returns the person of a vector; the last few are kept, since batches are sorted by identity."""
        # Warp is set up when it is imported: whoever only checks a configuration does not wait for that.
        from synth.rendering.identity import build_face
        from synth.rendering.scene import Scene

        key = vector.tobytes()
        if key not in self._scenes:
            self._scenes[key] = Scene(
                build_face(vector, size=self.size, device=self.device, prior=self.prior), self.device
            )
        self._scenes.move_to_end(key)
        while len(self._scenes) > CACHED_IDENTITIES:
            self._scenes.popitem(last=False)
        return self._scenes[key]


def _truth(face: Face, nuisance: Nuisance, rendering: Rendering) -> dict[str, Any]:
    """Returns the truth of one picture by column."""
    person, lights, wear = face.attributes, nuisance.lights, nuisance.wear
    return {
        "landmarks": rendering.landmarks.ravel(),
        "yaw": nuisance.pose.yaw,
        "pitch": nuisance.pose.pitch,
        "roll": nuisance.pose.roll,
        "expression": nuisance.expression.name,
        "glasses": wear.glasses,
        "sunglasses": wear.sunglasses,
        "hat": wear.hat,
        "mask": wear.mask,
        "occluder": wear.occluder,
        "light_azimuth": lights.key_azimuth,
        "light_elevation": lights.key_elevation,
        "light_key_to_fill": max(lights.key_colour) / max(lights.fill_colour),
        "camera_distance": nuisance.framing.distance,
        "background": nuisance.background,
        "age_years": person.age_years + person.ageing(nuisance.drift.age_years),
        "male": person.male,
        "ancestry_african": person.african,
        "ancestry_asian": person.asian,
        "ancestry_caucasian": person.caucasian,
        "skin_tone": person.skin.tone,
        "hair_style": person.hair.style,
        "beard": person.beard.kind,
    }


def _columns(rows: list[dict[str, Any]], truth: Mapping[str, TruthColumn]) -> dict[str, npt.NDArray[Any]]:
    """Returns the rows as columns of the declared types: (B,) or (B, K)."""
    columns: dict[str, npt.NDArray[Any]] = {}
    for name, column in truth.items():
        shape = (len(rows),) if column.width == 1 else (len(rows), column.width)
        values = np.array([row[name] for row in rows], dtype=column.dtype)
        columns[name] = values.reshape(shape)
    return columns
