"""What decides the bytes of each stage, and its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.file_hashes import FileHashes
from pipelines.option_contents import OptionContents
from pipelines.schema import FilterSection, RunConfig, SelectionSection
from synth import components
from synth.components import ComponentSpec
from synth.errors import ConfigError

STAGES = ("sample", "generate", "measure", "select", "export")
ROUNDS = "rounds"  # beside the stages: what decides who gets candidates in the rounds after the first

# Limits of the selection that always count; later ones count where they are set, so that runs from before them stay.
_FIRST_LIMITS = ("images_per_identity", "min_images_per_identity", "max_inter_class_similarity")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a stage's bytes follow from.

    Attributes:
        inputs: dotted configuration key to value, of the keys this stage adds to those of the stages before.
        digest: SHA-256 over the inputs and the digest of the stage before, hexadecimal.
    """

    inputs: Mapping[str, Any]
    digest: str

    def differences(self, made_with: Mapping[str, Any]) -> list[str]:
        """Returns 'key=old, now new' for each input that differs from the ones a stage was made with."""
        keys = sorted(set(self.inputs) | set(made_with))
        return [
            f"{key}={_shown(made_with, key)}, now {_shown(self.inputs, key)}"
            for key in keys
            if made_with.get(key) != self.inputs.get(key)
        ]

    def including(self, name: str, value: str) -> Fingerprint:
        """Returns a fingerprint with one more input, known only while the run goes on."""
        inputs = {**self.inputs, name: value}
        return Fingerprint(inputs, _digest("including", {name: value}, self.digest))


def require_stage(option: str, stage: str) -> None:
    """Checks the name of a stage that an option gives.

    Raises:
        ConfigError: there is none of this name.
    """
    if stage not in STAGES:
        raise ConfigError(f"{option}: no stage named '{stage}'; stages are {', '.join(STAGES)}")


def fingerprints(config: RunConfig, hashes: FileHashes | None = None) -> dict[str, Fingerprint]:
    """Returns the fingerprint of each stage, in order, and of who is short of images after a round.

    The number of identities is not in the first three: raising it keeps what is there. Bounds are in `select` only.
    A file that an option names counts by its content, not by its path; so do a component's weight files. Workers and
    devices count nowhere.

    Args:
        config: checked.
        hashes: of files; None reads each file.
    """
    found: dict[str, Fingerprint] = {}
    before = ""
    for stage, inputs in _inputs(config, hashes or FileHashes()).items():
        before = _digest(stage, inputs, before)
        found[stage] = Fingerprint(inputs, before)
    shortage = _shortage(config, found["measure"].inputs)
    return found | {ROUNDS: Fingerprint(shortage, _digest(ROUNDS, shortage, found["generate"].digest))}


def in_later_round(stage: str, rounds: str) -> str:
    """Returns the digest of a stage's shards in the rounds after the first.

    Args:
        stage: digest of the stage.
        rounds: digest of what decides who is short.
    """
    return _digest(ROUNDS, {}, stage + rounds)


def made_from_same_faces(made_with: tuple[str, Mapping[str, Any]], wanted: Mapping[str, Fingerprint]) -> bool:
    """Returns whether a former `measure` differs from the wanted one in its filters only.

    Args:
        made_with: digest and inputs of the former one.
        wanted: fingerprint of each stage.
    """
    digest, inputs = made_with
    recogniser = {key: value for key, value in inputs.items() if key.startswith("recogniser")}
    same = all(wanted["measure"].inputs.get(key) == value for key, value in recogniser.items())
    complete = recogniser.keys() == {key for key in wanted["measure"].inputs if key.startswith("recogniser")}
    return same and complete and digest == _digest("measure", inputs, wanted["generate"].digest)


def unchanged_filters(made_with: Mapping[str, Any], wanted: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Returns the filters whose version and options are the same in the inputs of two `measure` stages."""

    def part(inputs: Mapping[str, Any], name: str) -> dict[str, Any]:
        starts = (f"filters.{name}.", f"filters.{name} ")
        return {key: value for key, value in inputs.items() if key.startswith(starts)}

    return [name for name in names if part(made_with, name) and part(made_with, name) == part(wanted, name)]


def _inputs(config: RunConfig, hashes: FileHashes) -> dict[str, dict[str, Any]]:
    images = {f"images.{key}": value for key, value in config.images.model_dump(exclude={"max_rounds"}).items()}
    measured = _component("recogniser", config.recogniser_spec, hashes)
    for name, spec in zip(config.filter_names, config.filter_specs, strict=True):
        measured |= _component(f"filters.{name}", spec, hashes)
    bounds = _bounds_of(config)
    limits, unset = config.selection.model_dump(), SelectionSection().model_dump()
    counting = [key for key in limits if key in _FIRST_LIMITS or limits[key] != unset[key]]
    selection = {f"selection.{key}": limits[key] for key in counting}
    exported = {"export.shard_size": config.export.shard_size, "export.crop": config.export.crop}
    return {
        "sample": {"seed": config.seed} | _component("identities.sampler", config.sampler_spec, hashes),
        "generate": _component("generator", config.generator_spec, hashes) | images,
        "measure": measured,
        "select": {
            "identities.count": config.identities.count,
            "images.max_rounds": config.images.max_rounds,
            "filters": bounds,
            "export.shard_size": config.export.shard_size,
        }
        | selection,
        "export": exported | _component("export", config.exporter_spec, hashes),
    }


def _shortage(config: RunConfig, measured: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what decides who is short: recogniser, filters that have bounds, and the quota."""
    bounds = {name: bound for name, bound in zip(config.filter_names, _bounds_of(config), strict=True) if bound != name}
    starts = ("recogniser", *(f"filters.{name}{end}" for name in bounds for end in (" ", ".")))
    return {key: value for key, value in measured.items() if key.startswith(starts)} | {
        "filters": list(bounds.values()),
        "quota": config.quota,
    }


def _bounds_of(config: RunConfig) -> list[str]:
    return [_bounds(name, section) for name, section in zip(config.filter_names, config.filters, strict=True)]


def _component(place: str, spec: ComponentSpec, hashes: FileHashes) -> dict[str, Any]:
    """Returns type, version, options and weight files of a component under dotted keys."""
    contents = OptionContents.of(spec, hashes)
    found = {f"{place}.type": spec.type, f"{place} version": components.resolve(spec.kind, spec.type).version}
    if weights := contents.other_weights():
        found[f"{place} weights"] = weights
    return found | {f"{place}.{name}": value for name, value in contents.options().items()}


def _bounds(name: str, section: FilterSection) -> str:
    low = "" if section.min is None else f"{section.min:.17g} <= "
    high = "" if section.max is None else f" <= {section.max:.17g}"
    return f"{low}{name}{high}"


def _digest(stage: str, inputs: Mapping[str, Any], before: str) -> str:
    text = json.dumps({"stage": stage, "inputs": inputs, "before": before}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _shown(inputs: Mapping[str, Any], key: str) -> str:
    return json.dumps(inputs[key]) if key in inputs else "absent"
