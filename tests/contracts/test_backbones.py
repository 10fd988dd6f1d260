"""What every backbone in the folder promises."""

import importlib.util

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from safetensors.torch import load_file, save_file  # noqa: E402

from synth.components import ComponentSpec, available, build  # noqa: E402
from synth.errors import ComponentError  # noqa: E402

TINY = {  # options that make a backbone small enough for a test
    "iresnet": {"width": 2, "embedding_size": 16},
    "mobilefacenet": {"scale": 1, "embedding_size": 16},
    "small": {"width": 4, "input_size": 32, "embedding_size": 16},
    "timm": {"name": "resnet10t", "input_size": 64, "embedding_size": 16},
}
HAS_TIMM = all(importlib.util.find_spec(name) for name in ("timm", "torchvision"))
NO_TIMM = pytest.mark.skipif(not HAS_TIMM, reason="timm or torchvision is not installed")
BACKBONES = [pytest.param(name, marks=NO_TIMM if name == "timm" else ()) for name in available("backbone")]


def made(name, seed=0):
    torch.manual_seed(seed)
    return build(ComponentSpec("backbone", name, TINY.get(name, {})))


@pytest.fixture(params=BACKBONES)
def backbone(request):
    return made(request.param)


def faces_for(backbone, count=3, seed=1):
    side = backbone.input_size
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def embedded(backbone, faces):
    with torch.inference_mode():
        return backbone(faces)


@pytest.mark.parametrize("is_training", [True, False])
def test_a_backbone_gives_one_finite_embedding_a_face(backbone, is_training):
    embeddings = embedded(backbone.train(is_training), faces_for(backbone))

    assert (embeddings.shape, embeddings.dtype) == ((3, backbone.embedding_size), torch.float32)
    assert embeddings.isfinite().all()
    assert not torch.equal(embeddings[0], embeddings[1])


def test_an_evaluated_backbone_says_the_same_again_and_each_face_by_itself(backbone):
    backbone.eval()
    faces = faces_for(backbone)
    before = {name: value.clone() for name, value in backbone.state_dict().items()}

    first, second, alone = (embedded(backbone, batch) for batch in (faces, faces, faces[1:2]))

    assert torch.equal(first, second)
    assert torch.allclose(first[1:2], alone, rtol=1e-4, atol=1e-4 * float(first.abs().max()))
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_file_of_its_state_makes_the_same_backbone(backbone, tmp_path, request):
    name = request.node.callspec.params["backbone"]
    backbone(faces_for(backbone))  # moves the statistics of its normalisations
    save_file(backbone.state_dict(), tmp_path / "backbone.safetensors")

    again = made(name, seed=1)
    again.load_state_dict(load_file(tmp_path / "backbone.safetensors"))

    faces = faces_for(backbone, seed=2)
    assert torch.equal(embedded(again.eval(), faces), embedded(backbone.eval(), faces))


def test_gradients_reach_every_parameter_that_learns(backbone):
    weights = torch.randn(3, backbone.embedding_size, generator=torch.Generator().manual_seed(3))

    (backbone(faces_for(backbone)) * weights).sum().backward()

    learning = {name: value.grad for name, value in backbone.named_parameters() if value.requires_grad}
    assert all(grad is not None and grad.isfinite().all() for grad in learning.values())
    assert next(iter(learning.values())).norm() > 1e-6  # of the first layer
    # some start with branches that count for nothing yet
    assert sum(bool(grad.any()) for grad in learning.values()) > len(learning) / 2


def test_fresh_parameters_follow_the_global_seed(backbone, request):
    name = request.node.callspec.params["backbone"]

    again, other = made(name).state_dict(), made(name, seed=1).state_dict()

    assert all(torch.equal(value, again[key]) for key, value in backbone.state_dict().items())
    assert not all(torch.equal(value, other[key]) for key, value in backbone.state_dict().items())


def test_in_mixed_precision_embeddings_stay_in_float32(backbone):
    faces = faces_for(backbone)
    exact = embedded(backbone, faces)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = embedded(backbone, faces)

    assert rough.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(exact, rough).mean() > 0.95


def test_an_iresnet_with_instance_norms_learns_everywhere_and_says_what_it_cannot_have():
    options = TINY["iresnet"] | {"instance_norms": 3}
    backbone = build(ComponentSpec("backbone", "iresnet", options))
    backbone(faces_for(backbone)).sum().backward()

    assert all(parameter.grad is not None for parameter in backbone.parameters() if parameter.requires_grad)
    with pytest.raises(ComponentError, match="instance_norms 5: expected 0 to 4"):
        build(ComponentSpec("backbone", "iresnet", options | {"instance_norms": 5}))
