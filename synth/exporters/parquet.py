"""Parquet tables with images, as the Hugging Face hub and `datasets` have them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synth.dataset_folders.image_lists import listed
from synth.dataset_folders.links import link_file, link_tables, require_shards
from synth.dataset_folders.metadata import difference, feature, field_types, plain_metadata
from synth.errors import ShardError
from synth.exporters.base import PLACE, Card, Exporter, Sample
from synth.shards.commit import replace_directory
from synth.shards.table import num_rows

ROWS_PER_GROUP = 500  # what a streaming reader holds at once: a few MB of aligned faces

_OWN_TYPES = {"image": "image", "label": "int64", "key": "string"}
_ARROW_TYPES = {
    "image": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "string": pa.string(),
}


class ParquetExporter(Exporter):
    """Parquet tables with columns `image` (bytes and file name), `label`, `key` and one for each metadata field.

    Images pass through byte for byte and lie uncompressed in the file. The schema says what is an image, so `datasets`
    loads the folder and the bare tables alike.
    """

    metadata_place = "the columns"

    def write_shard(self, samples: Iterable[Sample], shard: int, out: Path) -> None:
        """Writes `train-{shard:06d}.parquet` into the existing directory `out`.

        Raises:
            ValueError: there are no samples; a key or label does not fit; extensions differ; metadata change their
                type within the shard, have the name of another column, or are None, NaN or infinite.
        """
        rows = (_row(sample) for _, sample in listed(samples, shard))
        first = next(rows)
        types = _types(first)
        # Neither compression nor dictionaries: they would only make encoded images slower to read.
        settings = {"compression": "none", "use_dictionary": False, "write_statistics": ["label"]}
        with pq.ParquetWriter(out / f"train-{shard:06d}.parquet", _schema(types), **settings) as file:
            group = [first, *islice(rows, ROWS_PER_GROUP - 1)]
            while group:
                _check_types(group, types)
                file.write_table(pa.Table.from_pylist(group, _schema(types)))
                group = list(islice(rows, ROWS_PER_GROUP))

    def assemble(self, shards: Sequence[Path], dataset: Path, card: Card) -> None:
        """Makes the dataset folder: tables with images, tables of what was measured, and the card.

        Args:
            shards: committed export shard directories, in order.
            dataset: the folder to make; an existing one is replaced as a whole.
            card: its front matter gets `configs`, which keeps loaders to the images, and `dataset_info` with the
                type of each column.

        Raises:
            ShardError: a shard lacks a table, or shards differ in their columns.
        """
        require_shards(shards, dataset)
        with replace_directory(dataset) as folder:
            link_tables(shards, folder)
            types: dict[str, str] = {}
            tables = []
            for number, shard in enumerate(shards):
                name = f"train-{number:06d}.parquet"
                tables.append(link_file(shard / name, folder / name))
                found = _types_of(tables[-1])
                types = types or found
                if found != types:
                    raise ShardError(f"{shard}: columns {difference(types, found)} from {shards[0]}; export again")
            (folder / "README.md").write_text(card.render(_layout(types, tables)), encoding="utf-8")

    def loading(self) -> str:
        """Returns the words of the card about tables and columns."""
        return (
            "```python\n"
            "from datasets import load_dataset\n\n"
            f'faces = load_dataset("{PLACE}", split="train", streaming=True)\n'
            "```\n\n"
            "`train-*.parquet` hold the images: column `image` with encoded bytes and a file name, `label`, `key` and "
            "a column for each metadata field. Samples are shuffled. `samples-*.parquet` hold all that was measured "
            "about them, embeddings included, in the same order."
        )


def _row(sample: Sample) -> dict[str, Any]:
    """Returns the values of a sample's columns."""
    metadata = plain_metadata(sample)
    if metadata.pop("label", sample.label) != sample.label:
        raise ValueError(f"sample {sample.key}: its metadata name another label than its own, {sample.label}")
    if taken := sorted(metadata.keys() & _OWN_TYPES.keys()):
        raise ValueError(f"sample {sample.key}: metadata '{taken[0]}' has the name of a column of every table")
    image = {"bytes": sample.image, "path": f"{sample.key}.{sample.extension}"}
    return {"image": image, "label": sample.label, "key": sample.key} | metadata


def _types(row: Mapping[str, Any]) -> dict[str, str]:
    """Returns the type of each column by name, as `datasets` calls it; of a list with '[]' behind it."""
    return _OWN_TYPES | field_types({name: value for name, value in row.items() if name not in _OWN_TYPES})


def _check_types(rows: Iterable[Mapping[str, Any]], types: Mapping[str, str]) -> None:
    for row in rows:
        if (found := _types(row)) != types:
            raise ValueError(f"sample {row['key']}: fields {difference(types, found)} within one shard")


def _schema(types: Mapping[str, str]) -> pa.Schema:
    """Returns the schema of a table, with the description of its features that `datasets` reads."""
    fields, features = [], {}
    for name, dtype in types.items():
        item = dtype.removesuffix("[]")
        is_list = item != dtype
        fields.append((name, pa.list_(_ARROW_TYPES[item]) if is_list else _ARROW_TYPES[item]))
        value = {"_type": "Image"} if item == "image" else {"dtype": item, "_type": "Value"}
        features[name] = {"feature": value, "_type": "Sequence"} if is_list else value
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _types_of(table: Path) -> dict[str, str]:
    """Returns the types of a table that `write_shard` wrote, from its schema."""
    try:
        schema = pq.read_schema(table)
    except pa.ArrowException as error:
        raise ShardError(f"{table}: cannot be read as a table ({error}); remove its shard and run again") from error
    names = {arrow: name for name, arrow in _ARROW_TYPES.items()}
    return {
        field.name: names[field.type.value_type] + "[]" if pa.types.is_list(field.type) else names[field.type]
        for field in schema
    }


def _layout(types: Mapping[str, str], tables: Sequence[Path]) -> dict[str, Any]:
    """Returns the front-matter fields that tell `datasets` which files to read and what is in them."""
    num_bytes = sum(table.stat().st_size for table in tables)
    split = {"name": "train", "num_bytes": num_bytes, "num_examples": sum(num_rows(table) for table in tables)}
    return {
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "train-*.parquet"}]}],
        "dataset_info": {
            "features": [feature(name, dtype) for name, dtype in types.items()],
            "splits": [split],
        },
    }
