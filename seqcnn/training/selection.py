"""Strands and positions: found by comparing models on training folds, never assumed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.data.dataset import Dataset
from seqcnn.data.splits import folds
from seqcnn.kmers import indices, n_kmers
from seqcnn.sequence import Sequences
from seqcnn.tasks.task import Task

Matrix = npt.NDArray[np.float32]
#: Held-out losses, one a record, of a model with or without the richer view.
Trial = Callable[[bool], npt.NDArray[np.float64]]

#: The simpler view is kept unless the other one's held-out loss is lower by this many standard errors (paired) and by
#: this share of the loss. Where the richer view means nothing it loses (z of -3 and less on shuffles), so 2 is strict.
SIGNIFICANT, MATERIAL = 2.0, 0.005
#: Standard errors by which one strand must be better.
_STRAND = 1.0
#: Share of the loss that places explain: less is not worth a network that learns each place by itself (it lost where
#: they explained 2%), more needs no trial (all sets above had 25% and more).
_LITTLE, _MUCH = 0.04, 0.2
#: Records looked at, folds, and strengths of the ridge penalty relative to the mean eigenvalue.
_RECORDS, _FOLDS, _STRENGTHS = 20_000, 3, (0.03, 0.3, 3.0)
#: Words of a linear probe of sequences have at most so many forms; bins of position for letters and for words.
_WORDS, _SHORT_WORDS, _LETTER_BINS, _WORD_BINS = 1024, 64, 128, 12


@dataclass(frozen=True)
class Choice:
    """What was chosen, how, and the figures it rests on.

    Parameters
    ----------
    chosen
        ``both`` or ``forward``; ``aware`` or ``free``.
    how
        ``given``, ``compared``, or why there was nothing to compare.
    figures
        Held-out loss of each candidate, and the standard errors between them (``z``).
    """

    chosen: str
    how: str
    figures: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the choice as JSON values."""
        return {"chosen": self.chosen, "how": self.how, "figures": self.figures}


def better(
    simple: npt.NDArray[np.float64], rich: npt.NDArray[np.float64], *, significant: float = SIGNIFICANT
) -> tuple[bool, float]:
    """Return whether `rich` is significantly and materially the lower of two paired losses ``(N,)``, and by what z.

    >>> better(np.ones(100), np.ones(100) * 0.5 + np.arange(100) / 1e4)[0]
    True
    """
    gain = simple - rich
    error = float(gain.std()) / max(1, len(gain)) ** 0.5
    z = float(gain.mean()) / error if error > 0 else 0.0
    return z > significant and float(gain.mean()) > MATERIAL * float(simple.mean()), z


