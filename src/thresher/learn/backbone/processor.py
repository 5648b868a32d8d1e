"""Which instructions this machine's processor has: read once, from what its system says."""

import platform
import sys
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# products of 8 bits that are summed in 32: without them the sum of two products is cut to 16 bits, and results differ
INT8_FLAGS = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"})


@cache
def described(cpuinfo: Path = CPUINFO) -> str:
    """Name and instructions of the processor in one line, the same for two machines of one kind."""
    try:
        lines = cpuinfo.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    first: dict[str, str] = {}
    for key, _, value in (line.partition(":") for line in lines):
        first.setdefault(key.strip(), value.strip())
    said = (first.get(key, "") for key in ("model name", "flags", "Features"))
    return " ".join([platform.machine(), *said])


@cache
def has_int8() -> bool:
    """Whether sums of products of 8 bits are exact on this processor; False where its system does not tell."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"  # every processor of Apple's has the instructions
    return not INT8_FLAGS.isdisjoint(described().split())
