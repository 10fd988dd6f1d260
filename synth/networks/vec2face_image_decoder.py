"""The convolutional decoder of Vec2Face: a 7x7 map to a 112x112 image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from torch import Tensor, nn
from torch.nn import functional

_GROUPS: Final = 32
_EPSILON: Final = 1e-6


class ImageDecoder(nn.Module):
    """The decoder of VQGAN (Esser et al. 2021, "Taming Transformers") without attention, as Vec2Face uses it.

    Args:
        inputs: channels of the map.
        widths: channels of each level, the finest first; each level but the finest doubles the side.
        depth: residual blocks of a level.
    """

    def __init__(self, inputs: int, widths: Sequence[int], depth: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(inputs, widths[-1], 3, padding=1)
        self.mid = Middle(widths[-1])
        before = [*widths[1:], widths[-1]]  # channels that reach a level, the finest first
        self.up = nn.ModuleList(
            Level(inside, width, depth, doubles=index > 0)
            for index, (inside, width) in enumerate(zip(before, widths, strict=True))
        )
        self.norm_out = nn.GroupNorm(_GROUPS, widths[0], eps=_EPSILON)
        self.conv_out = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, grid: Tensor) -> Tensor:
        """Maps (B, inputs, H, W) to images (B, 3, S H, S W), RGB, about -1..1, with S = 2**(levels - 1)."""
        hidden = self.mid(self.conv_in(grid))
        for level in reversed(self.up):
            hidden = level(hidden)
        image: Tensor = self.conv_out(functional.silu(self.norm_out(hidden)))
        return image


class Middle(nn.Module):
    """Two residual blocks at the coarsest size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block_1 = ResidualBlock(width, width)
        self.block_2 = ResidualBlock(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Maps (B, C, H, W) to (B, C, H, W)."""
        mapped: Tensor = self.block_2(self.block_1(hidden))
        return mapped


class Level(nn.Module):
    """The residual blocks of one size, then, on all but the finest level, a doubling of the side."""

    def __init__(self, inputs: int, width: int, depth: int, *, doubles: bool) -> None:
        super().__init__()
        self.block = nn.ModuleList(ResidualBlock(inputs if i == 0 else width, width) for i in range(depth))
        self.upsample: nn.Module = Doubling(width) if doubles else nn.Identity()

    def forward(self, hidden: Tensor) -> Tensor:
        """Maps (B, inputs, H, W) to (B, width, H or 2 H, W or 2 W)."""
        for block in self.block:
            hidden = block(hidden)
        scaled: Tensor = self.upsample(hidden)
        return scaled


class Doubling(nn.Module):
    """Repeats each pixel 2x2, then convolves."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Maps (B, C, H, W) to (B, C, 2 H, 2 W)."""
        scaled: Tensor = self.conv(functional.interpolate(hidden, scale_factor=2.0, mode="nearest"))
        return scaled


class ResidualBlock(nn.Module):
    """Two normalised convolutions without bias, added to the input where the number of channels stays.

    Where it changes, Vec2Face leaves the input out: its shortcut convolves the result of the two convolutions, not
    what went into them, and both are added. The published weights are trained like that.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(_GROUPS, inputs, eps=_EPSILON)
        self.conv1 = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(_GROUPS, width, eps=_EPSILON)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        if inputs != width:
            self.nin_shortcut = nn.Conv2d(width, width, 1, bias=False)
        self.keeps_width = inputs == width

    def forward(self, hidden: Tensor) -> Tensor:
        """Maps (B, inputs, H, W) to (B, width, H, W)."""
        inside: Tensor = self.conv1(functional.silu(self.norm1(hidden)))
        inside = self.conv2(functional.silu(self.norm2(inside)))
        return (hidden if self.keeps_width else self.nin_shortcut(inside)) + inside


def image_decoder_for(tensors: Mapping[str, Tensor], prefix: str) -> ImageDecoder:
    """Returns an untrained decoder of the widths that a checkpoint's tensors have.

    Args:
        tensors: of the checkpoint.
        prefix: of the decoder's names.

    Raises:
        KeyError: a name that tells a width is missing.
    """
    levels = {
        int(name.removeprefix(f"{prefix}up.").split(".")[0]) for name in tensors if name.startswith(f"{prefix}up.")
    }
    blocks = {name.split(".block.")[1].split(".")[0] for name in tensors if name.startswith(f"{prefix}up.0.block.")}
    widths = [len(tensors[f"{prefix}up.{level}.block.0.conv1.weight"]) for level in sorted(levels)]
    inputs = tensors[f"{prefix}conv_in.weight"].shape[1]
    return ImageDecoder(inputs, widths or [len(tensors[f"{prefix}conv_in.weight"])], len(blocks))
