"""Prints the addresses on which a run's own Ray cluster listens; a program of its own, for Ray reads settings once."""

import os
import socket
import struct
import sys
from ipaddress import IPv6Address
from pathlib import Path

from pipelines.executors.ray_cluster import RayExecutor
from pipelines.fingerprint import Fingerprint
from pipelines.run_directory import RunDirectory
from pipelines.runner import run_stages
from tests.pipelines.executors.components import Numbers
from tests.toy import Silent

LISTENING = "0A"


def main(folder):
    """Runs a task on a cluster and looks at its sockets while it lives."""
    run = RunDirectory(folder / "run")
    run.begin("generate", Fingerprint({}, "digest"))
    executor = RayExecutor(1)
    run_stages(run, [Numbers(folder, count=1)], executor, Silent())
    sys.stdout.write("\n".join(addresses(descendants(os.getpid()))))
    executor.close()


def descendants(pid):
    """Returns a process and all it started, directly or not."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            found += descendants(int(child))
    return found


def addresses(pids):
    """Returns the addresses on which processes listen, from the kernel's tables."""
    sockets = set()
    for pid in pids:
        for path in Path(f"/proc/{pid}/fd").iterdir():
            try:
                sockets.add(str(path.readlink()))
            except OSError:  # closed meanwhile
                continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == LISTENING and f"socket:[{rest[5]}]" in sockets:
                found.append(address(local.partition(":")[0]))
    return found


def address(words):
    """Returns an address that the kernel wrote as hexadecimal words in the machine's byte order."""
    data = b"".join(struct.pack("=I", int(words[at : at + 8], 16)) for at in range(0, len(words), 8))
    if len(data) == 4:
        return socket.inet_ntop(socket.AF_INET, data)
    inside = IPv6Address(data).ipv4_mapped
    return str(inside or IPv6Address(data))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
