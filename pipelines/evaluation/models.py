"""Which recognisers are judged: by name, by options, or by the file of a training."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

import yaml

from synth import components
from synth.components import ComponentSpec
from synth.errors import ConfigError
from synth.plain_yaml import read_plain_yaml

_MODEL = "model.safetensors"
_TELLING = ("flip", "precision")  # options that change embeddings of aligned faces


@dataclass(frozen=True, slots=True)
class Model:
    """A recogniser to be judged.

    Attributes:
        name: for tables.
        spec: what to build.
    """

    name: str
    spec: ComponentSpec

    @property
    def options(self) -> str:
        """How it embeds, in words: options and their defaults, without files and what concerns detection alone."""
        parameters = inspect.signature(components.resolve("recogniser", self.spec.type)).parameters
        values = {
            name: self.spec.options.get(name, parameters[name].default) for name in _TELLING if name in parameters
        }
        return ", ".join(f"{name} {value}" for name, value in values.items()) or "defaults"


def parse_model(text: str) -> Model:
    """Reads what `--model` says.

    Args:
        text: a training's folder or its model.safetensors; a recogniser's name; or a recogniser with options, like
            '{type: iresnet, weights: r50.pth, space: mine, flip: true}'.

    Raises:
        ConfigError: it is none of them, or an option is wrong.
    """
    spec = _spec(text)
    try:
        components.check(spec)
    except ConfigError as error:
        raise ConfigError(f"--model {text}: {error}") from error
    weights = spec.options.get("weights")
    if spec.type == "trained" and isinstance(weights, str):
        return Model(Path(weights).parent.name or "trained", spec)
    return Model(f"{spec.type} {Path(weights).name}" if isinstance(weights, str) else spec.type, spec)


def _spec(text: str) -> ComponentSpec:
    path = Path(text)
    if (path / _MODEL).is_file():
        return ComponentSpec("recogniser", "trained", {"weights": str(path / _MODEL)})
    if path.suffix == ".safetensors":
        return ComponentSpec("recogniser", "trained", {"weights": text})
    if path.is_dir():
        raise ConfigError(f"--model {text}: has no {_MODEL}; name the folder of a training that got to a validation")
    try:
        data, _ = read_plain_yaml(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--model {text}: not YAML: {error}") from error
    if isinstance(data, str):
        return ComponentSpec("recogniser", data)
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise ConfigError(f"--model {text}: expected a folder, a recogniser's name, or {{type: name, option: value}}")
    options = {str(name): value for name, value in data.items() if name != "type"}
    return ComponentSpec("recogniser", data["type"], options)
