"""What every head in the folder promises."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from synth.components import ComponentSpec, available, build  # noqa: E402
from synth.errors import ComponentError  # noqa: E402

HEADS = {name: ComponentSpec("head", name) for name in available("head")} | {
    "elasticface cos": ComponentSpec("head", "elasticface", {"base": "cos"}),
    "elasticface plus": ComponentSpec("head", "elasticface", {"plus": True}),
    "magface with an easy margin": ComponentSpec("head", "magface", {"easy_margin": True}),
    "triplet of hard ones": ComponentSpec("head", "triplet", {"selection": "hard"}),
    "arcface with a filter": ComponentSpec("head", "arcface", {"ignore_above": 0.4}),
}
LABELS = torch.tensor([0, 2, 1, 0, 2, 1, 3, 3])


@pytest.fixture(params=HEADS)
def head(request):
    torch.manual_seed(0)
    return build(HEADS[request.param], num_labels=4, embedding_size=6)


def embeddings_of(rows=8, seed=1):
    return 8 * torch.randn(rows, 6, generator=torch.Generator().manual_seed(seed))


def test_a_head_gives_a_finite_loss_and_a_similarity_and_a_hit_for_each_sample(head):
    result = head(embeddings_of(), LABELS)

    assert (result.loss.shape, result.loss.dtype) == ((), torch.float32)
    assert result.loss.isfinite()
    assert (result.similarities.shape, result.similarities.dtype) == ((8,), torch.float32)
    assert result.similarities.abs().max() <= 1 + 1e-6
    assert (result.hits.shape, result.hits.dtype) == ((8,), torch.bool)
    assert not result.similarities.requires_grad


def test_gradients_reach_embeddings_and_all_parameters(head):
    embeddings = embeddings_of().requires_grad_()

    head(embeddings, LABELS).loss.backward()

    assert embeddings.grad.isfinite().all()
    assert embeddings.grad.norm() > 1e-4
    for parameter in head.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.norm() > 1e-4


def test_a_head_leaves_what_it_is_given(head):
    embeddings, labels = embeddings_of(), LABELS.clone()

    head(embeddings, labels)

    assert torch.equal(embeddings, embeddings_of())
    assert torch.equal(labels, LABELS)


def test_half_precision_comes_in_and_the_loss_is_computed_in_float32(head):
    rough = embeddings_of().bfloat16()
    torch.manual_seed(2)
    exact = head.eval()(rough.float(), LABELS).loss
    rough.requires_grad_()
    torch.manual_seed(2)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = head(rough, LABELS).loss
    loss.backward()

    assert loss.dtype == torch.float32
    assert torch.equal(loss, exact)
    assert rough.grad.dtype == torch.bfloat16
    assert rough.grad.isfinite().all()


def test_a_head_is_a_function_of_the_global_seed(head):
    losses, state = [], {name: value.clone() for name, value in head.state_dict().items()}
    for _ in range(2):
        head.load_state_dict(state)
        torch.manual_seed(3)
        losses.append(head(embeddings_of(), LABELS).loss)

    assert torch.equal(*losses)


@pytest.mark.parametrize("name", HEADS)
def test_a_head_goes_on_from_its_state(name):
    head, again = (build(HEADS[name], num_labels=4, embedding_size=6) for _ in range(2))
    head(embeddings_of(), LABELS)

    again.load_state_dict(head.state_dict())

    losses = []
    for continued in (head, again):
        torch.manual_seed(3)
        losses.append(continued(embeddings_of(seed=2), LABELS).loss)
    assert torch.equal(*losses)


def test_an_evaluated_head_changes_nothing_and_says_the_same_again(head):
    head.eval()
    before = {name: value.clone() for name, value in head.state_dict().items()}

    first, second = (head(embeddings_of(), LABELS).loss for _ in range(2))

    assert torch.equal(first, second)
    for name, value in head.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("cosine", [1.0, -1.0])
def test_embeddings_on_their_centre_or_opposite_to_it_have_finite_gradients(head, cosine):
    directions = torch.eye(6)[:4]
    for parameter in head.parameters():
        parameter.data.copy_(directions)
    embeddings = (20 * cosine * directions[LABELS]).requires_grad_()

    loss = head(embeddings, LABELS).loss
    loss.backward()

    assert loss.isfinite()
    assert embeddings.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in head.parameters())


@pytest.mark.parametrize("length", [0.0, 1e-20, 1e15])
def test_embeddings_of_any_length_have_finite_gradients(head, length):
    embeddings = embeddings_of()
    embeddings[0] *= length
    embeddings.requires_grad_()

    loss = head(embeddings, LABELS).loss
    loss.backward()

    assert loss.isfinite()
    assert embeddings.grad.isfinite().all()
    assert all(value.isfinite().all() for value in head.state_dict().values())


def test_a_batch_of_one_is_judged_and_harms_no_state(head):
    result = head(embeddings_of(1), LABELS[:1])

    assert result.loss.isfinite()
    assert all(value.isfinite().all() for value in head.state_dict().values())


@pytest.mark.parametrize("name", HEADS)
def test_a_head_teaches_to_tell_labels_apart(name):
    torch.manual_seed(0)
    labels = torch.arange(6).repeat(6)
    faces = torch.cat([2 * torch.eye(6)[labels], torch.randn(36, 18)], dim=1)
    network = nn.Sequential(nn.Linear(24, 8), nn.BatchNorm1d(8))
    head = build(HEADS[name], num_labels=6, embedding_size=8)
    optimiser = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=0.02)

    rates = []
    for _ in range(120):
        result = head(network(faces), labels)
        optimiser.zero_grad()
        result.loss.backward()
        optimiser.step()
        rates.append(float(result.hits.float().mean()))

    assert rates[0] < 0.5
    assert rates[-1] > 0.95


@pytest.mark.parametrize("name", [name for name in HEADS if "triplet" not in name])
def test_there_have_to_be_two_labels_to_tell_apart(name):
    with pytest.raises(ComponentError, match="num_labels 1: expected at least 2"):
        build(HEADS[name], num_labels=1, embedding_size=6)
