"""How many cores this process may use: what it is bound to, and what its container's CPU quota allows."""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PROC = Path("/proc/self")
_OCTAL = re.compile(r"\\([0-7]{3})")  # how the kernel writes a blank in a path


def cores(proc: Path = PROC) -> int:
    """The number of cores this process may use, at least 1: the fewest of machine, affinity and CPU quotas.

    `docker run --cpus 2` and the limits of Kubernetes set a quota, which neither Python 3.11 nor ONNX Runtime 1.32 nor
    OpenBLAS sees. A share of a core counts as a whole one.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([bound, *(math.ceil(quota) for quota in quotas(proc))]))


def quotas(proc: Path = PROC) -> list[float]:
    """The CPU quotas in cores of this process's control groups and of the groups above them; none outside Linux.

    `proc` is a folder with `cgroup` and `mountinfo` as in proc(5). Each group may be limited, in version 2 by `cpu.max`
    and in version 1 by `cpu.cfs_quota_us`, and the tightest one counts (Linux, admin-guide/cgroup-v2.rst).
    """
    try:
        groups = _groups((proc / "cgroup").read_text("utf-8"))
        mounts = (proc / "mountinfo").read_text("utf-8").splitlines()
    except OSError:
        return []
    found = (_quota(folder) for line in mounts for folder in _folders(line, groups))
    return [quota for quota in found if quota is not None]


def _groups(text: str) -> dict[str, PurePosixPath]:
    """The group of this process in the hierarchy of version 2 (key "") and in that of each controller of version 1."""
    found = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        found.update({controller: PurePosixPath(path) for controller in controllers.split(",")})
    return found


def _folders(line: str, groups: dict[str, PurePosixPath]) -> Iterator[Path]:
    """The folders of this process's group and of those above it, if the line mounts a hierarchy that limits CPUs."""
    told, _, kind = line.partition(" - ")
    file_system, *_, options = kind.split(" ")
    group = groups.get("" if file_system == "cgroup2" else "cpu")
    if group is None or not (file_system == "cgroup2" or (file_system == "cgroup" and "cpu" in options.split(","))):
        return
    root, point = (_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), field) for field in told.split(" ")[3:5])
    # a container often sees its own group as the root of the mount, while `cgroup` names it from the machine's root
    inside = group.relative_to(root) if group.is_relative_to(root) and ".." not in group.parts else PurePosixPath()
    yield from (Path(point) / part for part in (inside, *inside.parents))


def _quota(folder: Path) -> float | None:
    """The quota of one group in cores; None if it has none."""
    try:
        if (folder / "cpu.max").exists():
            allowed, period = (folder / "cpu.max").read_text("utf-8").split()
        else:
            allowed, period = (
                (folder / name).read_text("utf-8").strip() for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            )
        return int(allowed) / int(period) if allowed.isdigit() and int(allowed) and int(period) else None
    except (OSError, ValueError):
        return None
