"""Arc2Face: portraits of an identity vector through a fine-tuned Stable Diffusion 1.5."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from synth.arc2face.weight_files import arc2face_files
from synth.extras import require_extra
from synth.generators.base import Generator
from synth.guidance import check_guidance
from synth.precision import Precision
from synth.spaces import ARCFACE_WEBFACE42M
from synth.types import Generated, Vectors
from synth.weights.files import WeightFile, require_files

STEPS: Final = 25
GUIDANCE: Final = 3.0
FEW_STEPS: Final = 4  # with the LoRA
FEW_STEP_GUIDANCE: Final = 1.0


class Arc2Face(Generator):
    """Papantoniou et al. (2024), "Arc2Face: A Foundation Model for ID-Consistent Human Faces".

    Vectors are unit-length ArcFace embeddings of the published `arcface.onnx` (IR-100, WebFace42M); those of
    antelopev2's glintr100.onnx make other people. Pictures are 512 px portraits, not aligned.

    As published it takes 25 steps of DPM-Solver++(2M) at guidance 3, two network evaluations each. With the `lora` of
    latent consistency (Luo et al. 2023, "LCM-LoRA") it takes 4 steps of one evaluation. Then the autoencoder is half
    of the work, which `tiny_vae`, an approximation of it, avoids.

    Args:
        weights: folder as in FoivosPar/Arc2Face: arc2face/ and encoder/.
        base: folder as in stable-diffusion-v1-5/stable-diffusion-v1-5: scheduler/, tokenizer/ and vae/.
        steps: of the scheduler; by default 25, with `lora` 4.
        guidance: strength of classifier-free guidance, >= 1, where 1 is none at half the cost; by default 3, with
            `lora` 1.
        lora: file pytorch_lora_weights.safetensors of latent-consistency/lcm-lora-sdv1-5, for few steps.
        tiny_vae: folder as in madebyollin/taesd, which then stands in for the vae of `base`.
        precision: which networks compute in; noise is drawn and taken away in float32.
        compile: has torch compile the networks, which takes minutes at the first batch of each size.
        device: 'cpu', 'cuda' or 'cuda:N'.

    Attributes:
        model: the networks and the scheduler, put together.

    Raises:
        ComponentError: a package of the extra 'diffusion' is missing.
        ValueError: steps, guidance or the device are out of range.
        WeightsError: a file is missing, damaged or of another network.
    """

    version: ClassVar[int] = 1
    vector_size: ClassVar[int] = 512
    vector_norm: ClassVar[str] = "unit"
    vector_space: ClassVar[str | None] = ARCFACE_WEBFACE42M

    def __init__(
        self,
        *,
        weights: str,
        base: str,
        steps: int | None = None,
        guidance: float | None = None,
        lora: str | None = None,
        tiny_vae: str | None = None,
        precision: Precision = "float32",
        compile: bool = False,
        device: str = "cpu",
    ) -> None:
        require_extra("diffusion", "torch", "diffusers", "transformers")
        few = lora is not None
        steps = steps if steps is not None else (FEW_STEPS if few else STEPS)
        guidance = guidance if guidance is not None else (FEW_STEP_GUIDANCE if few else GUIDANCE)
        check_guidance(guidance)
        require_files(self.weight_files({"weights": weights, "base": base, "lora": lora, "tiny_vae": tiny_vae}))
        # Torch is set up when these are imported: whoever only checks a configuration does not wait for that.
        from synth.arc2face.identity_diffusion import load_identity_diffusion
        from synth.arc2face.noise_schedule import read_noise_schedule
        from synth.arc2face.schedulers import DpmSolver, LatentConsistency
        from synth.torch_runtime import DTYPES, networks_fit, prepare

        schedule = read_noise_schedule(Path(base) / "scheduler" / "scheduler_config.json")
        where = prepare(device)
        with networks_fit(where):
            self.model = load_identity_diffusion(
                weights=Path(weights),
                base=Path(base),
                lora=Path(lora) if lora is not None else None,
                tiny_vae=Path(tiny_vae) if tiny_vae is not None else None,
                scheduler=LatentConsistency(schedule, steps) if few else DpmSolver(schedule, steps),
                guidance=guidance,
                device=where,
                dtype=DTYPES[precision],
                compile=compile,
            )

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the files of the folders that options `weights`, `base` and `tiny_vae` name, and `lora`."""
        return arc2face_files(options)

    def generate(self, vectors: Vectors, indices: npt.NDArray[np.int32], seeds: npt.NDArray[np.uint64]) -> Generated:
        """Generates one picture a row; noise comes from its seed alone.

        Args:
            vectors: float32 (B, 512), unit L2 norm; equal ones side by side or not, each is encoded once.
            indices: int32 (B,), not used: the seeds already differ.
            seeds: uint64 (B,), below 2**63.

        Returns:
            uint8 RGB (B, 512, 512, 3) with the published weights; with others the side is the `sample_size` of the
            denoising network times the scale of the autoencoder.

        Raises:
            VectorsError: a vector has another size or is no unit vector.
            DeviceMemoryError: the batch does not fit the device.
            PrecisionError: numbers overflowed.
        """
        from synth.torch_runtime import batch_fits

        self.check_vectors(vectors)
        with batch_fits(len(vectors)):
            return Generated(images=self.model.generate(vectors, seeds), truth={})