class Probes:
    """Linear probes on words, and on words and places, of a sample of the training records; each is fitted once.

    Parameters
    ----------
    data
        Training records only.
    task
        Learning task.
    seed
        Of the sample and of its folds.
    """

    def __init__(self, data: Dataset, task: Task, *, seed: int = 0) -> None:
        self.data, self.task, self.seed = data, task, seed
        self._found = dict[bool, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]()

    def losses(self, *, both: bool) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the held-out errors ``(N,)`` without and with places; `both`: the two strands are one."""
        if both not in self._found:
            sample = _sample(self.data, self.seed)
            alphabet = _alphabet(sample)
            truth, fold = _scores(self.task, sample), folds(sample, _FOLDS, seed=self.seed)
            words = _words(sample, alphabet, canonical=both)
            placed = np.concatenate([words, _places(sample, alphabet, both=both)], axis=1)
            self._found[both] = _held_out(words, truth, fold), _held_out(placed, truth, fold)
        return self._found[both]


def choose_strands(probes: Probes) -> Choice:
    """Return ``both`` unless telling a word from its reverse complement predicts held-out records better.

    Two linear probes are compared: one counts a word and its reverse complement as one, one tells them apart; each sees
    what stands where if that helps it. Where the strand means nothing the first has half as much to learn and is
    clearly better (z of -3 and less on transcription factors).

    Parameters
    ----------
    probes
        Of DNA or RNA.
    """
    losses = []
    for both in (True, False):
        words, places = probes.losses(both=both)
        losses.append(places if better(words, places)[0] else words)
    rich, z = better(*losses, significant=_STRAND)
    return _choice(("both", "forward"), rich, losses, z, "linear probes on words and places")


def choose_positions(probes: Probes, *, strands: str, trial: Trial | None = None) -> Choice:
    """Return ``free`` unless knowing where in the record letters stand predicts held-out records better.

    A linear probe on the words a record holds is compared on the same folds with one that also sees letters and short
    words by place. Where that one explains far more, places matter; where it explains little more, a network that must
    learn every place by itself loses. In between, `trial` has the last word: it trains the network itself with and
    without the knowledge of place. Not where both strands are read: there a place is a distance from the middle, of
    which the pooled network has never been found to need more.

    Parameters
    ----------
    probes
        Of sequences.
    strands
        As chosen: with ``both``, a place means the same place on either strand.
    trial
        Takes whether the network knows places; returns held-out losses ``(N,)`` of the same records each time.
    """
    both = strands == "both"
    losses = list(probes.losses(both=both))
    gain = 1 - float(losses[1].mean()) / max(float(losses[0].mean()), 1e-30)
    rich, z = better(*losses)
    rich &= gain > (_MUCH if both else _LITTLE)
    screened = _choice(("free", "aware"), rich, losses, z, "linear probes on words and places")
    if screened.chosen == "free" or gain > _MUCH or trial is None:
        return screened
    losses = [trial(False), trial(True)]
    rich, z = better(*losses)
    final = _choice(("free", "aware"), rich, losses, z, "short trainings of the network")
    return Choice(final.chosen, final.how, {**final.figures, "screening": screened.figures})


def _choice(names: tuple[str, str], rich: bool, losses: list[npt.NDArray[np.float64]], z: float, by: str) -> Choice:
    figures = {name: float(loss.mean()) for name, loss in zip(names, losses, strict=True)}
    return Choice(names[rich], "compared", figures | {"z": z, "by": by, "records": len(losses[0])})


def _sample(data: Dataset, seed: int) -> Dataset:
    if len(data) <= _RECORDS:
        return data
    order = np.argsort(folds(data, -(-len(data) // _RECORDS), seed=seed), kind="stable")  # whole groups, by class
    return data.take(np.sort(order[:_RECORDS]))


def _alphabet(data: Dataset) -> Alphabet:
    if data.alphabet is None:
        raise TypeError("strands and positions are compared for sequences only")
    return data.alphabet


def _scores(task: Task, data: Dataset) -> npt.NDArray[np.float32]:
    """Return the targets as numbers to fit by least squares, ``(N, K)``, NaN for missing."""
    coded = task.encode(data.targets if data.targets is not None else np.zeros((len(data), 1)))
    if task.name != "multiclass":
        return coded
    known = np.isfinite(coded)
    return np.where(known, np.eye(task.outputs, dtype=np.float32)[np.nan_to_num(coded[:, 0]).astype(np.intp)], np.nan)


def _held_out(features: Matrix, truth: npt.NDArray[np.float32], fold: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the squared error of each record by a ridge fitted on the other folds, at the best of three strengths."""
    from scipy.linalg import solve

    known = np.isfinite(truth)
    mean = np.nansum(truth, 0) / np.maximum(known.sum(0), 1)
    y = np.where(known, truth - mean, 0).astype(np.float32)
    x = features - features.mean(0)
    parts = [(x[fold == f], y[fold == f]) for f in range(_FOLDS)]
    grams = [a.T @ a for a, _ in parts]
    products = [a.T @ b for a, b in parts]
    total, product = sum(grams), sum(products)
    scale = float(np.trace(total)) / len(total)
    losses = np.zeros((len(_STRENGTHS), len(x)))
    for f, (rows, _) in enumerate(parts):
        gram, right = total - grams[f], product - products[f]
        for i, strength in enumerate(_STRENGTHS):
            ridge = gram + np.float32(strength * scale) * np.eye(len(gram), dtype=np.float32)
            predicted = rows @ solve(ridge, right, assume_a="pos", overwrite_a=True, check_finite=False)
            inside = fold == f
            losses[i, inside] = ((y[inside] - predicted) ** 2 * known[inside]).sum(1)
    return np.asarray(losses[losses.mean(1).argmin()])


