"""Vec2Face and Vec2Face+: aligned faces of a raw ArcFace vector, in one pass of one network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from synth.errors import WeightsError
from synth.extras import require_extra
from synth.generators.base import Generator, TruthColumn
from synth.precision import Precision
from synth.spaces import ARCFACE_GLINT360K
from synth.types import Generated, Images, Vectors
from synth.vec2face.options import POSED_MASK_RATES, AttributeTargets, MaskRates, Poses
from synth.vec2face.perturbation import PUBLISHED, pattern_of, perturbed
from synth.vec2face.weight_files import vec2face_files
from synth.weights.files import WeightFile, require_files

if TYPE_CHECKING:
    from torch import Tensor

    from synth.networks.vec2face import Masks
    from synth.vec2face.attribute_optimisation import AttributeOptimiser, Outcome
    from synth.vec2face.posing import AskedPoses, PoseAsker

# Streams of a sample's seed.
_RATE: Final = 0
_TOKENS: Final = 1
_PERTURBATION: Final = 2
_POSE: Final = 3
_YAW_TARGET: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inputs:
    """What the network is given: one row a sample, on its device."""

    identities: Tensor  # (B, D), as they came
    vectors: Tensor  # (B, D), perturbed
    strengths: npt.NDArray[np.float32]  # (B,), of the perturbation
    rates: Tensor  # (B,), share of masked tokens
    masks: Masks
    poses: AskedPoses | None
    yaw_targets: Tensor  # (B,), degrees


class Vec2Face(Generator):
    """Wu et al. (2025), "Vec2Face: Scaling Face Dataset Generation with Loosely Constrained Vectors", and Vec2Face+.

    Vectors are raw embeddings of the published ArcFace IR-100 (Glint360K), not divided by their length: the network
    was trained on lengths about 22 and makes other people of unit vectors, which are therefore refused. Pictures are
    112 px and lie on the ArcFace template.

    Each image's vector is the identity's plus noise, brought back to its length. The strength of the noise follows
    from the index alone, so that the images of an identity have the exact mix (`synth.vec2face.perturbation`). The
    share of masked tokens and their choice are drawn from each sample's seed; published code draws the share once a
    batch. With `attributes` each vector is then moved until its image has the wanted quality, identity and turn
    (`synth.vec2face.attribute_optimisation`); the columns `optimised...` say how that ended and are 0 without.

    Args:
        weights: vec2face_generator.pth of BooBooWu/Vec2Face, or main_model.pth or pose_model.pth of
            BooBooWu/Vec2Face_plus; .safetensors made of them as well.
        poses: what turns to ask for, with pose_model.pth; None: as they come.
        pose_weights: file with the pose network; by default `weights`.
        perturbation: strength of the noise to its share of an identity's images, in steps of 0.001; by default as
            published, {0.3: 0.4, 0.5: 0.4, 0.7: 0.2}.
        mask_rates: share of masked tokens; by default as published, with `poses` far more than without.
        attributes: what to ask of each image; None: nothing. Takes memory and time of training.
        encoder_heads: attention heads, which no checkpoint says.
        decoder_heads: attention heads.
        precision: which the generating network computes in; pose network and estimators take float32.
        compile: compiles the network, which takes minutes and then is faster.
        device: 'cpu', 'cuda' or 'cuda:N'.

    Raises:
        ValueError: an argument is out of range.
        ComponentError: torch is not installed.
        WeightsError: a file is missing, damaged or of another network.
    """

    version: ClassVar[int] = 1
    vector_size: ClassVar[int] = 512
    vector_norm: ClassVar[str] = "raw"
    norm_range: ClassVar[tuple[float, float]] = (8.0, 60.0)  # embeddings have a mean of 21.9; unit vectors are out
    vector_space: ClassVar[str | None] = ARCFACE_GLINT360K
    license: ClassVar[str] = "other"  # Vec2Face's weights are MIT, Vec2Face+'s authors name no licence
    image_size: ClassVar[int] = 112
    truth: ClassVar[Mapping[str, TruthColumn]] = {
        "mask_rate": TruthColumn("float32"),
        "perturbation": TruthColumn("float32"),
        "asked_yaw": TruthColumn("float32", unit="degrees"),
        "asked_pitch": TruthColumn("float32", unit="degrees"),
        "optimised": TruthColumn("bool"),
        "optimised_steps": TruthColumn("int32"),
        "optimised_quality": TruthColumn("float32"),
        "optimised_similarity": TruthColumn("float32"),
        "optimised_yaw": TruthColumn("float32", unit="degrees"),
    }

    def __init__(
        self,
        *,
        weights: str,
        poses: Poses | None = None,
        pose_weights: str | None = None,
        perturbation: dict[float, float] | None = None,
        mask_rates: MaskRates | None = None,
        attributes: AttributeTargets | None = None,
        encoder_heads: int = 12,
        decoder_heads: int = 16,
        precision: Precision = "float32",
        compile: bool = False,
        device: str = "cpu",
    ) -> None:
        require_extra("diffusion", "torch")
        if encoder_heads < 1 or decoder_heads < 1:
            raise ValueError(f"encoder_heads {encoder_heads}, decoder_heads {decoder_heads}: expected at least 1")
        self._strengths = pattern_of(PUBLISHED if perturbation is None else perturbation)
        self._rates = mask_rates or (MaskRates() if poses is None else POSED_MASK_RATES)
        self._targets = attributes
        if compile and attributes is not None:
            raise ValueError("compile: not with attributes; nobody has tried gradients through a compiled network")
        options = {
            "weights": weights,
            "pose_weights": pose_weights,
            "poses": None if poses is None else asdict(poses),
            "attributes": None if attributes is None else asdict(attributes),
        }
        require_files(self.weight_files(options))
        # Torch is set up when this is imported: whoever only checks a configuration does not wait for that.
        from synth.torch_runtime import compile_networks, networks_fit, prepare

        self._device = prepare(device)
        with networks_fit(self._device):
            self._load_network(Path(weights), (encoder_heads, decoder_heads), precision)
            self._load_pose_network(poses, Path(weights), Path(pose_weights or weights))
            self._load_estimators(attributes)
        if compile:
            compile_networks([self._network])

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the checkpoints, the pictures of landmarks and the estimators that the options name."""
        return vec2face_files(options)

    def generate(self, vectors: Vectors, indices: npt.NDArray[np.int32], seeds: npt.NDArray[np.uint64]) -> Generated:
        """Generates one image a row; each depends on its own vector, index and seed.

        Args:
            vectors: float32 (B, 512), raw ArcFace embeddings, 8 to 60 long.
            indices: int32 (B,), 0.. within the identity; they decide the strength of the perturbation.
            seeds: uint64 (B,), below 2**63.

        Raises:
            VectorsError: a vector has another size or length.
            DeviceMemoryError: the batch does not fit the device.
            PrecisionError: numbers overflowed.
        """
        import torch

        from synth.torch_runtime import batch_fits

        self.check_vectors(vectors)
        rows, option = len(vectors), "images.batch_size"
        if self._targets is not None:
            rows, option = self._targets.rows_at_once, "generator.attributes.rows_at_once"
        with batch_fits(rows, option), torch.inference_mode(self._optimiser is None):
            inputs = self._inputs(vectors, indices, seeds)
            if self._optimiser is None:
                images, outcome = self._images(inputs, inputs.vectors, None), None
            else:
                outcome = self._optimiser.optimise(
                    partial(self._images, inputs), inputs.vectors, inputs.identities, inputs.yaw_targets
                )
                images = outcome.images
            pixels = _pixels(images)
        return Generated(images=pixels, truth=self._truth(inputs, outcome))

    def _inputs(self, vectors: Vectors, indices: npt.NDArray[np.int32], seeds: npt.NDArray[np.uint64]) -> _Inputs:
        """Draws all that a batch needs; nothing waits for the device."""
        import torch

        from synth.networks.vec2face import masks_of
        from synth.noise import normal, seeds_to, truncated_normal, uniform

        keys = seeds_to(seeds, self._device)
        identities = torch.tensor(vectors, device=self._device)
        strengths = self._strengths[indices % len(self._strengths)]
        noise = normal(keys, _PERTURBATION, (self.vector_size,))
        limits = self._rates
        rates = truncated_normal(
            keys, _RATE, mean=limits.peak, spread=limits.spread, least=limits.least, most=limits.most
        )
        low, high = (self._targets and self._targets.yaw_degrees) or (0.0, 0.0)
        return _Inputs(
            identities=identities,
            vectors=perturbed(identities, noise, torch.from_numpy(strengths).to(self._device)),
            strengths=strengths,
            rates=rates,
            masks=masks_of(uniform(keys, _TOKENS, (self._network.tokens,)), rates, limits.least),
            poses=self._poses.ask(seeds, _POSE) if self._poses is not None else None,
            yaw_targets=low + (high - low) * uniform(keys, _YAW_TARGET, (1,))[:, 0],
        )

    def _images(self, inputs: _Inputs, vectors: Tensor, rows: Tensor | None) -> Tensor:
        """Makes images of vectors, with masks and poses of the named rows of the batch; None: all."""
        masks = inputs.masks
        pose = inputs.poses.tokens if inputs.poses is not None else None
        if rows is not None:
            masks, pose = masks.of_rows(rows), pose[rows] if pose is not None else None
        images: Tensor = self._network(vectors, masks, pose)
        return images

    def _truth(self, inputs: _Inputs, outcome: Outcome | None) -> dict[str, npt.NDArray[Any]]:
        """Returns the declared columns."""
        count, asked = len(inputs.strengths), inputs.poses
        truth: dict[str, npt.NDArray[Any]] = {
            name: np.zeros(count, dtype=column.dtype) for name, column in self.truth.items()
        }
        truth |= {"mask_rate": inputs.rates.cpu().numpy(), "perturbation": inputs.strengths}
        if asked is not None:
            truth |= {"asked_yaw": asked.yaw, "asked_pitch": asked.pitch}
        if outcome is not None:
            columns = {
                "optimised": outcome.met,
                "optimised_steps": outcome.steps,
                "optimised_quality": outcome.quality,
                "optimised_similarity": outcome.similarity,
                "optimised_yaw": outcome.yaw,
            }
            truth |= {name: values.cpu().numpy() for name, values in columns.items()}
        return truth

    def _load_network(self, path: Path, heads: tuple[int, int], precision: Precision) -> None:
        import torch

        from synth.networks.vec2face import load_vec2face
        from synth.torch_runtime import DTYPES

        network = load_vec2face(path, heads)
        if network.vector_size != self.vector_size:
            raise WeightsError(f"{path}: takes vectors of {network.vector_size} numbers, expected {self.vector_size}")
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network.to(self._device, DTYPES[precision]).requires_grad_(False)

    def _load_pose_network(self, poses: Poses | None, weights: Path, path: Path) -> None:
        self._poses: PoseAsker | None = None
        if poses is None:
            return
        from synth.networks.vec2face_pose import load_pose_condition
        from synth.vec2face.posing import PoseAsker

        if not self._network.has_low_rank_terms:
            raise WeightsError(
                f"{weights}: has no low-rank terms, and without them the network was not trained for `poses`; take "
                "pose_model.pth of Vec2Face+, or leave `poses` out"
            )
        condition = load_pose_condition(path)
        if condition.linear.out_features != self._network.width:
            raise WeightsError(
                f"{path}: tokens of {condition.linear.out_features} numbers, the generator's have {self._network.width}"
            )
        self._poses = PoseAsker(poses, condition, self._device)

    def _load_estimators(self, attributes: AttributeTargets | None) -> None:
        self._optimiser: AttributeOptimiser | None = None
        if attributes is None:
            return
        from synth.vec2face.attribute_optimisation import AttributeOptimiser

        self._optimiser = AttributeOptimiser(attributes, self._device)


def _pixels(images: Tensor) -> Images:
    """Maps float images (B, 3, H, W), -1..1, to uint8 (B, H, W, 3); fractions are cut off, as published."""
    import torch

    from synth.torch_runtime import require_finite

    require_finite(images)
    levels = ((images.float() + 1) / 2 * 255).clamp(0, 255).to(torch.uint8)
    pixels: Images = levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels
