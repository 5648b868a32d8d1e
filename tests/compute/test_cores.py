"""Cores are counted as the kernel grants them, on the files of /proc and /sys/fs/cgroup as they stand in containers."""

import os
from pathlib import Path

import pytest

from thresher.compute import cores
from thresher.compute.cores import quotas

BOUND = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Machine:
    """A folder that looks like /proc/self, and one that looks like /sys/fs/cgroup."""

    def __init__(self, folder: Path, cgroup: str, *mounts: str) -> None:
        self.proc, self.sys = folder / "proc", folder / "sys"
        self.proc.mkdir(parents=True)
        point = str(self.sys).replace(" ", "\\040")
        (self.proc / "cgroup").write_text(cgroup)
        lines = (mount.replace("AT", point) for mount in ("23 1 0:22 / / rw - overlay overlay rw", *mounts))
        (self.proc / "mountinfo").write_text("".join(f"{line}\n" for line in lines))

    def limit(self, group: str, **files: str) -> None:
        folder = self.sys / group
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(f"{text}\n")


V2 = "30 23 0:26 / AT ro,nosuid shared:4 master:1 - cgroup2 cgroup rw,nsdelegate"


def test_a_container_of_version_2_has_the_cores_of_its_quota(tmp_path: Path) -> None:
    """`docker run --cpus 2`: the group is the root of what the container sees."""
    machine = Machine(tmp_path, "0::/\n", V2)
    machine.limit("", cpu__max="200000 100000")
    assert quotas(machine.proc) == [2.0]
    assert cores(machine.proc) == min(BOUND, 2)


@pytest.mark.parametrize(("quota", "counted"), [("50000 100000", 1), ("1000 100000", 1), ("9000000 100000", BOUND)])
def test_a_share_of_a_core_is_a_core_and_a_large_quota_adds_none(tmp_path: Path, quota: str, counted: int) -> None:
    machine = Machine(tmp_path, "0::/\n", V2)
    machine.limit("", cpu__max=quota)
    assert cores(machine.proc) == counted


def test_the_tightest_group_of_all_above_counts(tmp_path: Path) -> None:
    """A service in a slice, a container in a pod: the limit may stand on any level."""
    machine = Machine(tmp_path, "0::/work.slice/user/one.scope\n", V2)
    machine.limit("work.slice/user/one.scope", cpu__max="max 100000")
    machine.limit("work.slice/user", cpu__max="400000 100000")
    machine.limit("work.slice", cpu__max="150000 100000")
    assert sorted(quotas(machine.proc)) == [1.5, 4.0]
    assert cores(machine.proc) == min(BOUND, 2)


V1 = "32 31 0:29 ROOT AT rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct"


def test_version_1_is_read_where_the_group_is_named_from_the_machine_s_root(tmp_path: Path) -> None:
    machine = Machine(
        tmp_path, "4:cpu,cpuacct:/docker/7f\n3:memory:/docker/7f\n0::/\n", V1.replace("ROOT", "/docker/7f")
    )
    machine.limit("", cpu__cfs_quota_us="100000", cpu__cfs_period_us="50000")
    assert quotas(machine.proc) == [2.0]


def test_version_1_is_read_up_to_the_root(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "4:cpu,cpuacct:/pods/7f\n", V1.replace("ROOT", "/"))
    machine.limit("pods/7f", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    machine.limit("pods", cpu__cfs_quota_us="300000", cpu__cfs_period_us="100000")
    assert quotas(machine.proc) == [3.0]


def test_a_mount_in_a_folder_with_a_blank_is_found(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "a folder", "0::/\n", V2)
    machine.limit("", cpu__max="200000 100000")
    assert quotas(machine.proc) == [2.0]


@pytest.mark.parametrize("text", ["max 100000", "", "0 0", "two three", "200000"])
def test_a_group_without_a_quota_and_one_that_cannot_be_read_limit_nothing(tmp_path: Path, text: str) -> None:
    machine = Machine(tmp_path, "0::/../elsewhere\n", V2)
    machine.limit("", cpu__max=text)
    assert quotas(machine.proc) == []
    assert cores(machine.proc) == BOUND


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert cores(tmp_path) == BOUND


def test_this_machine_s_own_files_are_read() -> None:
    assert 1 <= cores() <= BOUND
