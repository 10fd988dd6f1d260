"""The weight files of a configuration: which there are, and whether all are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.schema import RunConfig
from synth import components
from synth.components import ComponentSpec
from synth.errors import ComponentError
from synth.weights.files import WeightFile, require_files


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A weight file and who reads it.

    Attributes:
        component: like 'generator arc2face'.
        file: where it is looked for, and where it comes from.
    """

    component: str
    file: WeightFile


def files_of(spec: ComponentSpec) -> list[WeightFile]:
    """Returns the files that a component with these options reads; filters and exporters read none.

    Raises:
        ComponentError: the options do not say which.
    """
    if spec.kind not in ("sampler", "generator", "recogniser"):
        return []
    component = components.resolve(spec.kind, spec.type)
    try:
        files: list[WeightFile] = component.weight_files(spec.options)
    except ValueError as error:
        raise ComponentError(f"{spec.kind} {spec.type}: {error}") from error
    return files


def files_by_component(config: RunConfig) -> dict[str, list[WeightFile]]:
    """Returns the files that sampler, generator and recogniser each read, by component, like 'generator arc2face'.

    Raises:
        ComponentError: options do not say which.
    """
    specs = (config.sampler_spec, config.generator_spec, config.recogniser_spec)
    return {f"{spec.kind} {spec.type}": files_of(spec) for spec in specs}


def needed_files(config: RunConfig) -> list[NeededFile]:
    """Returns the files of sampler, generator and recogniser, each path once: of several readers the first is named.

    Raises:
        ComponentError: options do not say which.
    """
    first_of_each: dict[str, NeededFile] = {}
    for component, files in files_by_component(config).items():
        for file in files:
            first_of_each.setdefault(str(file.path), NeededFile(component, file))
    return list(first_of_each.values())


def require_weights(config: RunConfig) -> None:
    """Checks all files before anything runs: what the last stage lacks must not show after days in the first.

    Raises:
        WeightsError: a line for each file that is missing or broken, with the way to get it.
    """
    require_files(needed.file for needed in needed_files(config))


def missing_files(config: RunConfig) -> Sequence[WeightFile]:
    """Returns the files that are not there."""
    return [needed.file for needed in needed_files(config) if not needed.file.is_present]
