import pytest
import safetensors.torch
import torch
from accelerate.state import AcceleratorState

from synth.components import ComponentSpec
from synth.errors import ConfigError, TrainingError, WeightsError
from synth.shards.dataset import DatasetReader
from synth.training.augmentation.options import Augmentation
from synth.training.backbones.small import Small
from synth.training.feed import FaceFeed
from synth.training.heads.adaface import AdaFace
from synth.training.heads.cosface import CosFace
from synth.training.model_file import ModelDescription, load_model
from synth.training.recipe import Recipe
from synth.training.split import split
from synth.training.trainer import MODEL, Judgement, Trainer
from synth.training.validation import Validation
from tests.synth.training.faces import write_dataset

BATCH = 12


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("dataset")
    write_dataset(path, identities=10, per_identity=6)
    return DatasetReader(path)


def trainer(dataset, folder, head=CosFace, width=4, augmentation=None, device="cpu", **recipe):
    training, held_out = split(dataset, held_out=4, min_images=2, seed=0)
    options = {"width": width, "input_size": 16, "embedding_size": 16}
    torch.manual_seed(0)
    backbone = Small(**options)

    def feed(first_step, rank, num_ranks):
        return FaceFeed(
            dataset, BATCH, first_step=first_step, rank=rank, num_ranks=num_ranks, rows=training.rows,
            labels=training.labels,
        )  # fmt: skip

    settings = {"steps": 12, "batch_size": BATCH, "log_every": 2, "validate_every": 4, "checkpoint_every": 4}
    return Trainer(
        backbone,
        head(training.num_labels, 16),
        feed,
        Validation(dataset, held_out, 0),
        Recipe(**(settings | recipe)),
        augmentation or Augmentation(),
        folder,
        ModelDescription(ComponentSpec("backbone", "small", options), 16, "test", {}),
        seed=3,
        device=device,
    )


class KilledError(Exception):
    """Ends a training as a kill does: between two steps, nothing tidied up."""


def train(made, kill_at=None):
    """Trains to the end, or until a step is reported; returns what was reported."""
    seen = []

    def note(what):
        seen.append(what)
        if what.step == kill_at and not isinstance(what, Judgement):
            raise KilledError

    made.run(note, note)
    return seen


@pytest.mark.parametrize("head", [CosFace, AdaFace])
def test_training_lowers_the_loss_and_tells_held_out_identities_apart(dataset, tmp_path, head):
    seen = train(trainer(dataset, tmp_path, head, steps=60, width=8, log_every=10, validate_every=60))

    losses = [what.loss for what in seen if not isinstance(what, Judgement)]
    assert losses[-1] < 0.7 * losses[0]
    assert seen[-1].equal_error_rate < 0.3
    assert load_model(tmp_path / MODEL).embedding_size == 16


@pytest.mark.parametrize("head", [CosFace, AdaFace])
def test_a_killed_training_ends_with_the_same_bytes(dataset, tmp_path, head):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    options = {"average": 0.9, "steps": 10}
    seen = train(trainer(dataset, whole, head, **options))

    with pytest.raises(KilledError):
        train(trainer(dataset, broken, head, **options), kill_at=6)
    resumed = trainer(dataset, broken, head, **options)
    assert resumed.step == 4
    again = train(resumed)

    assert again == [what for what in seen if what.step > 4]
    for name in (
        MODEL,
        "checkpoint/model.safetensors",
        "checkpoint/mean.safetensors",
        "checkpoint/optimiser.safetensors",
    ):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_the_optimiser_s_state_survives_a_kill(dataset, tmp_path, optimiser):
    folders = [tmp_path / "whole", tmp_path / "broken"]
    for folder in folders:
        folder.mkdir()
    options = {"optimiser": optimiser, "learning_rate": 0.01, "steps": 6, "checkpoint_every": 3}
    train(trainer(dataset, folders[0], **options))
    with pytest.raises(KilledError):
        train(trainer(dataset, folders[1], **options), kill_at=4)
    train(trainer(dataset, folders[1], **options))

    first, second = ((folder / "checkpoint" / "model.safetensors").read_bytes() for folder in folders)
    assert first == second


def test_a_finished_training_does_nothing(dataset, tmp_path):
    train(trainer(dataset, tmp_path, steps=4))

    assert train(trainer(dataset, tmp_path, steps=4)) == []


