"""Records that are likely mislabelled: their labels speak against held-out predictions of a quick model."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from seqcnn.data.dataset import Dataset
from seqcnn.data.splits import FEWEST_RECORDS, folds
from seqcnn.errors import MissingExtraError
from seqcnn.quality.check import Check
from seqcnn.quality.features import quick_scores
from seqcnn.quality.findings import Finding, Outcome, counted
from seqcnn.quality.noise import label_noise
from seqcnn.quality.subject import Floats, Indices, Subject

FOLDS = 5
#: Twice the log likelihood that wrong labels must gain, beside the logarithm of how often was asked. Of 20 clean sets
#: of scripts/bench/check_rows.py (2,000 records, seeds 100 to 119) none gained over 7.5; with 5% of the labels flipped
#: each gained over 17.
_GAIN = 12.0
#: Below this held-out AUROC the model knows too little to correct anybody.
_KNOWS = 0.7
#: Fewer flagged records than this are no finding.
_FEW = 3


class Mislabelled(Check):
    """Suits two or more classes."""

    name: ClassVar[str] = "mislabelled"
    needs_targets: ClassVar[bool] = True

    def suits(self, data: Dataset) -> bool:
        """Return whether there are classes."""
        return super().suits(data) and data.task in ("binary", "multiclass")

    def look(self, subject: Subject) -> Outcome:
        """Return the records whose labels are likely wrong."""
        data = subject.data
        if data.targets is None:
            return Outcome()
        find_label_issues = _cleanlab()
        rows, notes = _sampled(subject)
        truth = data.targets[rows, 0].astype(np.int64)
        present, label = np.unique(truth, return_inverse=True)
        if len(present) < 2 or np.bincount(label).min() < FEWEST_RECORDS:
            return Outcome(notes=("wrong labels were not looked for: every class needs 10 records or more",))
        sample = data.take(rows)
        scores = quick_scores(sample, label, folds(sample, FOLDS, seed=subject.seed), seed=subject.seed)  # (N, K)
        wrong, chances = _suspicion(scores, label)
        if chances is None:
            return Outcome(notes=(*notes, "wrong labels were not looked for: a quick model cannot tell the classes"))
        issues = find_label_issues(label, chances, filter_by="prune_by_noise_rate", n_jobs=1)
        flagged = np.flatnonzero(issues & (wrong > 0.5))
        if len(flagged) < _FEW:
            return Outcome(notes=notes)
        flagged = flagged[np.argsort(-wrong[flagged], kind="stable")]
        share = len(flagged) / len(rows)
        looks = chances.argmax(1)
        named = tuple(
            f"{data.ids[rows[i]]} (given {data.labels[present[label[i]]]}, looks like {data.labels[present[looks[i]]]})"
            for i in flagged.tolist()
        )
        return Outcome(
            (
                Finding(
                    "mislabelled",
                    "problem" if share >= 0.02 else "warning",
                    f"{counted(len(flagged), verb='are')} likely mislabelled",
                    "Look at them, the first ones first: correct or leave out what is wrong. Held-out predictions of a "
                    "simple model speak against their labels (cleanlab).",
                    len(flagged),
                    share,
                    named[:20],
                ),
            ),
            notes=notes,
        )


def _cleanlab() -> Callable[..., Any]:
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        raise MissingExtraError("wrong labels were not looked for: install seqcnn[quality]") from None
    found: Callable[..., Any] = find_label_issues
    return found


def _sampled(subject: Subject) -> tuple[Indices, tuple[str, ...]]:
    """Return the records to look at, those with a known class, and what to say of the others."""
    targets = subject.data.targets
    known = np.flatnonzero(np.isfinite(targets[:, 0])) if targets is not None else np.zeros(0, np.int64)
    most = subject.options.sample
    if len(known) <= most:
        return known, ()
    drawn = np.sort(np.random.default_rng(subject.seed).permutation(known)[:most])
    return drawn, (
        f"wrong labels were looked for among {most:,} of {len(known):,} records, drawn at random (--sample)",
    )


def _suspicion(scores: Floats, label: Indices) -> tuple[Floats, Floats | None]:
    """Return the chance that each label is wrong ``(N,)``, and that of each class ``(N, K)``, None where not told."""
    from scipy.stats import rankdata

    k = scores.shape[1]
    wrong, chances = np.zeros(len(label)), np.zeros_like(scores)
    able = False
    classes = [1] if k == 2 else list(range(k))
    least = _GAIN + 2 * np.log(len(classes))
    for c in classes:
        mine = (label == c).astype(np.float64)
        ranks = rankdata(scores[:, c])
        m = mine.sum()
        auroc = ((ranks * mine).sum() - m * (m + 1) / 2) / (m * (len(mine) - m))
        if auroc < _KNOWS:
            chances[:, c] = m / len(mine)
            continue
        able = True
        noise = label_noise(scores[:, c], mine)
        chances[:, c] = noise.chance
        wrong = np.maximum(wrong, noise.wrong(mine, least))
    if k == 2:
        chances[:, 0] = 1 - chances[:, 1]
    chances = np.clip(chances, 1e-9, None)
    return wrong, chances / chances.sum(1, keepdims=True) if able else None
