"""Claim: cleanlab ranks labels that may be wrong, and how many are right is then still not known.

It gets the labels that `thresher demo` certifies: handwritten digits, 0.5 % of those labelled "loop" wrong on purpose,
with probabilities of a logistic regression by cross-validation, as its documentation asks. Counted is what it flags.
`flagged_of_wrong` is the share of the wrong labels that are flagged, `flagged_in_vain` the share of the flagged labels
that are right. cleanlab is AGPL-3.0, so only benchmarks import it: this file and bench/certifying/real.py.

    pip install --require-hashes -r locks/bench.txt         as `make bench` does
    python bench/compared.py
"""

import cleanlab
import numpy as np
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from thresher.cli.demo import LOOPS, planted_labels


def main() -> None:
    """Print what cleanlab flags, and how much of it is wrong."""
    found = load_digits()
    truth = {f"{number:04}.png": "yes" if digit in LOOPS else "no" for number, digit in enumerate(found.target)}
    labelled = set(planted_labels(truth)[0])
    labels = np.array([name in labelled for name in truth]).astype(int)
    wrong = {row for row, name in enumerate(truth) if (name in labelled) != (truth[name] == "yes")}
    head = LogisticRegression(max_iter=500)
    believed = cross_val_predict(head, found.data / 16, labels, cv=5, method="predict_proba")
    flagged = find_label_issues(labels, believed, return_indices_ranked_by="self_confidence", n_jobs=1).tolist()
    of_labelled = [row for row in flagged if labels[row]]
    told = f"{len(labels):,} images, {labels.sum():,} labelled, {len(wrong)} of them wrong"
    print(f"cleanlab {cleanlab.__version__}: {told}")
    caught = len(wrong & set(of_labelled))
    print(f"flagged {len(flagged)}, {len(of_labelled)} of them labelled; {caught} of these are wrong")
    print(f"RATIO flagged_of_wrong {caught / len(wrong):.2f}")
    print(f"RATIO flagged_in_vain {1 - caught / len(of_labelled):.2f}")


if __name__ == "__main__":
    main()
