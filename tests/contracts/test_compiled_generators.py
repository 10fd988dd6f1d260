"""Generators whose networks are compiled, as torch traces them; kernels are left out, making them takes minutes."""

from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from synth.components import build
from tests.contracts.test_generators import INDICES, SEEDS, vectors_for
from tests.tiny_weights import generator_spec

NETWORKS = {"arc2face in few steps": 2, "idiff": 2, "vec2face": 1, "vec2face with poses": 1}


@pytest.fixture
def graphs(monkeypatch):
    """Has torch run what it traced as it is; gives the traced graphs."""
    compile_module, traced = nn.Module.compile, []

    def backend(graph, inputs):
        traced.append(graph)
        return graph.forward

    monkeypatch.setattr(
        nn.Module, "compile", lambda self, *, dynamic, options: compile_module(self, dynamic=dynamic, backend=backend)
    )
    return traced


@pytest.mark.parametrize("variant", NETWORKS)
def test_a_compiled_network_is_one_graph_a_batch_size_and_makes_the_same_images(variant, graphs, tmp_path):
    spec = generator_spec(variant, tmp_path)
    plain, compiled = build(spec), build(replace(spec, options=spec.options | {"compile": True}))
    vectors = vectors_for(plain)

    for sizes, rows in enumerate((4, 3, 4), start=1):
        batch = vectors[:rows], INDICES[:rows], SEEDS[:rows]
        expected, images = plain.generate(*batch).images, compiled.generate(*batch).images

        assert np.abs(images.astype(int) - expected).max() <= 1
        assert len(graphs) == NETWORKS[variant] * min(sizes, 2)
