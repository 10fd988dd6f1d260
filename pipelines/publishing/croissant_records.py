"""The records of a dataset as Croissant describes them: which fields there are, and where each is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.publishing.files import PublishedFile
from synth.shards.tar import TarReader

Node: TypeAlias = dict[str, Any]

# Names of the sets of files.
_TABLES: Final = "table-files"  # of everything that was measured
_IMAGES: Final = "image-files"

_MEDIA_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class Records:
    """What a dataset's records are, and the sets of files they are read from."""

    file_sets: Sequence[Node]
    records: Sequence[Node]


def record_sets(kind: str, files: Sequence[PublishedFile]) -> Records:
    """Returns the records of a dataset: its images where the format lets them be described, and its tables.

    Args:
        kind: type of the exporter.
        files: of the dataset.
    """
    tars = [file for file in files if file.name.endswith(".tar")]
    tables = _tables("train-" if kind == "webdataset" else "samples-", files)
    found = [_set_of_tables(_TABLES, tables)]
    records = [_record_set("samples", "all that was measured about the samples, in their order", _columns(tables[0]))]
    if kind == "webdataset":
        file_set, fields = _images_in_tars(tars)
        found.append(file_set)
        records.append(_record_set("images", "the images by their keys, identity and index", fields))
    if kind == "parquet":
        found.append(_set_of_tables(_IMAGES, _tables("train-", files)))
        records.append(_record_set("images", "the images with their labels and keys", _images_in_tables()))
    return Records(found, records)


def _tables(prefix: str, files: Sequence[PublishedFile]) -> list[PublishedFile]:
    return [file for file in files if file.name.startswith(prefix) and file.name.endswith(".parquet")]


def _set_of_tables(name: str, tables: Sequence[PublishedFile]) -> Node:
    """Returns a set of tables that lie beside the description."""
    pattern = f"{tables[0].name.partition('-')[0]}-*.parquet"
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "encodingFormat": "application/x-parquet",
        "includes": pattern,
    }


def _images_in_tars(tars: Sequence[PublishedFile]) -> tuple[Node, list[Node]]:
    """Returns the set of images in the tars, and the fields that are read from it."""
    with TarReader(tars[0].path) as tar:
        first = next(tar.samples())
    extension = next(name for name in first if name in _MEDIA_TYPES)
    file_set = {
        "@type": "cr:FileSet",
        "@id": _IMAGES,
        "name": _IMAGES,
        "containedIn": [{"@id": tar.name} for tar in tars],
        "encodingFormat": _MEDIA_TYPES[extension],
        "includes": f"*.{extension}",
    }
    place = {"fileSet": {"@id": _IMAGES}}
    name = place | {
        "extract": {"fileProperty": "filename"},
        "transform": {"regex": rf"^(?:.*/)?(\d+_\d+)\.{extension}$"},
    }
    content = place | {"extract": {"fileProperty": "content"}}
    return file_set, [_field("key", "sc:Text", name), _field("image", "sc:ImageObject", content)]


def _images_in_tables() -> list[Node]:
    """Returns the fields of tables that hold images; `image` is a group of its bytes and its file's name."""
    place = {"fileSet": {"@id": _IMAGES}}
    fields = [
        _field(name, dtype, place | {"extract": {"column": name}})
        for name, dtype in {"key": "sc:Text", "label": "sc:Integer"}.items()
    ]
    data = place | {"extract": {"column": "image"}, "transform": {"jsonPath": "bytes"}}
    return [*fields, _field("image", "sc:ImageObject", data)]


def _columns(table: PublishedFile) -> list[Node]:
    """Returns a field for each column of a table."""
    fields = []
    for column in pq.read_schema(table.path):
        is_list = pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)
        source = {"fileSet": {"@id": _TABLES}, "extract": {"column": column.name}}
        field = _field(column.name, _data_type(column.type.value_type if is_list else column.type), source)
        fields.append(field | ({"repeated": True} if is_list else {}))
    return fields


def _data_type(arrow: pa.DataType) -> str:
    if pa.types.is_boolean(arrow):
        return "sc:Boolean"
    if pa.types.is_integer(arrow):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(arrow) else "sc:Text"


def _field(name: str, dtype: str, source: Mapping[str, Any]) -> Node:
    return {"@type": "cr:Field", "name": name, "dataType": dtype, "source": dict(source)}


def _record_set(name: str, says: str, fields: Sequence[Node]) -> Node:
    """Returns a record set; fields get its name before theirs, as identifiers hold for a whole file."""
    named = [{"@type": field["@type"], "@id": f"{name}/{field['name']}", **field} for field in fields]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "description": says, "field": named}
