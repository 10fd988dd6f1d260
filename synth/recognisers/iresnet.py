"""Recognisers of the ArcFace family from their published torch checkpoints; YuNet finds the face."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.errors import WeightsError
from synth.extras import require_extra
from synth.faces.detection import describe_largest
from synth.faces.embedding import embed_in_batches
from synth.faces.yunet import Yunet
from synth.precision import Precision
from synth.recognisers.base import Recogniser
from synth.spaces import ARCFACE_GLINT360K, ELASTICFACE_MS1MV2
from synth.types import Embeddings, Faces, Images
from synth.weights.files import WeightFile, require_files

_PUBLISHED: Final[Mapping[str, WeightFile]] = {
    ARCFACE_GLINT360K: WeightFile.on_hub(
        Path("arcface-r100-glint360k.pth"),
        "BooBooWu/Vec2Face",
        "weights/arcface-r100-glint360k.pth",
        "MIT (trained on Glint360K, whose photographs are for research only)",
        size=261_000_000,
    ),
    ELASTICFACE_MS1MV2: WeightFile(
        path=Path("295672backbone.pth"),
        origin="https://github.com/fdbtrs/ElasticFace (ElasticFace-Arc)",
        license="CC BY-NC-SA 4.0 (trained on MS1MV2)",
        size=261_000_000,
    ),
}

_OWN: Final = "whoever trained it"


class Iresnet(Recogniser):
    """YuNet detection with five landmarks, ArcFace alignment, embedding by an iResNet of any depth.

    Reads backbones of insightface's arcface_torch, of MagFace in their layout and of ElasticFace: IResNet-18, -34,
    -50 and -100; and those of AdaFace, IR-50 and IR-101, which see BGR. Which one a file holds follows from its
    tensors; what it was trained on does not, and a vector of one training is useless to another, so `space` has to
    say it.

    No embedding depends on its batch: the network always computes `batch_size` faces, black ones where faces lack.

    Args:
        weights: .pth, .ckpt or .safetensors of the backbone.
        space: name of the embedding space, a key of `synth.spaces.SPACES` or your own name for your own training.
        flip: add the embedding of the mirrored face before dividing by the length, as evaluations of ArcFace do.
        precision: of the convolutions; the last layer computes in float32.
        batch_size: faces the network embeds at once.
        min_score: detector confidence from which a face counts, 0..1.
        detection_size: longer side of what the detector sees, px. Raise it for faces that are small in their image.
        device: 'cpu', 'cuda' or 'cuda:N'.

    Raises:
        ValueError: an argument is out of range.
        ComponentError: torch is not installed.
        WeightsError: the weights file is missing, damaged or of another network.
    """

    embedding_size = 512

    def __init__(
        self,
        *,
        weights: str,
        space: str,
        flip: bool = False,
        precision: Precision = "float32",
        batch_size: int = 16,
        min_score: float = 0.5,
        detection_size: int = 160,
        device: str = "cpu",
    ) -> None:
        require_extra("diffusion", "torch")
        options = {"weights": weights, "space": space}
        if batch_size < 1:
            raise ValueError(f"batch_size {batch_size}: expected at least 1")
        self.space = self.embedding_space(options)
        self._flip = flip
        self._batch_size = batch_size
        self._yunet = Yunet(min_score=min_score, detection_size=detection_size, device=device)
        require_files(self.weight_files(options))
        self._load(Path(weights), precision, device)

    @classmethod
    def embedding_space(cls, options: Mapping[str, Any]) -> str:
        """Returns the option `space`."""
        space = options.get("space")
        if not isinstance(space, str) or not space:
            raise ValueError("space: the checkpoint does not say on what it was trained; name its embedding space")
        return space

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the backbone, with the page it is published on where its space says which it is."""
        path = Path(options["weights"])
        published = _PUBLISHED.get(cls.embedding_space(options))
        return [published.at(path) if published else WeightFile(path=path, origin=_OWN, license="")]

    def recognise(self, images: Images) -> Faces:
        """Finds, aligns and embeds the largest face of each uint8 RGB image (B, H, W, 3)."""
        return describe_largest(images, self._yunet.detect(images), self.embed, self.embedding_size)

    def embed(self, aligned: Images) -> Embeddings:
        """Embeds faces that are aligned already: uint8 RGB (B, 112, 112, 3) to float32 (B, 512) of unit length."""
        return embed_in_batches(aligned, self._batch_size, self.embedding_size, self._features)

    def _load(self, path: Path, precision: Precision, device: str) -> None:
        import torch

        from synth.networks.face_embedders import load_face_embedder
        from synth.torch_runtime import DTYPES, networks_fit, prepare

        self._device = prepare(device)
        self._dtype = DTYPES[precision]
        network = load_face_embedder(path)
        if network.embedding_size != self.embedding_size:
            raise WeightsError(
                f"{path}: embeddings of {network.embedding_size} numbers, expected {self.embedding_size}"
            )
        network.set_precision(self._dtype)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        with networks_fit(self._device):
            self._network = network.to(self._device)

    def _features(self, aligned: Images) -> npt.NDArray[np.float32]:
        """Returns embeddings of any length of one full batch."""
        import torch

        from synth.torch_runtime import batch_fits

        with torch.inference_mode(), batch_fits(len(aligned), "recogniser.batch_size"):
            pixels = torch.from_numpy(aligned).to(self._device).permute(0, 3, 1, 2)
            faces = ((pixels.float() - 127.5) / 127.5).to(self._dtype)
            if self._network.takes_bgr:
                faces = faces.flip(1)
            features = self._network(faces)
            if self._flip:
                features = features + self._network(faces.flip(3))
            found: npt.NDArray[np.float32] = features.cpu().numpy()
        return found
