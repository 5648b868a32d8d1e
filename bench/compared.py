"""Claim: cleanlab ranks labels that may be wrong, and how many are right is then still not known.

It gets the labels that `thresher demo` certifies: handwritten digits, 0.5 % of those labelled "loop" wrong on purpose,
with probabilities of a logistic regression by cross-validation, as its documentation asks. Counted is what it flags.
cleanlab is AGPL-3.0, so it is in no lock and no other file imports it; run this in an environment of its own.

    python -m venv beside && beside/bin/pip install cleanlab==2.9.0
    thresher demo --once
    beside/bin/python bench/compared.py thresher-demo
"""

import argparse
import csv
from pathlib import Path
from typing import Any


def main() -> None:
    """Print what cleanlab flags, and how much of it is wrong."""
    import cleanlab
    import numpy as np
    from cleanlab.filter import find_label_issues
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("place", type=Path, help="the folder of the demo")
    place = options.parse_args().place
    truth = {name: word == "yes" for name, word in read(place / "digits.csv")}
    labelled = {name for name, _ in read(place / "labels.csv")}
    labels: Any = np.array([name in labelled for name in truth]).astype(int)
    wrong = {row for row, name in enumerate(truth) if (name in labelled) != truth[name]}
    pixels = load_digits().data / 16
    believed = cross_val_predict(LogisticRegression(max_iter=500), pixels, labels, cv=5, method="predict_proba")
    flagged = find_label_issues(labels, believed, return_indices_ranked_by="self_confidence")
    of_labelled = [row for row in flagged if labels[row]]
    told = f"{len(labels):,} images, {labels.sum():,} labelled, {len(wrong)} of them wrong"
    print(f"cleanlab {cleanlab.__version__}: {told}")
    print(
        f"flagged {len(flagged)}, {len(of_labelled)} of them labelled; {len(wrong & set(flagged))} of these are wrong"
    )


def read(table: Path) -> list[tuple[str, str]]:
    """The rows of a table with a header and two columns."""
    with table.open(newline="", encoding="utf-8") as file:
        return [(name, word) for name, word in csv.reader(file)][1:]


if __name__ == "__main__":
    main()