def test_the_model_that_is_kept_is_the_best_on_held_out_identities(dataset, tmp_path):
    options = {"schedule": "step", "milestones": [], "learning_rate": 0.5}
    seen = train(trainer(dataset, tmp_path, steps=20, validate_every=2, **options))
    judged = [what for what in seen if isinstance(what, Judgement)]

    best = [what.equal_error_rate for what in judged if what.is_best]

    assert best == sorted(best, reverse=True)
    assert best[-1] == min(what.equal_error_rate for what in judged)
    (last,) = [what for what in judged if what.is_best and what.equal_error_rate == best[-1]][-1:]
    assert last.step < 20
    (tmp_path / "short").mkdir()
    train(trainer(dataset, tmp_path / "short", steps=last.step, **options))
    assert (tmp_path / MODEL).read_bytes() == (tmp_path / "short" / MODEL).read_bytes()


def test_judging_does_not_change_the_training(dataset, tmp_path):
    folders = [tmp_path / "often", tmp_path / "once"]
    for folder, every in zip(folders, (1, 6), strict=True):
        folder.mkdir()
        train(trainer(dataset, folder, steps=6, validate_every=every, average=0.5))

    first, second = ((folder / "checkpoint" / "model.safetensors").read_bytes() for folder in folders)
    assert first == second


def test_a_loss_that_is_no_number_stops_and_says_where(dataset, tmp_path):
    with pytest.raises(TrainingError, match=r"step 2: the loss is nan; the checkpoint of before stays; begin anew"):
        train(trainer(dataset, tmp_path, head=NotANumber, steps=6, checkpoint_every=1))

    assert trainer(dataset, tmp_path, steps=6, checkpoint_every=1).step == 2


def test_a_gradient_that_is_no_number_stops_before_it_reaches_a_checkpoint(dataset, tmp_path):
    with pytest.raises(TrainingError, match=r"step 2: the gradient's norm is nan; the checkpoint of before stays"):
        train(trainer(dataset, tmp_path, head=SteepHead, steps=6, checkpoint_every=1))

    trainer(dataset, tmp_path, steps=6, checkpoint_every=1)
    tensors = safetensors.torch.load_file(tmp_path / "checkpoint" / "model.safetensors")
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_the_precision_is_the_recipe_s_whatever_accelerate_was_told(dataset, tmp_path, monkeypatch):
    folders = [tmp_path / "plain", tmp_path / "told"]
    for folder, told in zip(folders, ("no", "bf16"), strict=True):
        folder.mkdir()
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", told)
        AcceleratorState._reset_state(reset_partial_state=True)
        train(trainer(dataset, folder, steps=4))

    first, second = ((folder / MODEL).read_bytes() for folder in folders)
    assert first == second


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(dataset, tmp_path):
    with pytest.raises(ConfigError, match="device 'cuda': torch sees 0 CUDA devices; use another or cpu"):
        trainer(dataset, tmp_path, device="cuda")


def test_a_training_goes_on_after_a_crash_within_the_checkpoint_s_replacement(dataset, tmp_path):
    train(trainer(dataset, tmp_path, steps=4))
    (tmp_path / "checkpoint").rename(tmp_path / ".checkpoint.old")

    assert trainer(dataset, tmp_path, steps=8).step == 4


def test_bfloat16_trains(dataset, tmp_path):
    seen = train(trainer(dataset, tmp_path, precision="bfloat16", steps=30, width=8, log_every=10))

    losses = [what.loss for what in seen if not isinstance(what, Judgement)]
    assert losses[-1] < losses[0]


def test_a_checkpoint_of_another_backbone_is_refused(dataset, tmp_path):
    train(trainer(dataset, tmp_path, steps=4))

    with pytest.raises(WeightsError, match=r"model\.safetensors: does not fit"):
        trainer(dataset, tmp_path, steps=8, width=6)


def test_a_checkpoint_of_another_head_is_refused(dataset, tmp_path):
    train(trainer(dataset, tmp_path, steps=4))

    with pytest.raises(WeightsError, match=r"missing: head\."):
        trainer(dataset, tmp_path, steps=8, head=AdaFace)


@pytest.mark.parametrize("state", ["{", "{}", "[]", "3"])
def test_a_torn_checkpoint_is_refused(dataset, tmp_path, state):
    train(trainer(dataset, tmp_path, steps=4))
    (tmp_path / "checkpoint" / "state.json").write_text(state)

    with pytest.raises(WeightsError, match=r"state\.json: cannot be read .* to begin anew"):
        trainer(dataset, tmp_path, steps=8)


class NotANumber(CosFace):
    """Fails in the third step, as a rate that is too high does."""

    calls = 0

    def loss(self, cosines, labels, embeddings):
        self.calls += 1
        return super().loss(cosines, labels, embeddings) * (float("nan") if self.calls == 3 else 1.0)


class SteepHead(CosFace):
    """Has a finite loss without a finite gradient in the third step."""

    calls = 0

    def loss(self, cosines, labels, embeddings):
        self.calls += 1
        found = super().loss(cosines, labels, embeddings)
        return found + (cosines * 0).sum().abs().sqrt() if self.calls == 3 else found
