"""Which executor a name and its settings mean."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.executors.base import Executor
from pipelines.executors.local import LocalExecutor
from pipelines.executors.ray_cluster import RayExecutor
from synth.errors import ConfigError


def executor_for(
    name: str,
    workers: int | None,
    devices: Sequence[str],
    *,
    ray_address: str | None = None,
    keep_going: bool = False,
    in_this_process: bool = True,
) -> Executor:
    """Returns an executor; nothing is started yet.

    Args:
        name: 'local' or 'ray'.
        workers: tasks at once; None: one a device.
        devices: like 'cpu', 'cuda:0' and 'cuda:1'; with Ray, which deals them out, 'cpu' or 'cuda'.
        ray_address: of a running cluster; None: one of its own.
        keep_going: whether new tasks start after one failed.
        in_this_process: whether a single local worker does without a process of its own.

    Raises:
        ConfigError: there is no such executor, or the settings do not fit it.
        ComponentError: Ray is not installed.
    """
    names = [device.strip() for device in devices if device.strip()] or ["cpu"]
    if name == "local":
        if ray_address is not None:
            raise ConfigError("--ray-address: belongs to --executor ray")
        return LocalExecutor(workers or len(names), names, keep_going=keep_going, in_this_process=in_this_process)
    if name != "ray":
        raise ConfigError(f"--executor: no executor named '{name}'; there are local and ray")
    if len(names) > 1 or names[0] not in ("cpu", "cuda"):
        raise ConfigError(f"--devices {','.join(names)}: Ray deals out devices itself; say cpu or cuda, and --workers")
    return RayExecutor(workers or 1, names[0], address=ray_address, keep_going=keep_going)