def _word_length(alphabet: Alphabet, most: int) -> int:
    k = 1
    while alphabet.size ** (k + 1) <= most:
        k += 1
    return k


def _numbers(codes: npt.NDArray[np.uint8], k: int, alphabet: Alphabet) -> npt.NDArray[np.int64]:
    """Return the word at each place of a rectangle of codes, ``(N, L - k + 1)``, -1 where one is ambiguous."""
    letters = (codes & ~np.uint8(SOFT_MASK)).astype(np.int64)
    places = codes.shape[1] - k + 1
    if places < 1:
        return np.full((len(codes), 1), -1, np.int64)
    number = np.zeros((len(codes), places), np.int64)
    whole = np.ones(number.shape, bool)
    for j in range(k):
        letter = letters[:, j : j + places]
        number = number * alphabet.size + letter
        whole &= letter < alphabet.size
    return np.where(whole, number, -1)


def _rectangle(data: Dataset) -> npt.NDArray[np.uint8]:
    raw = data.raw
    if not isinstance(raw, Sequences):
        raise TypeError("strands and positions are compared for sequences only")
    return raw.rectangle()[0]


def _count(numbers: npt.NDArray[np.int64], size: int) -> Matrix:
    """Return how often each number from 0 to size - 1 occurs in each row, ``(N, size)``; -1 is not counted."""
    row = np.arange(len(numbers))[:, None] * size
    counted = np.bincount((row + numbers)[numbers >= 0], minlength=len(numbers) * size)
    return counted.reshape(len(numbers), size).astype(np.float32)


def _words(data: Dataset, alphabet: Alphabet, *, canonical: bool) -> Matrix:
    """Return whether each record holds each word, ``(N, words)``; `canonical`: a word plus its reverse complement.

    The sum makes the canonical probe the other one under the rule that both strands weigh the same, nothing less: a
    palindrome such as CACGTG shows as CACGT and as ACGTG to both.
    """
    k = _word_length(alphabet, _WORDS)
    found = np.minimum(_count(_numbers(_rectangle(data), k, alphabet), alphabet.size**k), 1)
    if not canonical:
        return found
    index = indices(k, alphabet, True)
    folded = np.zeros((len(found), n_kmers(k, alphabet, True)), np.float32)
    first = np.unique(index, return_index=True)[1]
    folded += found[:, first]
    second = np.setdiff1d(np.arange(len(index)), first)
    folded[:, index[second]] += found[:, second]
    return folded


def _places(data: Dataset, alphabet: Alphabet, *, both: bool) -> Matrix:
    """Return letters and short words by place in the record, ``(N, places * words)``, the mean of both strands."""
    codes = _rectangle(data)
    views = [codes]
    if both:  # padding stays at the end: a record's other strand starts at its own end
        lengths = data.lengths[:, None]
        source = lengths - 1 - np.arange(codes.shape[1])
        other = alphabet.complement[np.take_along_axis(codes, np.maximum(source, 0), 1)]
        views.append(np.where(source >= 0, other, codes))
    features = []
    for view in views:
        blocks = []
        for k, most in ((1, _LETTER_BINS), (_word_length(alphabet, _SHORT_WORDS), _WORD_BINS)):
            numbers = _numbers(view, k, alphabet)
            bins = min(most, numbers.shape[1])
            place = np.arange(numbers.shape[1]) * bins // numbers.shape[1]
            words = alphabet.size**k
            blocks.append(_count(np.where(numbers < 0, -1, numbers + place * words), bins * words))
        features.append(np.concatenate(blocks, axis=1))
    return np.asarray(np.mean(features, axis=0), np.float32)
