"""Trains a backbone and a head on an exported dataset."""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from synth.errors import ConfigError, TrainingError, WeightsError
from synth.faces.embedding import embed_in_batches
from synth.torch_runtime import DTYPES, prepare
from synth.training.augmentation.batch import augmented, network_input
from synth.training.augmentation.draws import Draws
from synth.training.augmentation.options import Augmentation
from synth.training.average import RunningMean
from synth.training.backbones.base import Backbone
from synth.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from synth.training.embedding import features
from synth.training.feed import Batch, FaceFeed, load
from synth.training.heads.base import Head, HeadResult
from synth.training.model_file import ModelDescription, save_model
from synth.training.optimisers import optimiser_for
from synth.training.recipe import Recipe
from synth.training.validation import Validation
from synth.types import Embeddings, Images

MODEL: Final = "model.safetensors"

_BACKBONE: Final = "backbone."  # of the joint model's parameter names


class _Joint(nn.Module):
    """Backbone and head as one module, so that several devices share one backward pass."""

    def __init__(self, backbone: Backbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, faces: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        result: HeadResult = self.head(self.backbone(faces), labels)
        return result.loss, result.similarities, result.hits


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened in the steps since the last report.

    Attributes:
        step: steps done.
        loss: mean over these steps.
        similarity: mean cosine of the images to what they should be near.
        hits: share of images that are nearest to it.
        learning_rate: of the last step.
    """

    step: int
    loss: float
    similarity: float
    hits: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The equal error rate on the held-out identities after some steps, and whether it is the lowest so far."""

    step: int
    equal_error_rate: float
    is_best: bool


class Trainer:
    """One training in a folder: it begins there, or goes on from its checkpoint as if it had never stopped.

    Every random number of a step follows from the seed and the step's number. What is kept, as `model.safetensors`,
    is what did best on the held-out identities; no benchmark of real faces has a say in it.

    Args:
        backbone: fresh.
        head: for the labels of the feed.
        feed: makes the feed from a step on, for a rank of a number of ranks.
        validation: judges.
        recipe: steps and rates.
        augmentation: of the images.
        folder: of the training; it exists.
        description: goes into the model file.
        seed: 0 .. .
        device: 'cpu', or 'cuda' for the GPU that accelerate gives this process.
        num_workers: processes that read ahead.

    Raises:
        ConfigError: the device is not there.
        WeightsError: the folder's checkpoint is damaged, or of another backbone or head.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: Head,
        feed: Callable[[int, int, int], FaceFeed],
        validation: Validation,
        recipe: Recipe,
        augmentation: Augmentation,
        folder: Path,
        description: ModelDescription,
        *,
        seed: int,
        device: str = "cpu",
        num_workers: int = 0,
    ) -> None:
        self._accelerator = _accelerator(device)
        self._recipe, self._augmentation = recipe, augmentation
        self._feed, self._validation = feed, validation
        self._folder, self._description = folder, description
        self._seed, self._num_workers = seed, num_workers
        joint = _Joint(backbone, head).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = optimiser_for(joint, recipe)
        self._input_size = backbone.input_size
        self._joint, self._optimiser = self._accelerator.prepare(joint, optimiser)
        self._mean = RunningMean(self._plain, recipe.average)
        self.step, self._best = 0, math.inf
        self._sums, self._since = torch.zeros(3, dtype=torch.float64), 0  # of what is not reported yet
        self._unread: deque[tuple[int, Tensor]] = deque()  # steps whose numbers the device may still be at work on
        state = load_checkpoint(folder, self._plain, self._mean, self._optimiser)
        if state is not None:
            self.step, self._best = state.step, state.best
            self._sums, self._since = torch.tensor(state.sums, dtype=torch.float64), state.since

    @property
    def _plain(self) -> _Joint:
        """Backbone and head, without what accelerate wraps around them."""
        plain: _Joint = self._accelerator.unwrap_model(self._joint)
        return plain

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes."""
        return bool(self._accelerator.is_main_process)

    def run(self, report: Callable[[Progress], None], judged: Callable[[Judgement], None]) -> None:
        """Trains to the last step.

        Args:
            report: told of every `log_every` steps.
            judged: told of each look at the held-out identities.

        Raises:
            TrainingError: the loss or the gradient is NaN or infinite.
            ShardError: an image cannot be read.
        """
        recipe, rank = self._recipe, self._accelerator.process_index
        if self.step >= recipe.steps:
            return
        feed = self._feed(self.step, rank, self._accelerator.num_processes)
        for batch in load(feed, self._num_workers, pin=self._accelerator.device.type == "cuda"):
            self._unread.append((self.step, self._train(batch, self.step, rank)))
            self._read(ahead=1)  # a GPU works on a step while the next one is prepared
            self.step += 1
            if self.step % recipe.log_every == 0 or self.step == recipe.steps:
                report(self._progress())
            if self.step % recipe.validate_every == 0 or self.step == recipe.steps:
                judged(self._judge())
            if self.step % recipe.checkpoint_every == 0 or self.step == recipe.steps:
                self._save()
            if self.step == recipe.steps:
                return

    def _progress(self) -> Progress:
        """Returns the means since the last call."""
        self._read()
        loss, similarity, hits = (self._sums / (self.step - self._since)).tolist()
        self._sums, self._since = torch.zeros_like(self._sums), self.step
        return Progress(self.step, loss, similarity, hits, self._recipe.learning_rate_at(self.step - 1))

    def _train(self, batch: Batch, step: int, rank: int) -> Tensor:
        """Takes one step; returns loss, mean similarity, share of hits and the gradient's norm, float32 (4,)."""
        device = self._accelerator.device
        images, labels = (part.to(device, non_blocking=True) for part in batch)
        draws = Draws(len(images), self._seed, step, rank)
        torch.manual_seed(draws.seed("step"))  # of dropout and of the margins that some heads draw
        faces = network_input(augmented(images, draws, self._augmentation), self._input_size)
        faces = faces.contiguous(memory_format=torch.channels_last)
        self._joint.train()
        for group in self._optimiser.param_groups:
            group["lr"] = self._recipe.learning_rate_at(step)
        mixed = self._recipe.precision != "float32"  # by torch itself: accelerate has one precision a process
        with torch.autocast(device.type, DTYPES[self._recipe.precision], enabled=mixed):
            loss, similarities, hits = self._joint(faces, labels)
        self._optimiser.zero_grad(set_to_none=True)
        self._accelerator.backward(loss)
        norm = self._accelerator.clip_grad_norm_(self._joint.parameters(), self._recipe.max_gradient_norm)
        assert norm is not None  # only DeepSpeed keeps it to itself
        self._optimiser.step()
        self._mean.update(self._plain, step)
        return torch.stack([loss.detach(), similarities.nanmean(), hits.float().mean(), norm]).float()

    def _read(self, ahead: int = 0) -> None:
        """Takes in the numbers of all steps but the last few; before anything is judged or saved, of all.

        Raises:
            TrainingError: the loss or the gradient of a step is NaN or infinite.
        """
        while len(self._unread) > ahead:
            step, numbers = self._unread.popleft()
            loss, *_, norm = found = numbers.double().cpu()
            for what, value in (("loss", loss), ("gradient's norm", norm)):
                if not torch.isfinite(value):
                    raise TrainingError(
                        f"{self._folder}: step {step}: the {what} is {value.item()}; the checkpoint of before stays; "
                        "begin anew in another folder with a lower learning_rate or max_gradient_norm, or more "
                        "warmup_steps"
                    )
            self._sums += found[:3]

    def _judge(self) -> Judgement:
        """Looks at the held-out identities with the mean of the parameters; the best one becomes the model file."""
        self._read()
        plain = self._plain
        kept = {name: value.clone() for name, value in plain.state_dict().items()}
        plain.load_state_dict(self._mean.tensors)
        plain.eval()
        rate = self._validation.equal_error_rate(self._embed)
        plain.load_state_dict(kept)
        is_best = rate <= self._best  # of equals the later one, it was trained longer
        if is_best:
            self._best = rate
            if self.is_main:
                save_model(self._folder / MODEL, self._backbone_tensors(), self._description)
        return Judgement(self.step, rate, is_best)

    def _embed(self, faces: Images) -> Embeddings:
        backbone, batch_size = self._plain.backbone, self._recipe.batch_size
        device, precision = self._accelerator.device, self._recipe.precision
        embed = functools.partial(features, backbone, device=device, precision=precision, flip=True)
        try:
            return embed_in_batches(faces, batch_size, backbone.embedding_size, embed)
        except WeightsError as error:
            raise TrainingError(f"{self._folder}: step {self.step}: {error}") from error

    def _backbone_tensors(self) -> Mapping[str, Tensor]:
        return {
            name.removeprefix(_BACKBONE): value
            for name, value in self._mean.tensors.items()
            if name.startswith(_BACKBONE)
        }

    def _save(self) -> None:
        self._read()
        if self.is_main:
            state = TrainingState(step=self.step, best=self._best, sums=self._sums.tolist(), since=self._since)
            save_checkpoint(self._folder, self._plain, self._mean, self._optimiser, state)
        self._accelerator.wait_for_everyone()


def _accelerator(device: str) -> Accelerator:
    """Makes torch deterministic; the precision is the recipe's, whatever `accelerate config` was told."""
    try:
        prepare(device)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return Accelerator(cpu=device == "cpu", mixed_precision="no")
