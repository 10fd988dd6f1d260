"""The dataset card: what a stranger must know about a finished dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.card_terms import biometric_notes, licence_terms, limits, use
from synth.exporters.base import Card

# Of the Hugging Face hub: (samples below, name).
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)
_LARGEST_SIZE = "n>1B"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Verification of the kept samples against each other, by the run's recogniser.

    Attributes:
        num_genuine: pairs of one identity that were compared.
        num_impostor: pairs of two identities that were compared.
        genuine_mean: mean cosine of genuine pairs.
        impostor_mean: mean cosine of impostor pairs.
        equal_error_rate: share of errors, 0..1, where false matches and false non-matches are equally frequent.
    """

    num_genuine: int
    num_impostor: int
    genuine_mean: float
    impostor_mean: float
    equal_error_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What the card is made of.

    Attributes:
        name: of the dataset.
        license: of the dataset, as the hub names it: the strictest of all it was made with.
        license_name: what a licence is called that the hub knows as 'other' only; else empty.
        license_url: of its text; empty where there is none.
        identities_requested: identity vectors sampled.
        images_generated: candidates made of them.
        identities_kept: identities in the dataset; labels are 0..identities_kept - 1.
        images_kept: samples in the dataset.
        dropped: candidates dropped, by reason: a filter's name or a rule of the selection.
        image: what an image is, like '112x112 aligned faces, JPEG'.
        loading: how the folder is loaded, Markdown, as its exporter says it.
        metadata_place: where a sample's metadata are, as its exporter says it; empty where only the tables have them.
        sampler: type of the identity sampler.
        generator: type of the generator.
        generator_license: licence of the images it makes.
        recogniser: type of the recogniser.
        recogniser_license: licence of its weights; empty if it is not known.
        weight_licenses: of the weight files that were read, each licence once, by component, like 'generator arc2face'.
        seed: of the run.
        fingerprints: of the stages, by name.
        versions: of the software, by name.
        configuration: the run's YAML.
        fields: meaning and unit of the metadata fields, by name.
        further: sections that the card has beside its own, by title.
        tags: of the exporter, for the hub.
        quality: None where there are too few samples to compare.
    """

    name: str
    license: str
    identities_requested: int
    images_generated: int
    identities_kept: int
    images_kept: int
    dropped: Mapping[str, int]
    image: str
    loading: str
    metadata_place: str
    sampler: str
    generator: str
    generator_license: str
    recogniser: str
    recogniser_license: str
    seed: int
    fingerprints: Mapping[str, str]
    versions: Mapping[str, str]
    configuration: str
    fields: Mapping[str, str] = field(default_factory=dict)
    weight_licenses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    license_name: str = ""
    license_url: str = ""
    further: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    quality: Quality | None = None


def dataset_card(facts: CardFacts) -> Card:
    """Returns the card of a dataset: front matter for the hub, and the text."""
    return Card(front_matter=front_matter(facts), text=card_text(facts))


def front_matter(facts: CardFacts) -> dict[str, object]:
    """Returns the fields of the card's YAML block that do not depend on the layout of the files."""
    return {
        "license": facts.license,
        **({"license_name": facts.license_name} if facts.license_name else {}),
        "pretty_name": facts.name,
        "task_categories": ["image-feature-extraction"],
        "size_categories": [size_category(facts.images_kept)],
        "annotations_creators": ["machine-generated"],
        "source_datasets": ["original"],
        "tags": ["synthetic", "face-recognition", "biometrics", *facts.tags],
    }


def size_category(count: int) -> str:
    """Returns the hub's name for a number of samples, like '10K<n<100K'."""
    return next((name for bound, name in _SIZES if count < bound), _LARGEST_SIZE)


def card_text(facts: CardFacts) -> str:
    """Returns the card's Markdown: one section after the other."""
    sections = [
        f"# {facts.name}\n\n{_summary(facts)}",
        f"## Load it\n\n{facts.loading}",
        f"## How it was made\n\n{_making(facts)}",
        f"## Numbers\n\n{_numbers(facts)}",
        f"## Quality\n\n{_quality(facts.quality, facts.recogniser)}",
        *(f"## {title}\n\n{text}" for title, text in facts.further.items()),
        f"## Fields\n\n{_fields(facts)}",
        f"## Intended and prohibited use\n\n{use()}",
        f"## People and the law\n\n{biometric_notes(facts.sampler)}",
        f"## Limits\n\n{limits(facts.recogniser)}",
        f"## Licences\n\n{_licences(facts)}",
        f"## Reproduce it\n\n{_reproduction(facts)}",
    ]
    return "\n\n".join(sections) + "\n"


