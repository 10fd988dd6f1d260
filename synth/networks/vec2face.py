"""The network of Vec2Face and Vec2Face+, with the parameter names of the published checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from synth.networks.vec2face_blocks import LAYER_NORM_EPSILON, Block
from synth.networks.vec2face_image_decoder import ImageDecoder, image_decoder_for
from synth.weights.checkpoints import built_from, depth_of, read_checkpoint, tensors_of

HEADS: Final = (12, 16)
"""Attention heads of encoder and decoder as published; no checkpoint says them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vec2FaceShape:
    """Widths and depths of a network.

    Attributes:
        vector: D, numbers of an identity vector.
        tokens: N, cells of the square grid.
        width: C, numbers of a token.
        hidden: numbers between the layers of a feed-forward part.
        depths: blocks of encoder and decoder.
        heads: attention heads of encoder and decoder.
        rank: of the low-rank terms; None: there are none.
        patch: side of the patches of the unused `patch_embed`, px.
    """

    vector: int
    tokens: int
    width: int
    hidden: int
    depths: tuple[int, int]
    heads: tuple[int, int]
    rank: int | None
    patch: int


@dataclass(frozen=True, slots=True)
class Masks:
    """Which tokens of each sample the encoder does not see, and which carry nothing of their own.

    Attributes:
        kept: int64 (B, K), tokens the encoder sees, rising; token 0, the identity's, is always among them.
        masked: bool (B, 1 + N), True: the token's own content is replaced; what is not kept is masked too.
    """

    kept: Tensor
    masked: Tensor

    def of_rows(self, rows: Tensor) -> Masks:
        """Returns the masks of some samples, int64 (b,)."""
        return Masks(self.kept[rows], self.masked[rows])


def masks_of(noise: Tensor, rates: Tensor, least: float) -> Masks:
    """Chooses the tokens that are masked and dropped.

    The ceil(N rate) tokens of the smallest noise are masked, and of these the ceil(N least) smallest are dropped, so
    that all samples keep equally many.

    Args:
        noise: float32 (B, N).
        rates: (B,), share of the N tokens that is masked, `least` <= rate <= 1.
        least: share that is dropped.
    """
    batch, tokens = noise.shape
    order = noise.argsort(dim=1, stable=True)
    ranks = order.argsort(dim=1)
    dropped = math.ceil(tokens * least)
    masked = ranks < torch.ceil(tokens * rates).to(torch.int64).clamp(min=dropped)[:, None]
    kept = order[:, dropped:].sort(dim=1).values + 1
    first = torch.zeros(batch, 1, dtype=torch.int64, device=noise.device)
    return Masks(torch.cat([first, kept], dim=1), torch.cat([first.bool(), masked], dim=1))


class Vec2Face(nn.Module):
    """Turns a raw ArcFace vector into an aligned face in one pass.

    Wu, Singh, Tian, Zheng and Bowyer (2025), "Vec2Face: Scaling Face Dataset Generation with Loosely Constrained
    Vectors": a masked autoencoder over a 7x7 grid of tokens that all come from the vector, and a
    convolutional decoder. Vec2Face+ adds low-rank terms to the attention and a token that says the pose.

    `center_token`, `patch_embed` and `token_emb.position_ids` are in every checkpoint and not used.

    Args:
        shape: widths and depths.
        im_decoder: the convolutional decoder.

    Attributes:
        vector_size: D.
        tokens: of the grid.
        width: C, numbers of a token.
        has_low_rank_terms: whether it is Vec2Face+.
    """

    def __init__(self, shape: Vec2FaceShape, im_decoder: ImageDecoder) -> None:
        super().__init__()
        width = shape.width
        self.latent_prior_proj_f = nn.Linear(shape.vector, width)
        self.feature_token = nn.Linear(1, shape.tokens)
        self.center_token = nn.Linear(width, shape.tokens)
        self.token_emb = TokenEmbedding(shape.tokens + 1, width)
        self.patch_embed = PatchEmbedding(width, shape.patch)
        self.blocks = _blocks(shape, 0)
        self.norm = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.decoder_embed = nn.Linear(width, width)
        self.decoder_pos_embed_learned = nn.Parameter(torch.zeros(1, shape.tokens + 1, width))
        self.decoder_blocks = _blocks(shape, 1)
        self.decoder_norm = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.im_decoder_proj = nn.Linear(width, im_decoder.conv_in.in_channels)
        self.im_decoder = im_decoder
        self.vector_size = shape.vector
        self.tokens = shape.tokens
        self.width = width
        self.has_low_rank_terms = shape.rank is not None

    def forward(self, vectors: Tensor, masks: Masks, pose: Tensor | None = None) -> Tensor:
        """Makes images.

        Args:
            vectors: (B, D), as long as the recogniser gave them.
            masks: of `masks_of`.
            pose: tokens (B, 1, C) of `PoseCondition`; None: the masked tokens repeat the identity's.

        Returns:
            (B, 3, 112, 112), RGB, about -1..1, not cut to it, in the network's dtype.
        """
        vectors = vectors.to(self.norm.weight.dtype)
        grid = self.grid_of(self.decode(self.encode(vectors, masks), masks, pose))
        image: Tensor = self.im_decoder(grid.contiguous(memory_format=torch.channels_last))
        return image

    def embed(self, vectors: Tensor) -> Tensor:
        """Maps vectors (B, D) to tokens (B, 1 + N, C): the identity's, then the grid's, which are multiples of it."""
        identity = self.latent_prior_proj_f(vectors)
        grid = self.feature_token(identity.unsqueeze(-1)).transpose(1, 2)
        return torch.cat([identity.unsqueeze(1), grid], dim=1)

    def encode(self, vectors: Tensor, masks: Masks) -> Tensor:
        """Maps vectors (B, D) to the encoded tokens that are kept, (B, K, C)."""
        tokens = self.embed(vectors)
        tokens = self.token_emb(torch.where(masks.masked.unsqueeze(-1), tokens[:, :1], tokens))
        hidden = tokens.gather(1, masks.kept.unsqueeze(-1).expand(-1, -1, self.width))
        for block in self.blocks:
            hidden = block(hidden)
        encoded: Tensor = self.norm(hidden)
        return encoded

    def decode(self, encoded: Tensor, masks: Masks, pose: Tensor | None = None) -> Tensor:
        """Maps encoded tokens (B, K, C) to decoded ones (B, 1 + N, C).

        With a pose, the linear layer between encoder and decoder is left out, as in training.
        """
        hidden = self.decoder_embed(encoded) if pose is None else encoded
        filler = hidden[:, :1] if pose is None else pose.to(hidden.dtype)
        pool = torch.cat([filler, hidden], dim=1)
        hidden = pool.gather(1, _sources(masks).unsqueeze(-1).expand(-1, -1, self.width))
        hidden = hidden + self.decoder_pos_embed_learned
        for block in self.decoder_blocks:
            hidden = block(hidden)
        decoded: Tensor = self.decoder_norm(hidden)
        return decoded

    def grid_of(self, decoded: Tensor) -> Tensor:
        """Maps decoded tokens (B, 1 + N, C) to the map of the convolutional decoder, (B, Z, sqrt(N), sqrt(N))."""
        side = math.isqrt(self.tokens)
        grid: Tensor = self.im_decoder_proj(decoded[:, 1:])
        return grid.transpose(1, 2).reshape(len(decoded), -1, side, side)


