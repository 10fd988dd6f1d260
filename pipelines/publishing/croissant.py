"""The description of a dataset for machines: MLCommons Croissant 1.0, JSON-LD."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final

from pipelines.card import CardFacts
from pipelines.publishing.croissant_records import Node, record_sets
from pipelines.publishing.files import PublishedFile
from pipelines.publishing.publication import Publication

_CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.0"
_TYPES: Final = {".tar": "application/x-tar", ".parquet": "application/x-parquet", ".json": "application/json"}
_ANY_TYPE: Final = "application/octet-stream"

# Terms of the standard that its own namespace explains; "Format Specification" of Croissant 1.0 and 1.1.
_OF_DATASETS: Final = ("citeAs", "isLiveDataset", "recordSet")
_OF_FILES: Final = ("fileObject", "fileProperty", "fileSet", "includes", "md5")
_OF_RECORDS: Final = ("equivalentProperty", "field", "key", "parentField", "repeated", "samplingRate", "subField")
_OF_SOURCES: Final = ("column", "extract", "jsonPath", "path", "references", "source")
_OF_CHANGES: Final = ("format", "regex", "replace", "separator", "transform")
_TERMS: Final = (*_OF_DATASETS, *_OF_FILES, *_OF_RECORDS, *_OF_SOURCES, *_OF_CHANGES)
_CONTEXT: Final[Node] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}


def croissant(
    facts: CardFacts, publication: Publication, kind: str, files: Sequence[PublishedFile], day: datetime.date
) -> dict[str, Any]:
    """Returns the content of croissant.json.

    Places of files are relative to it, so that it holds for the repository and for every copy of it.

    Args:
        facts: of the card.
        publication: where the dataset goes.
        kind: type of the exporter.
        files: of the dataset itself, with size and SHA-256.
        day: of the publication.
    """
    described = record_sets(kind, files)
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": publication.name,
        "description": (
            f"{facts.images_kept:,} synthetic face images of {facts.identities_kept:,} identities for training face "
            f"recognisers: {facts.image}. Every image is generated; none is a photograph."
        ),
        "url": publication.url,
        "license": facts.license_url or f"{publication.url}#licences",
        "version": _version(publication.tag),
        "datePublished": day.isoformat(),
        "creator": {"@type": "sc:Organization", "name": publication.owner, "url": _page_of(publication)},
        "citeAs": f"{publication.owner}: {publication.name}, {publication.tag}, {day.year}. {publication.url}",
        "keywords": ["synthetic", "face recognition", "biometrics"],
        "isLiveDataset": False,
        "distribution": [*map(_file_object, files), *described.file_sets],
        "recordSet": described.records,
    }


def _page_of(publication: Publication) -> str:
    return f"https://huggingface.co/{publication.owner}"


def _version(tag: str) -> str:
    """Returns a tag as a version of three numbers, where it is one: '1.0.0' for 'v1'."""
    numbers = tag.removeprefix("v").split(".")
    if len(numbers) > 3 or not all(map(str.isdecimal, numbers)):
        return tag
    return ".".join([*numbers, "0", "0"][:3])


def _file_object(file: PublishedFile) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": _TYPES.get(file.path.suffix, _ANY_TYPE),
        "sha256": file.sha256,
    }
