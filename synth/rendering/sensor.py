"""From linear radiance to the picture a camera and a file would give."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter

from synth.rendering.nuisance import Sensor

Float32 = npt.NDArray[np.float32]
Uint8 = npt.NDArray[np.uint8]

LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
KNEE = 0.55  # linear intensity above which highlights are compressed
MIDDLE_GREY = 0.18
LOSSLESS_QUALITY = 92


def metered_gain(radiance: Float32, skin: Float32, target: float) -> float:
    """Returns the gain that puts the skin's mean brightness on `target`, and its highlights below white.

    A geometric mean, so that a highlight or a shadow does not decide; where no skin is seen, the whole person counts.

    Args:
        radiance: float32 (H, W, 4), linear RGB times coverage, and coverage.
        skin: float32 (H, W), share of bare skin, 0..1.
        target: linear intensity.
    """
    weights = skin if skin.sum() > 4 else radiance[..., 3]
    luma = radiance[..., :3] @ LUMA
    seen = weights > 0.5
    if not seen.any():
        return 1.0
    brightness = np.maximum(luma[seen], 1e-4)
    mean = float(np.exp(np.log(brightness).mean()))
    bright = float(np.quantile(brightness, 0.95))
    return min(target / mean, 1.1 / bright)


def develop(picture: Float32, sensor: Sensor) -> Uint8:
    """Returns the picture as stored: optics, tone curve, noise, resolution, lossy compression.

    Args:
        picture: float32 (H, W, 3), linear RGB, exposed: 1 = white before the tone curve.
        sensor: what the camera does.

    Returns:
        uint8 (H, W, 3), RGB.
    """
    picture = blurred(picture, sensor)
    balanced: Float32 = (picture * np.array(sensor.white_balance)).astype(np.float32)
    encoded = encode(toned(balanced, sensor.contrast))
    grey = (encoded @ LUMA)[..., None]
    encoded = (grey + (encoded - grey) * np.float32(sensor.saturation)).astype(np.float32)
    encoded = noisy(encoded, sensor)
    stored = (np.clip(encoded, 0, 1) * 255 + 0.5).astype(np.uint8)
    return compressed(reduced(stored, sensor.low_resolution), sensor.jpeg_quality)


def blurred(picture: Float32, sensor: Sensor) -> Float32:
    """Blurs by focus and by motion; lengths are shares of the side."""
    size = picture.shape[0]
    sigma = sensor.blur * size
    if sigma > 0.15:
        picture = np.asarray(gaussian_filter(picture, (sigma, sigma, 0), truncate=3.0), dtype=np.float32)
    length = sensor.motion_length * size
    if length > 1:
        picture = _moved(picture, length, sensor.motion_angle)
    return picture


def toned(picture: Float32, contrast: float) -> Float32:
    """Returns intensities 0..1: slope `contrast` about middle grey, exponential shoulder above the knee."""
    bright = MIDDLE_GREY * (np.maximum(picture, 0) / MIDDLE_GREY) ** np.float32(contrast)
    over = np.maximum(bright - KNEE, 0) / (1 - KNEE)
    return np.asarray(np.minimum(bright, KNEE) + (1 - KNEE) * (1 - np.exp(-over)), dtype=np.float32)


def encode(linear: Float32) -> Float32:
    """Returns sRGB-encoded intensities, 0..1 (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** np.float32(1 / 2.4) - 0.055)


def noisy(encoded: Float32, sensor: Sensor) -> Float32:
    """Adds noise that grows with brightness."""
    rng = np.random.default_rng(sensor.noise_seed)
    grain = rng.standard_normal(encoded.shape, dtype=np.float32)
    return np.asarray(encoded + np.float32(sensor.noise) * grain * (0.5 + encoded), dtype=np.float32)


def reduced(stored: Uint8, factor: float) -> Uint8:
    """Shrinks to `factor` of the side and enlarges again; 1 changes nothing."""
    if factor >= 1:
        return stored
    size = stored.shape[0]
    small = max(8, round(size * factor))
    image = Image.fromarray(stored).resize((small, small), Image.Resampling.BOX)
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))


def compressed(stored: Uint8, quality: int) -> Uint8:
    """Passes the picture through JPEG once; at `LOSSLESS_QUALITY` and above nothing changes."""
    if quality >= LOSSLESS_QUALITY:
        return stored
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return np.asarray(image.convert("RGB"))


def _moved(picture: Float32, length: float, angle: float) -> Float32:
    """Averages along a line of `length` px at `angle` radians."""
    side = 2 * int(np.ceil(length / 2)) + 1
    line = np.zeros((side, side), dtype=np.float32)
    reach = np.linspace(-length / 2, length / 2, 4 * side)
    rows = np.rint(side // 2 + reach * np.sin(angle)).astype(int)
    columns = np.rint(side // 2 + reach * np.cos(angle)).astype(int)
    np.add.at(line, (rows, columns), 1 / len(reach))
    padded = np.pad(picture, ((side // 2,) * 2, (side // 2,) * 2, (0, 0)), mode="edge")
    total = np.zeros_like(picture)
    for row, column in zip(*np.nonzero(line), strict=True):
        total += line[row, column] * padded[row : row + picture.shape[0], column : column + picture.shape[1]]
    return total
