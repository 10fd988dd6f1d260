"""Tar shards that webdataset and Hugging Face datasets read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from synth.dataset_folders.links import link_file, require_shards
from synth.dataset_folders.metadata import Plain, difference, feature, field_types, plain_metadata
from synth.digests import sha256_of
from synth.errors import ShardError
from synth.exporters.base import PLACE, SIDECAR, Card, Exporter, Sample
from synth.plain_json import read_plain_json
from synth.shards.commit import replace_directory
from synth.shards.table import num_rows
from synth.shards.tar import TarReader, TarWriter


class WebDatasetExporter(Exporter):
    """WebDataset shards: adjacent members `key.jpg`, `key.json`, `key.cls` (the label) for each sample.

    Images pass through byte for byte. JSON has sorted keys and writes every float as a float ('1.0', never '1'):
    the loader of `datasets` guesses the types of bare tars from the first samples and would cut 0.5 to 0 after a 1.
    The card of the assembled folder declares the types, so load by folder: `load_dataset("path/to/dataset")`.
    """

    metadata_place = "`json`"
    tags = ("webdataset",)

    def write_shard(self, samples: Iterable[Sample], shard: int, out: Path) -> None:
        """Writes `train-{shard:06d}.tar` into the existing directory `out`.

        Args:
            samples: in the order wanted.
            shard: number of the shard, 0.. .
            out: directory.

        Raises:
            ValueError: there are no samples; a key has a dot or slash; metadata are missing, change their type within
                the shard, or are None, NaN or infinite.
        """
        first: dict[str, str] | None = None
        with TarWriter(out / f"train-{shard:06d}.tar") as tar:
            for sample in samples:
                _check(sample)
                metadata = plain_metadata(sample)
                schema = _schema(sample.extension, metadata)
                first = first or schema
                if schema != first:
                    raise ValueError(f"sample {sample.key}: fields {difference(first, schema)} within one shard")
                tar.add(f"{sample.key}.{sample.extension}", sample.image)
                tar.add(f"{sample.key}.json", _to_json(metadata))
                tar.add(f"{sample.key}.cls", b"%d" % sample.label)
            if first is None:
                raise ValueError(f"shard {shard}: no samples; plan no empty export shards")

    def assemble(self, shards: Sequence[Path], dataset: Path, card: Card) -> None:
        """Makes the dataset folder: tars, sidecar tables, index.json and the card, README.md.

        Args:
            shards: committed export shard directories, in order.
            dataset: the folder to make; an existing one is replaced as a whole.
            card: its front matter gets `configs`, which keeps loaders to the tars, and `dataset_info` with the
                type of each field.

        Raises:
            ShardError: a shard has no tar or sidecar table, or shards differ in their fields.
        """
        require_shards(shards, dataset)
        with replace_directory(dataset) as folder:
            entries, schemas = [], []
            for number, shard in enumerate(shards):
                tar = link_file(shard / f"train-{number:06d}.tar", folder / f"train-{number:06d}.tar")
                link_file(shard / SIDECAR, folder / f"train-{number:06d}.parquet")
                schemas.append(_schema_of(tar))
                if schemas[-1] != schemas[0]:
                    raise ShardError(
                        f"{shard}: fields {difference(schemas[0], schemas[-1])} from {shards[0]}; export again"
                    )
                entries.append(_entry(tar, num_rows(shard / SIDECAR)))
            index = _index(card.name or dataset.parent.name, entries)
            (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")
            layout = _layout(schemas[0], index["num_samples"], index["num_bytes"])
            (folder / "README.md").write_text(card.render(layout), encoding="utf-8")

    def loading(self) -> str:
        """Returns the words of the card about tars and tables."""
        return (
            "Load the folder, not the bare tar files: this card declares the types of all fields.\n\n"
            "```python\n"
            "from datasets import load_dataset\n\n"
            f'faces = load_dataset("{PLACE}", split="train", streaming=True)\n'
            "```\n\n"
            "Or with webdataset:\n\n"
            "```python\n"
            "import glob\n\n"
            "import webdataset\n\n"
            f'shards = sorted(glob.glob("{PLACE}/train-*.tar"))\n'
            'faces = webdataset.WebDataset(shards, shardshuffle=False).decode("rgb").to_tuple("jpg;png", "cls")\n'
            "```\n\n"
            "Members of a sample are the image, `json` (metadata) and `cls` (label). Samples are shuffled. Beside each "
            "tar lies a parquet table with all that was measured about its samples, embeddings included, in the same "
            "order; `index.json` lists sizes and SHA-256."
        )


def _to_json(metadata: Mapping[str, Plain]) -> bytes:
    return json.dumps(metadata, separators=(",", ":"), allow_nan=False).encode()


def _schema(extension: str, metadata: Mapping[str, Plain]) -> dict[str, str]:
    """Returns the type of each field, by name: 'image' for the image and types of `datasets` for the metadata."""
    return {extension: "image"} | {f"json.{name}": dtype for name, dtype in field_types(metadata).items()}


def _schema_of(tar: Path) -> dict[str, str]:
    """Returns the schema of a tar's first sample; `write_shard` made sure that the others have the same."""
    with TarReader(tar) as reader:
        sample = next(reader.samples())
    metadata = read_plain_json(sample["json"])
    return _schema(next(name for name in sample if name not in ("__key__", "json", "cls")), metadata)


def _check(sample: Sample) -> None:
    if not sample.key or "." in sample.key or "/" in sample.key:
        raise ValueError(f"sample '{sample.key}': a key must not be empty or have a dot or slash: loaders cut there")
    if sample.extension not in ("jpg", "png"):
        raise ValueError(f"sample {sample.key}: extension '{sample.extension}', expected 'jpg' or 'png'")
    if sample.label < 0 or not sample.metadata:
        raise ValueError(f"sample {sample.key}: expected a label >= 0 and at least one metadata field")


def _entry(tar: Path, num_samples: int) -> dict[str, Any]:
    return {"name": tar.name, "size": tar.stat().st_size, "sha256": sha256_of(tar), "num_samples": num_samples}


def _index(name: str, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns what index.json holds: our list of shards, and the list that the `wids` package reads."""
    return {
        "num_samples": sum(entry["num_samples"] for entry in entries),
        "num_bytes": sum(entry["size"] for entry in entries),
        "num_shards": len(entries),
        "shards": entries,
        "__kind__": "wids-shard-index-v1",
        "wids_version": 1,
        "name": name,
        "shardlist": [
            {"url": entry["name"], "nsamples": entry["num_samples"], "filesize": entry["size"]} for entry in entries
        ],
    }


def _layout(schema: Mapping[str, str], num_samples: int, num_bytes: int) -> dict[str, Any]:
    """Returns the front-matter fields that tell `datasets` which files to read and what is in them."""
    extension = next(name for name, dtype in schema.items() if dtype == "image")
    fields = [feature(name.removeprefix("json."), dtype) for name, dtype in schema.items() if name != extension]
    features = [
        feature(extension, "image"),
        {"name": "json", "struct": fields},
        feature("cls", "int64"),
        feature("__key__", "string"),
        feature("__url__", "string"),
    ]
    split = {"name": "train", "num_bytes": num_bytes, "num_examples": num_samples}
    return {
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "train-*.tar"}]}],
        "dataset_info": {"features": features, "splits": [split]},
    }
