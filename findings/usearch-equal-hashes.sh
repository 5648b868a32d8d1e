#!/usr/bin/env bash
# usearch 2.26.6 with NumPy 2.4.6, on 27 November 2026.
#
# Expected: copies in an approximate index (HNSW) cost recall among themselves at worst; a hash that is in the index once
#   is found when it is searched for, as it is without the copies.
# Seen: groups of equal hashes, as bursts of one logo or one blank image make, cut other, distinct hashes off from the
#   graph. Of 5,000 random hashes of 256 bits each finds itself. With 40 groups of 100 equal ones beside them, 15 % of the
#   same 5,000 no longer find themselves; with 5 groups of 500, 21 %. Small groups (10 equal) do no harm.
# So: group equal hashes first and index one of each group, or search with exact=True.
#
# Output seen (one thread, so that it is repeatable):
#   no groups                  100.0% of 5,000 distinct hashes find themselves
#   400 groups of 10           100.0%
#   40 groups of 100            85.1%
#   5 groups of 500             78.7%
#   40 groups of 100, exact    100.0%
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check usearch==2.26.6 numpy==2.4.6
cd "$place"
venv/bin/python - <<'PYTHON'
import numpy
from usearch.index import Index, MetricKind, ScalarKind

DISTINCT = 5_000


def share_found(groups, size, exact=False):
    """The share of the distinct hashes that a search for themselves gives first."""
    drawn = numpy.random.default_rng(1)
    distinct = drawn.integers(0, 256, (DISTINCT, 32), dtype=numpy.uint8)
    equal = numpy.repeat(drawn.integers(0, 256, (groups, 32), dtype=numpy.uint8), size, axis=0)
    hashes = numpy.concatenate([distinct, equal])
    order = drawn.permutation(len(hashes))
    hashes, keys = hashes[order], numpy.argsort(order)[:DISTINCT]
    index = Index(ndim=256, metric=MetricKind.Hamming, dtype=ScalarKind.B1)
    index.add(numpy.arange(len(hashes)), hashes, threads=1)
    found = index.search(hashes[keys], 10, threads=1, exact=exact)
    return float((numpy.asarray(found.keys)[:, 0] == keys).mean())


print(f"{'no groups':25} {share_found(0, 0):7.1%} of {DISTINCT:,} distinct hashes find themselves")
shares = {}
for groups, size in ((400, 10), (40, 100), (5, 500)):
    shares[size] = share_found(groups, size)
    print(f"{f'{groups} groups of {size}':25} {shares[size]:7.1%}")
exact = share_found(40, 100, exact=True)
print(f"{'40 groups of 100, exact':25} {exact:7.1%}")
assert share_found(0, 0) > 0.999 and shares[10] > 0.999 and exact == 1
assert shares[100] < 0.95 and shares[500] < 0.95
PYTHON
