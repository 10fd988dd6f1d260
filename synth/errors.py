"""Everything synth raises about a user's file, directory, weights or run.

    SynthError
      ConfigError             the configuration is wrong                  exit 2
        ComponentError          unknown component, bad option
      VectorsError            a vector file or its space is wrong         exit 2
      WeightsError            a checkpoint is missing or differs          exit 2
      RunError                the run directory is wrong                  exit 2
        RunLockedError          another driver works on it
        FingerprintError        it was made with another configuration
        DiskFullError           its disk has no space left                exit 1
      DeviceMemoryError       a batch or model does not fit the device    exit 1
      PrecisionError          numbers overflowed in the precision asked   exit 1
      TrainingError           the training went wrong                     exit 1
      AuditFailedError        a dataset has what it must not have         exit 1
      HubError                the hub refused or cannot be reached        exit 1
      SelectionError          no sample was kept                          exit 1
      ShardError              committed data is damaged                   exit 1
      TasksFailedError        tasks of a stage failed                     exit 1

A message says place, value, rule and way out. A wrong argument in library code is a ValueError or TypeError.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import ClassVar, Final

DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)  # numbers of the OSErrors that say so


class SynthError(Exception):
    """Base of all errors a user can cause and mend; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 2


class ConfigError(SynthError):
    """The configuration is wrong; the message lists all mistakes found."""


class ComponentError(ConfigError):
    """A component's type or one of its options does not exist or has the wrong type."""


class VectorsError(SynthError):
    """A file of identity vectors cannot be read, or its vectors do not fit the generator."""


class WeightsError(SynthError):
    """A model file is missing, incomplete or not the one expected."""


class RunError(SynthError):
    """The run directory cannot be used."""


class RunLockedError(RunError):
    """Another driver works on the run directory."""


class FingerprintError(RunError):
    """The run directory was filled with another configuration."""


class DiskFullError(RunError):
    """The disk of the run directory has no space left."""

    exit_code = 1


class DeviceMemoryError(SynthError):
    """A batch or a model does not fit the memory of its device."""

    exit_code = 1


class PrecisionError(SynthError):
    """A network's numbers overflowed in the precision that was asked for."""

    exit_code = 1


class TrainingError(SynthError):
    """The loss is no number any more."""

    exit_code = 1


class AuditFailedError(SynthError):
    """An audit of a finished run's dataset found what must not be there."""

    exit_code = 1


class HubError(SynthError):
    """The Hugging Face hub refused something, or cannot be reached."""

    exit_code = 1


class SelectionError(SynthError):
    """No sample passed the filters and the selection, or the image of one that passed is gone."""

    exit_code = 1


class ShardError(SynthError):
    """Committed data is damaged."""

    exit_code = 1


class TasksFailedError(SynthError):
    """Some tasks of a stage failed.

    Attributes:
        tasks: names of the failed tasks, like 'generate.000077'.
    """

    exit_code = 1

    def __init__(self, message: str, tasks: Sequence[str]) -> None:
        super().__init__(message)
        self.tasks = tuple(tasks)
