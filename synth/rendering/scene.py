"""The renderer: a face and a sample's nuisances in, a picture with its true landmarks out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from synth.rendering.background import paint_background
from synth.rendering.camera import Camera, Framing, camera_for, rotation
from synth.rendering.face import Face
from synth.rendering.head import load_head
from synth.rendering.kernels.eye import EyePair
from synth.rendering.kernels.raster import View, project_points, raster_strands, raster_triangles
from synth.rendering.kernels.shade import Materials, shade_pixels
from synth.rendering.kernels.shadow import shadow_strands, shadow_triangles
from synth.rendering.kernels.skin import SkinTexture
from synth.rendering.lighting import make_light, shadow_map
from synth.rendering.mesh import join_meshes, upload_head, worn_materials
from synth.rendering.nuisance import Drift, Nuisance
from synth.rendering.occluder import add_occluder
from synth.rendering.posing import PosedFace, pose_face
from synth.rendering.sensor import LUMA, develop, metered_gain
from synth.rendering.strands import StrandSet
from synth.rendering.wardrobe import Outfit, dress

Float32 = npt.NDArray[np.float32]

EMPTY = 0xFFFFFFFFFFFFFFFF
SHADOW_STRANDS = 0.4  # share of the strands that cast shadows
RELIEF_PER_YEAR = 0.04  # how much deeper wrinkles look after a year
LEAST_STRAND_WIDTH = 1.4  # samples; where strands are thinner, fewer and wider ones are drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A picture and what is true about it.

    Attributes:
        image: uint8 (size, size, 3), RGB.
        landmarks: float32 (5, 2), x y in px: eyes, nose, mouth corners; the viewer's left one first.
    """

    image: npt.NDArray[np.uint8]
    landmarks: Float32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shot:
    """A person set up for one picture; `view` and `mesh` are the kernels', `detail` is the share of hair drawn."""

    nuisance: Nuisance
    size: int
    posed: PosedFace
    outfit: Outfit
    camera: Camera
    view: Any
    detail: float
    mesh: Any


def render(face: Face, nuisance: Nuisance, *, size: int, framing: Framing, device: str = "cpu") -> Rendering:
    """Renders one picture; see `Scene` for several of one person."""
    return Scene(face, device).render(nuisance, size=size, framing=framing)


class Scene:
    """A person on the device: uploaded once, rendered many times."""

    def __init__(self, face: Face, device: str = "cpu") -> None:
        self.face = face
        self._device = device
        self._head = upload_head(face, device)
        self._strands = StrandSet(face, device)
        self._albedo = _mean_albedo(face)

    def render(self, nuisance: Nuisance, *, size: int, framing: Framing) -> Rendering:
        """Renders the person.

        Args:
            nuisance: everything but the person.
            size: side of the picture, px.
            framing: `portrait` or `aligned`, see `camera.camera_for`.
        """
        shot = self._set_up(nuisance, size, framing)
        visible = self._raster(shot)
        shadows = self._shadows(shot)
        picture, skin = self._shade(shot, visible, shadows)
        image = self._finish(picture, skin, nuisance)
        return Rendering(image=image, landmarks=shot.camera.project(shot.posed.landmarks).astype(np.float32))

    def _set_up(self, nuisance: Nuisance, size: int, framing: Framing) -> _Shot:
        """Poses and dresses the person and places the camera."""
        posed = pose_face(self.face, nuisance)
        camera = camera_for(framing, size, nuisance.framing, posed.landmarks)
        outfit = dress(self.face, posed.vertices, nuisance.wear)
        view = _view(camera, size, samples_per_side(size))
        strand_width = self._strands.widest * view.samples_per_slope / camera.distance
        detail = min(1.0, strand_width / LEAST_STRAND_WIDTH)
        self._strands.pose(posed, outfit.cover, _densities(nuisance.drift, detail))
        mesh = join_meshes(self._head, posed, outfit.worn, self._device)
        return _Shot(
            nuisance=nuisance, size=size, posed=posed, outfit=outfit, camera=camera, view=view, detail=detail, mesh=mesh
        )

    def _raster(self, shot: _Shot) -> Any:  # noqa: ANN401 (a warp array)
        """Returns the visibility buffer of mesh and strands."""
        device, mesh, view = self._device, shot.mesh, shot.view
        visible = wp.full(view.width * view.height, EMPTY, dtype=wp.uint64, device=device)
        wp.launch(project_points, mesh.points.shape[0], [mesh.points, view], [mesh.projected], device=device)
        inputs = [mesh.projected, mesh.triangles, mesh.parts, mesh.opacities, view, visible]
        wp.launch(raster_triangles, mesh.triangles.shape[0], inputs, device=device)
        strands = self._strands
        if strands.count:
            widening: Any = wp.array(_widening(shot.detail), dtype=float, device=device)
            inputs = [strands.points, strands.drawn, strands.widths, strands.kinds, widening, view, visible]
            wp.launch(raster_strands, strands.count, inputs, device=device)
        return visible

    def _shadows(self, shot: _Shot) -> Any:  # noqa: ANN401 (a warp struct)
        """Returns the key light's shadow map of mesh and strands."""
        shadows = shadow_map(shot.nuisance.lights, shadow_map_size(shot.size), self._device)
        inputs = [shot.mesh.points, shot.mesh.triangles, shadows]
        wp.launch(shadow_triangles, shot.mesh.triangles.shape[0], inputs, device=self._device)
        strands = self._strands
        if strands.count:
            inputs = [strands.points, strands.drawn, SHADOW_STRANDS, strands.ranks, shadows]
            wp.launch(shadow_strands, strands.count, inputs, device=self._device)
        return shadows

    def _shade(self, shot: _Shot, visible: Any, shadows: Any) -> tuple[Float32, Float32]:  # noqa: ANN401
        """Returns radiance with coverage (size, size, 4) and the share of bare skin (size, size)."""
        size, nuisance = shot.size, shot.nuisance
        light = make_light(nuisance.lights, shot.posed.head, self._device)
        hair = self._strands.hair(nuisance.drift)
        radiance: Any = wp.zeros(size * size, dtype=wp.vec4, device=self._device)
        skin: Any = wp.zeros(size * size, dtype=float, device=self._device)
        side = samples_per_side(size)
        inputs = [visible, side, shot.view, shot.mesh, hair, self._materials(shot), light, shadows]
        wp.launch(shade_pixels, size * size, inputs, [radiance, skin], device=self._device)
        return radiance.numpy().reshape(size, size, 4), skin.numpy().reshape(size, size)

    def _materials(self, shot: _Shot) -> Any:  # noqa: ANN401 (a warp struct)
        """Returns what everything is made of, as the shading kernel takes it."""
        head, face = load_head(), self.face
        materials = Materials()
        skin = SkinTexture()
        skin.albedo, skin.relief = face.albedo, face.relief
        skin.height, skin.width = face.texture_shape
        skin.low, skin.high, skin.axis_z = head.texture_bottom, head.texture_top, head.texture_axis_z
        skin.head_rotation = wp.mat33(*shot.posed.head.ravel())
        skin.relief_gain = float(
            np.clip(1 + RELIEF_PER_YEAR * face.attributes.ageing(shot.nuisance.drift.age_years), 0.5, 1.5)
        )
        materials.skin = skin
        materials.eyes = _eyes(face, shot.posed, shot.nuisance)
        materials.teeth = wp.vec3(*face.teeth)
        materials.clothes = shot.outfit.clothes
        materials.worn = worn_materials(shot.outfit.worn, shot.nuisance.wear.style, self._device)
        return materials

    def _finish(self, picture: Float32, skin: Float32, nuisance: Nuisance) -> npt.NDArray[np.uint8]:
        """Exposes for the skin, adds background and occluder, and develops."""
        target = 0.15 + 0.40 * self._albedo  # light skin is brighter in pictures, dark skin not black
        exposure = nuisance.sensor.exposure
        gain = metered_gain(picture, skin, target) * exposure
        background = paint_background(nuisance.background, nuisance.backdrop, picture.shape[0]) * np.float32(exposure)
        exposed = picture[..., :3] * np.float32(gain) + (1 - picture[..., 3:]) * background
        if nuisance.wear.occluder:
            exposed = add_occluder(exposed, nuisance.wear.style)
        return develop(exposed, nuisance.sensor)