def _summary(facts: CardFacts) -> str:
    said_too = ", and the metadata of every sample says `synthetic: true`" if facts.metadata_place else ""
    return (
        f"{facts.images_kept:,} synthetic face images of {facts.identities_kept:,} identities for training face "
        f"recognisers: {facts.image}.\n\n"
        "**Every image is synthetic.** No image is a photograph. The images carry the IPTC digital source type "
        f"`trainedAlgorithmicMedia` in their XMP metadata{said_too}. "
        "Training pipelines that encode images again lose the mark in the file, so keep this card with the data."
    )


def _making(facts: CardFacts) -> str:
    return (
        f"1. Identity vectors were drawn by the sampler `{facts.sampler}` (seed {facts.seed}).\n"
        f"2. The generator `{facts.generator}` made the candidate images of each vector.\n"
        f"3. The recogniser `{facts.recogniser}` found, aligned and embedded the face of each candidate, and filters "
        "measured a number each.\n"
        "4. Candidates outside the bounds, and identities with too few images or too near to another one, were "
        "dropped.\n"
        "5. What was left got contiguous labels, was shuffled and packed."
    )


def _numbers(facts: CardFacts) -> str:
    rows = [
        ("identities requested", facts.identities_requested, ""),
        ("identities kept", facts.identities_kept, _share(facts.identities_kept, facts.identities_requested)),
        ("images generated", facts.images_generated, ""),
        ("images kept", facts.images_kept, _share(facts.images_kept, facts.images_generated)),
    ]
    rows += [
        (f"dropped by `{reason}`", count, _share(count, facts.images_generated))
        for reason, count in sorted(facts.dropped.items())
    ]
    table = "\n".join(f"| {name} | {count:,} | {share} |" for name, count, share in rows)
    return f"| | count | share |\n|---|---:|---:|\n{table}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _quality(quality: Quality | None, recogniser: str) -> str:
    if quality is None:
        return "Too few samples were kept to compare pairs."
    return (
        f"Pairs of kept samples, compared by `{recogniser}`:\n\n"
        "| | pairs | mean cosine |\n|---|---:|---:|\n"
        f"| same identity | {quality.num_genuine:,} | {quality.genuine_mean:.3f} |\n"
        f"| different identities | {quality.num_impostor:,} | {quality.impostor_mean:.3f} |\n\n"
        f"Equal error rate: {quality.equal_error_rate:.2%}. The recogniser that judges here also helped to choose the "
        "samples, so these figures flatter the data; train on it and test on real benchmarks to know its worth."
    )


def _fields(facts: CardFacts) -> str:
    place = "Columns of `samples-*.parquet`"
    if facts.metadata_place:
        place = f"Of {facts.metadata_place}; floats are always written as floats and never missing"
    rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in sorted(facts.fields.items()))
    return f"{place}.\n\n| field | meaning |\n|---|---|\n{rows}"


def _licences(facts: CardFacts) -> str:
    return licence_terms(
        dataset=facts.license if not facts.license_name else f"{facts.license}: {facts.license_name}",
        generator=(facts.generator, facts.generator_license),
        recogniser=(facts.recogniser, facts.recogniser_license),
        weights=facts.weight_licenses,
    )


def _reproduction(facts: CardFacts) -> str:
    prints = "\n".join(f"| {stage} | `{value}` |" for stage, value in facts.fingerprints.items())
    versions = ", ".join(f"{name} {version}" for name, version in sorted(facts.versions.items()))
    return (
        "Save the configuration as `run.yaml`, then `synth run run.yaml --run-dir runs/again`. The same kind of "
        f"hardware and the same versions ({versions}) give the same bytes, elsewhere the same faces up to rounding.\n\n"
        f"```yaml\n{facts.configuration.strip()}\n```\n\n"
        f"| stage | fingerprint |\n|---|---|\n{prints}"
    )
