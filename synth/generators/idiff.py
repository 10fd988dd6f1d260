"""IDiff-Face and its kin, UIFace, ADMIS and NegFaceDiff: faces of an identity vector by latent diffusion."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from synth.errors import VectorsError
from synth.extras import require_extra
from synth.generators.base import Generator
from synth.idiff.options import ALL_THE_SAME, Negative, Sampling, Scheduler
from synth.idiff.weight_files import idiff_files
from synth.precision import Precision
from synth.similarity import unit
from synth.spaces import ELASTICFACE_MS1MV2
from synth.types import Generated, Vectors
from synth.vectors.files import read_vectors
from synth.weights.files import WeightFile, require_files


class Idiff(Generator):
    """Boutros et al. (2023), "IDiff-Face", and the checkpoints of others that have its network.

    These are ADMIS (FRCSyn challenge, CVPR 2024), NegFaceDiff (Caldeira et al. 2025) and UIFace (Lin et al. 2025),
    whose empty context is learned. Vectors are unit-length embeddings of ElasticFace-Arc. Pictures are 128 px and not
    aligned.

    As published IDiff-Face takes all 1000 steps of 'ddpm' without guidance; ADMIS takes 50 of 'ddim'; UIFace takes 50
    with `two_stage` and guidance 2; NegFaceDiff takes guidance 1.5 away from another identity's vector.

    Args:
        weights: checkpoint, .ckpt or .safetensors, or a folder like trained_models/unet-cond-ca-bs512-150K-cpd25.
        first_stage: first_stage_decoder_state_dict.pt, or .safetensors made of it.
        scheduler: 'ddpm' takes all steps with fresh noise at each; 'ddim' and 'dpm', which is DPM-Solver++(2M), few of
            them without.
        steps: of the scheduler; by default all with 'ddpm', 50 with 'ddim', 20 with 'dpm'.
        guidance: strength of classifier-free guidance, 1 to 30; 1 is none, at half the cost.
        negative: what guidance steers away from: 'empty' is nobody, 'opposite' the negated vector, 'random' a vector
            drawn from the sample's seed, 'farthest' and 'closest' that one of `negative_vectors` by cosine.
        negative_vectors: file of identity vectors to choose from.
        two_stage: UIFace's sampling, for its weights.
        precision: which the networks compute in; noise is drawn and taken away in float32.
        compile: compiles the networks, which takes minutes and then is faster.
        device: 'cpu', 'cuda' or 'cuda:N'.

    Attributes:
        model: the networks and the way to sample, put together.

    Raises:
        ComponentError: torch is not installed.
        ValueError: an option is out of range, or two do not go together.
        VectorsError: `negative_vectors` cannot be read or do not fit.
        WeightsError: a file is missing, damaged or of another network.
    """

    version: ClassVar[int] = 1
    vector_size: ClassVar[int] = 512
    vector_norm: ClassVar[str] = "unit"
    vector_space: ClassVar[str | None] = ELASTICFACE_MS1MV2
    license: ClassVar[str] = "other"  # that of the weights, which differ
    image_size: ClassVar[int] = 128

    def __init__(
        self,
        *,
        weights: str,
        first_stage: str,
        scheduler: Scheduler = "ddim",
        steps: int | None = None,
        guidance: float = 1.0,
        negative: Negative = "empty",
        negative_vectors: str | None = None,
        two_stage: bool = False,
        precision: Precision = "float32",
        compile: bool = False,
        device: str = "cpu",
    ) -> None:
        require_extra("diffusion", "torch")
        if compile and two_stage:
            raise ValueError("two_stage changes attention from outside the networks and cannot be compiled")
        sampling = Sampling(scheduler=scheduler, steps=steps, guidance=guidance, negative=negative, two_stage=two_stage)
        others = _others(negative, negative_vectors, self.vector_size)
        require_files(self.weight_files({"weights": weights, "first_stage": first_stage}))
        # Torch is set up when these are imported: whoever only checks a configuration does not wait for that.
        from synth.idiff.latent_diffusion import load_latent_diffusion
        from synth.torch_runtime import DTYPES, compile_networks, networks_fit, prepare

        where, dtype = prepare(device), DTYPES[precision]
        with networks_fit(where):
            self.model = load_latent_diffusion(
                Path(weights), Path(first_stage), sampling, others, device=where, dtype=dtype
            )
        if compile:
            compile_networks([self.model.unet, self.model.decoder])

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the checkpoint, the configuration beside it where there is one, first stage and negatives."""
        return idiff_files(options)

    def generate(self, vectors: Vectors, indices: npt.NDArray[np.int32], seeds: npt.NDArray[np.uint64]) -> Generated:
        """Generates one picture a row; each depends on its own vector and seed alone.

        Args:
            vectors: float32 (B, 512), unit L2 norm.
            indices: int32 (B,), not used: the seeds already differ.
            seeds: uint64 (B,), below 2**63.

        Returns:
            uint8 RGB (B, 128, 128, 3) with the published weights; else the side that training configured.

        Raises:
            VectorsError: a vector has another size or is no unit vector.
            DeviceMemoryError: the batch does not fit the device.
            PrecisionError: numbers overflowed.
        """
        from synth.torch_runtime import batch_fits

        self.check_vectors(vectors)
        with batch_fits(len(vectors)):
            return Generated(images=self.model.generate(vectors, seeds), truth={})


def _others(negative: Negative, path: str | None, size: int) -> Vectors | None:
    """Returns the vectors that negatives are chosen from, float32 (N, size), unit L2 norm; None where none are."""
    is_chosen = negative in ("farthest", "closest")
    if is_chosen != (path is not None):
        raise ValueError(f"negative '{negative}' {'needs' if is_chosen else 'takes no'} `negative_vectors`")
    if path is None:
        return None
    others = unit(read_vectors(Path(path)))
    if others.shape[1] != size or len(others) < 2:
        raise VectorsError(f"{path}: has vectors {others.shape}, expected two or more of {size} to choose from")
    if (others @ others[0]).min() > ALL_THE_SAME:
        raise VectorsError(f"{path}: all {len(others)} vectors are the same person; give at least two different ones")
    return others