class TokenEmbedding(nn.Module):
    """Adds a learned position to each token and normalises."""

    position_ids: Tensor

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.position_embeddings = nn.Embedding(tokens, width)
        self.LayerNorm = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.register_buffer("position_ids", torch.arange(tokens).unsqueeze(0))

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps (B, N, C) to (B, N, C)."""
        placed: Tensor = self.LayerNorm(tokens + self.position_embeddings.weight)
        return placed


class PatchEmbedding(nn.Module):
    """The first layer of the autoencoder that Vec2Face grew out of; nothing runs it."""

    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)


def _blocks(shape: Vec2FaceShape, part: int) -> nn.ModuleList:
    heads = shape.heads[part]
    return nn.ModuleList(Block(shape.width, shape.hidden, heads, shape.rank) for _ in range(shape.depths[part]))


def _sources(masks: Masks) -> Tensor:
    """Returns where each of 1 + N tokens comes from: 0 is the filler, 1 + i the i-th kept one; int64 (B, 1 + N)."""
    kept = torch.zeros_like(masks.masked, dtype=torch.int64).scatter(1, masks.kept, 1)
    return torch.where(masks.masked, 0, kept.cumsum(1))


def vec2face_for(tensors: Mapping[str, Tensor], heads: tuple[int, int] = HEADS) -> Vec2Face:
    """Returns an untrained network of the widths and depths that a checkpoint's tensors have.

    Args:
        tensors: of the checkpoint.
        heads: attention heads of encoder and decoder.

    Raises:
        KeyError: a name that tells a width is missing.
    """
    return Vec2Face(_shape(tensors, heads), image_decoder_for(tensors, "im_decoder."))


def load_vec2face(path: Path, heads: tuple[int, int] = HEADS) -> Vec2Face:
    """Reads a checkpoint of Vec2Face or Vec2Face+; the network is in evaluation mode, float32, on the CPU.

    Args:
        path: .pth or .safetensors that holds the tensors under 'model_vec2face' or holds nothing else.
        heads: attention heads of encoder and decoder.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
        ValueError: the width is no multiple of the heads.
    """
    tensors = tensors_of(read_checkpoint(path), path, under="model_vec2face")
    network = built_from(
        tensors, path, lambda tensors: vec2face_for(tensors, heads), expected="expected a checkpoint of Vec2Face"
    )
    if any(network.width % count for count in heads):
        raise ValueError(f"heads {heads}: a width of {network.width} cannot be divided by them; published is {HEADS}")
    return network


def _shape(tensors: Mapping[str, Tensor], heads: tuple[int, int]) -> Vec2FaceShape:
    width, vector = tensors["latent_prior_proj_f.weight"].shape
    low_rank = tensors.get("blocks.0.attn.qkv.A")
    return Vec2FaceShape(
        vector=vector,
        tokens=len(tensors["feature_token.weight"]),
        width=width,
        hidden=len(tensors["blocks.0.mlp.fc1.weight"]),
        depths=(depth_of(tensors, "blocks."), depth_of(tensors, "decoder_blocks.")),
        heads=heads,
        rank=None if low_rank is None else len(low_rank),
        patch=tensors["patch_embed.proj.weight"].shape[-1],
    )