def samples_per_side(size: int) -> int:
    """Returns the side of a pixel's grid of samples: finer for small pictures, where hair is below a pixel."""
    return 3 if size <= 160 else 2


def shadow_map_size(size: int) -> int:
    """Returns the shadow map's side, texels: about as fine as the picture."""
    return int(min(768, 128 + 1.25 * size))


def _view(camera: Camera, size: int, side: int) -> Any:  # noqa: ANN401 (a warp struct)
    """Returns the camera as the kernels take it, in samples."""
    view = View()
    view.width = view.height = size * side
    view.samples_per_side = side
    view.distance = camera.distance
    view.to_column = wp.vec3(*(camera.mapping[0] * side))
    view.to_row = wp.vec3(*(camera.mapping[1] * side))
    view.samples_per_slope = camera.px_per_slope * side
    return view


def _densities(drift: Drift, detail: float) -> Float32:
    """Returns the share of strands drawn by kind: scalp, brow, lash, beard."""
    return np.array([drift.hair_density * detail, 1.0, 1.0, drift.beard_density * detail], dtype=np.float32)


def _widening(detail: float) -> Float32:
    """Returns the factor on strand widths by kind that makes up for the strands left out."""
    return np.array([1 / detail, 1.0, 1.0, 1 / detail], dtype=np.float32)


def _eyes(face: Face, posed: PosedFace, nuisance: Nuisance) -> Any:  # noqa: ANN401 (a warp struct)
    """Returns the eyes as the kernels take them; the pupils widen in dim light."""
    eyes = EyePair()
    eyes.left_centre, eyes.right_centre = wp.vec3(*posed.eyes[0]), wp.vec3(*posed.eyes[1])
    left, up = nuisance.expression.gaze
    eyes.gaze_rotation = wp.mat33(*(posed.head @ rotation(left, up, 0)).ravel())
    eyes.head_rotation = wp.mat33(*posed.head.ravel())
    eyes.iris, eyes.iris_inner = wp.vec3(*face.eyes.iris), wp.vec3(*face.eyes.iris_inner)
    eyes.iris_radius = face.eyes.iris_radius
    eyes.pupil = float(np.clip(0.48 - 0.08 * np.log1p(max(nuisance.lights.key_colour)), 0.28, 0.5))
    eyes.pattern = wp.vec3(*face.eyes.pattern)
    return eyes


def _mean_albedo(face: Face) -> float:
    """Returns the mean luma of the skin's texture over the face's half, 0..1; every seventh pixel will do."""
    rows, columns = face.texture_shape
    albedo = face.albedo.numpy().reshape(rows, columns, 3)
    front = albedo[rows // 4 : 3 * rows // 4 : 7, 3 * columns // 8 : 5 * columns // 8 : 7]
    return float((front @ LUMA).mean())
