"""Recognisers from a folder of ONNX models, through insightface."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.errors import ComponentError, WeightsError
from synth.extras import require_extra
from synth.faces.detection import Detections, check_min_score, describe_largest, framed, unframed
from synth.faces.embedding import embed_in_batches
from synth.faces.insightface_models import Model, find_models
from synth.faces.insightface_packs import license_of, pack_files, pack_space, space_of
from synth.onnx_runtime import load_errors, one_thread, providers_for, require_device
from synth.recognisers.base import Recogniser
from synth.types import ALIGNED_SIZE, Embeddings, Faces, Images
from synth.weights.files import WeightFile

logger = logging.getLogger(__name__)

_STRIDE: Final = 32  # px; sides of SCRFD's input are multiples of it
_DETECTION_SIZE: Final = 320  # px, for detectors that take any size
_BATCH: Final = 16  # faces the recogniser embeds at once, where it takes any number


class InsightfacePack(Recogniser):
    """SCRFD detection with five landmarks, ArcFace alignment and embedding, from a folder of insightface's models.

    For Arc2Face the folder holds `scrfd_10g_bnkps.onnx` of antelopev2 and `arcface.onnx` of FoivosPar/Arc2Face.
    Nothing is downloaded. Only the detector and the recogniser are loaded, whatever else is there.

    Each image is framed with black, a quarter of its longer side all around, before detection: SCRFD finds nothing
    on portraits that fill their image. Faces are aligned as for all our recognisers.

    Args:
        weights: folder with .onnx files, and perhaps a manifest.json.
        recognition: file name of the recogniser; needed where the folder holds several.
        space: name of the embedding space; needed where the recogniser's file is none of the published ones.
        min_score: detector confidence from which a face counts, 0..1.
        detection_size: side of the square the detector sees, px, a multiple of 32; by default 320, or what the
            detector was exported for.
        device: 'cpu', 'cuda' or 'cuda:N'; CUDA takes an onnxruntime that was built with it.

    Raises:
        ValueError: an argument is out of range, several recognisers are there, or their space is not known.
        ComponentError: insightface or a library it needs is not installed.
        WeightsError: a model is missing, damaged or of another kind, or the device cannot be used.
    """

    embedding_size = 512

    def __init__(
        self,
        *,
        weights: str,
        recognition: str | None = None,
        space: str | None = None,
        min_score: float = 0.5,
        detection_size: int | None = None,
        device: str = "cpu",
    ) -> None:
        require_extra("insightface", "insightface", "onnx", "cv2")
        _require_opencv()
        check_min_score(min_score)
        folder = Path(weights)
        models = find_models(folder, recognition, space)
        self.space = space_of(models.recogniser.path.name, space)
        self._detector = _loaded(folder, models.detector, "detection", device)
        self._recogniser = _loaded(folder, models.recogniser, "recognition", device)
        self._detection_size = _detection_size(self._detector, models.detector.path, detection_size)
        size = (self._detection_size, self._detection_size)
        self._detector.prepare(0, det_thresh=min_score, input_size=size)
        self._batch_size = _batch_size(self._recogniser, models.recogniser.path)
        logger.info("%s: %s; %s", folder, models.recogniser.path.name, license_of(folder))

    @classmethod
    def embedding_space(cls, options: Mapping[str, Any]) -> str:
        """Returns the space of the recogniser that the options or the names of the folder's files tell."""
        return pack_space(Path(options["weights"]), options.get("recognition"), options.get("space"))

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the detector and the recogniser, or all models of the folder where names do not tell them."""
        return pack_files(Path(options["weights"]), options.get("recognition"), options.get("space"))

    def recognise(self, images: Images) -> Faces:
        """Finds, aligns and embeds the largest face of each uint8 RGB image (B, H, W, 3)."""
        detections = [self._detect(images[row : row + 1]) for row in range(len(images))]
        return describe_largest(images, detections, self.embed, self.embedding_size)

    def embed(self, aligned: Images) -> Embeddings:
        """Embeds faces that are aligned already: uint8 RGB (B, 112, 112, 3) to float32 (B, 512) of unit length."""
        return embed_in_batches(aligned, self._batch_size, self.embedding_size, self._features)

    def _features(self, aligned: Images) -> npt.NDArray[np.float32]:
        """Returns embeddings of any length; insightface takes a list of BGR images."""
        features: npt.NDArray[np.float32] = self._recogniser.get_feat(list(np.ascontiguousarray(aligned[..., ::-1])))
        return features

    def _detect(self, image: Images) -> Detections:
        """Returns the faces of one uint8 RGB image (1, H, W, 3), in px of the image; SCRFD takes one at a time."""
        inside = round(self._detection_size / 1.5)
        border = (self._detection_size - inside) // 2
        frames, scale = framed(image, inside, border, self._detection_size)
        boxes, landmarks = self._detector.detect(np.ascontiguousarray(frames[0, ..., ::-1]))
        faces = Detections(scores=boxes[:, 4], boxes=boxes[:, :4], landmarks=landmarks.astype(np.float32))
        return unframed(faces, scale, border)


def _require_opencv() -> None:
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise ComponentError(
            f"OpenCV, which insightface needs, cannot be loaded ({error}); on Debian and Ubuntu "
            "`apt install libgl1 libglib2.0-0` installs the system libraries it links to (libGL among them)"
        ) from error


def _loaded(folder: Path, model: Model, task: str, device: str) -> Any:  # noqa: ANN401
    """Returns insightface's object for a model: `SCRFD` or `ArcFaceONNX`, on one thread."""
    from insightface.model_zoo import get_model

    place: dict[str, Any] = (
        {"name": str(folder), "model_task": task} if model.in_manifest else {"name": str(model.path)}
    )
    try:
        loaded = get_model(**place, providers=providers_for(device), sess_options=one_thread())
    except load_errors() as error:
        raise WeightsError(f"{model.path}: onnxruntime cannot load it: {error}") from error
    require_device(loaded.session, device)
    return loaded


def _detection_size(detector: Any, path: Path, wanted: int | None) -> int:  # noqa: ANN401
    """Returns the side of what the detector sees, px."""
    if not detector.use_kps:
        raise WeightsError(f"{path}: finds no landmarks, which alignment needs; use one like scrfd_10g_bnkps.onnx")
    if detector.static_input_size is not None:
        width, height = detector.static_input_size
        if width != height:
            raise WeightsError(f"{path}: takes {width}x{height} px, expected a square")
        if wanted not in (None, width):
            raise ValueError(f"detection_size {wanted}: {path} takes {width} px only; remove detection_size")
        return int(width)
    size = _DETECTION_SIZE if wanted is None else wanted
    if size < 2 * _STRIDE or size % _STRIDE:
        raise ValueError(f"detection_size {size}: expected a multiple of {_STRIDE} px, at least {2 * _STRIDE}")
    return size


def _batch_size(recogniser: Any, path: Path) -> int:  # noqa: ANN401
    """Returns how many faces the recogniser takes at once."""
    rows, _, height, width = recogniser.input_shape
    if (height, width) != (ALIGNED_SIZE, ALIGNED_SIZE):
        raise WeightsError(f"{path}: takes {width}x{height} px, faces are aligned to {ALIGNED_SIZE}x{ALIGNED_SIZE}")
    size = InsightfacePack.embedding_size
    if recogniser.output_shape[-1] != size:
        raise WeightsError(f"{path}: embeddings of {recogniser.output_shape[-1]} numbers, expected {size}")
    return rows if isinstance(rows, int) else _BATCH
