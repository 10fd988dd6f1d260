"""RecordIO files, which arcface_torch, CVLface, AdaFace, TopoFR and others of MXNet's descent read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from synth.dataset_folders.image_lists import list_line, listed
from synth.dataset_folders.labels import write_labels
from synth.dataset_folders.links import link_tables, require_shards
from synth.dataset_folders.train_records import (
    LIST,
    RECORDS,
    by_label,
    in_order,
    write_plain,
    write_with_headers,
)
from synth.errors import ComponentError, ShardError
from synth.exporters.base import SIDECAR, Card, Exporter, Sample
from synth.images import image_size
from synth.shards.commit import replace_directory
from synth.shards.image_records import MAX_EXACT_LABEL, pack_image, unpack
from synth.shards.record_io import RecordReader, RecordWriter
from synth.shards.table import num_rows

_LOADING = {
    "plain": (
        "Keys are 0 to the number of images - 1 in shuffled order, a record an image (im2rec's layout), so that DALI "
        "may read them as well."
    ),
    "insightface": (
        "Keys from 1 are the images, identity by identity; header records follow, and key 0 says where (the layout of "
        "InsightFace's own sets). Readers that take each record for an image, DALI among them, fail on these: export "
        "with `flavour: plain` for them."
    ),
}

_ARCFACE_TORCH = """\
# For arcface_torch: copy to its folder configs/ and set `rec`; what is not here comes from its configs/base.py.
from easydict import EasyDict as edict

config = edict()
config.rec = "path/to/this/folder"
config.num_classes = {num_classes}
config.num_image = {num_images}
config.num_epoch = 20
config.warmup_epoch = 0
config.val_targets = []  # names of .bin files of pairs beside train.rec, like 'lfw'
config.output = None
"""


class RecordIoExporter(Exporter):
    """`train.rec` and `train.idx` with what trainers read beside them; images pass through byte for byte.

    Any encoded image fits: readers decode PNG as they do JPEG. Labels are float32 in this format, so there are at most
    2^24 + 1 of them.
    Layouts: im2rec of MXNet; the record builder of InsightFace.

    Args:
        flavour: 'plain' keeps the shuffled order, one record an image, which all PyTorch trainers read; 'insightface'
            groups by identity and adds the header records that tools for InsightFace's own sets need.
    """

    copies_images = True

    def __init__(self, *, flavour: Literal["plain", "insightface"] = "plain") -> None:
        self.flavour = flavour

    def write_shard(self, samples: Iterable[Sample], shard: int, out: Path) -> None:
        """Writes the records, with keys from 0, and the list of their paths and labels into `out`.

        Raises:
            ValueError: there are no samples; a key does not fit into a list of paths; extensions differ; a label
                is beyond 2^24; or an image has 512 MiB.
        """
        with RecordWriter(out / RECORDS) as records, (out / LIST).open("w", encoding="ascii") as paths:
            for number, (path, sample) in enumerate(listed(samples, shard)):
                try:
                    records.add(pack_image(sample.label, number, sample.image))
                except ValueError as error:
                    raise ValueError(f"sample {sample.key}: {error}") from None
                paths.write(list_line(path, sample.label))

    def assemble(self, shards: Sequence[Path], dataset: Path, card: Card) -> None:
        """Makes the folder that trainers are pointed at: records, lists, `property`, labels, tables and card.

        Args:
            shards: committed export shard directories, in order.
            dataset: the folder to make; an existing one is replaced as a whole.
            card: becomes README.md; its front matter gets `configs`, which names the tables.

        Raises:
            ShardError: a shard lacks a file or is damaged, or labels have gaps.
            ComponentError: there are more samples than header records can count.
        """
        require_shards(shards, dataset)
        with replace_directory(dataset) as folder:
            link_tables(shards, folder)
            num_classes = write_labels(shards, folder)
            if self.flavour == "plain":
                num_images = write_plain(in_order(shards), folder)
            else:
                _require_exact_keys(sum(num_rows(shard / SIDECAR) for shard in shards), num_classes)
                num_images = write_with_headers(by_label(shards), folder)
            height, width = _image_size(shards[0])
            (folder / "property").write_text(f"{num_classes},{height},{width}\n")
            snippet = _ARCFACE_TORCH.format(num_classes=num_classes, num_images=num_images)
            (folder / "arcface_torch.py").write_text(snippet)
            tables = {"config_name": "default", "data_files": [{"split": "train", "path": "samples-*.parquet"}]}
            (folder / "README.md").write_text(card.render({"configs": [tables]}), encoding="utf-8")

    def loading(self) -> str:
        """Returns the words of the card about records, lists and trainers."""
        return (
            "Point a trainer at this folder: `train.rec` and `train.idx` are RecordIO files. "
            f"{_LOADING[self.flavour]}\n\n"
            "- arcface_torch: `arcface_torch.py` is a configuration with the numbers of classes and images\n"
            "- CVLface: `train.tsv` is the list it would make by itself; AdaFace: `--use_mxrecord`; TopoFR: as "
            "arcface_torch\n"
            "- MXNet's trainers and others that read `property`: number of classes, height, width\n"
            "- `train.lst` is the list im2rec makes; its paths, and those of `train.tsv`, are the ones that synth's "
            "exporter `image_folder` gives the same images\n\n"
            "Images are JPEG or PNG files as they were made, to be decoded as RGB. `labels.json` says which identity a "
            "label stands for. `samples-*.parquet` hold all that was measured about the samples, embeddings included, "
            "in shuffled order."
        )


def _require_exact_keys(num_images: int, num_classes: int) -> None:
    last = num_images + num_classes + 1
    if last > MAX_EXACT_LABEL:
        raise ComponentError(
            f"exporter record_io: flavour: 'insightface' counts {num_images} images and {num_classes} identities up to "
            f"{last} as float32, which is exact up to {MAX_EXACT_LABEL} only; use `flavour: plain`"
        )


def _image_size(shard: Path) -> tuple[int, int]:
    """Returns height and width, px, of a shard's first image; a generator makes one size."""
    with RecordReader(shard / RECORDS) as records:
        image = unpack(records.read(0)).image
    try:
        return image_size(image)
    except ValueError as error:
        raise ShardError(f"{shard / RECORDS}: the first record: {error}; remove the shard and run again") from error
