"""Seeding: the first filters of a network start as motifs that are enriched in one class against the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.data.dataset import Dataset
from seqcnn.kmers import indices
from seqcnn.sequence import Codes, Sequences
from seqcnn.tasks.task import Task

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: Length of the words that start a motif; motifs looked for; records of a class looked at; rounds of refinement.
WORD, MOTIFS, RECORDS, ROUNDS = 8, 16, 3000, 6
#: Words less enriched than this (z of two proportions, the largest of 30,000) start nothing: shuffles give none.
ENRICHED = 6.0
#: Norm of a seeded filter.
SCALE = 1.0
_LETTERS = 4
_NONE = 4  # code of padding and ambiguous letters here: a zero column


@dataclass(frozen=True)
class Seeded:
    """What the first filters started as.

    Parameters
    ----------
    motifs
        How many motifs were written, each with its reverse complement where both strands count.
    weight
        The filters that hold them, the first ones, ``(F, A, 1, K)``.

    """

    motifs: int
    weight: torch.Tensor

    def told(self, filters: nn.Conv2d | None) -> dict[str, Any]:
        """Return what the record says of it."""
        return {"seeded_motifs": self.motifs, "seeded_moved": [] if filters is None else moved(self.weight, filters)}


def moved(weight: torch.Tensor, filters: nn.Conv2d) -> list[float]:
    """Return how far training moved the first filters: 1 less the cosine of what each was and what it is.

    Parameters
    ----------
    weight
        What they were, ``(F, A, 1, K)``.

    Examples
    --------
    >>> layer = nn.Conv2d(4, 2, (1, 3))
    >>> moved(layer.weight[:1].detach().clone(), layer)
    [0.0]
    """
    one, other = (w.detach().cpu().flatten(1).double() for w in (weight, filters.weight[: len(weight)]))
    return [abs(round(1 - float(c), 4)) for c in nn.functional.cosine_similarity(one, other)]


@torch.no_grad()
def seed_filters(
    filters: nn.Conv2d, task: Task, data: Dataset, *, alphabet: Alphabet, strands: str, seed: int = 0
) -> Seeded:
    """Write enriched motifs into the first filters, with their reverse complements where both strands count.

    Parameters
    ----------
    filters
        First layer of a network of DNA or RNA, ``(F, 4, 1, K)``.
    data
        Training records only.

    Returns
    -------
    What was written.
    """
    both = strands == "both"
    count, channels, height, width = filters.weight.shape
    if channels != _LETTERS or height != 1 or width < WORD or data.targets is None:
        return Seeded(0, filters.weight[:0].clone())
    contrasts = list(_contrasts(task, data.targets))
    each, at, written = max(1, MOTIFS // len(contrasts)), 0, 0
    for inside, outside in contrasts:
        sides = [_letters(data, np.flatnonzero(side), seed) for side in (inside, outside)]
        for matrix in enriched_motifs(*sides, width=width, n=each, alphabet=alphabet, both=both):
            weight = torch.from_numpy(matrix - matrix.mean(0)).float()
            weight *= SCALE / weight.norm()
            for view in (weight, weight.flip(0, 1)) if both else (weight,):
                if at < count:
                    filters.weight[at, :, 0] = view
                    at += 1
            written += 1
    return Seeded(written, filters.weight[:at].clone())


def _contrasts(task: Task, targets: Floats) -> Iterator[tuple[Mask, Mask]]:
    """Yield which records to look in for motifs, and which to hold them against."""
    if task.name == "multiclass":
        for k in range(task.outputs):
            yield targets[:, 0] == k, (targets[:, 0] != k) & np.isfinite(targets[:, 0])
        return
    for column in targets.T:
        if task.numeric:
            low, high = np.nanquantile(column, [0.5, 0.8])
            yield column >= high, column <= low
        else:
            yield column == 1, column == 0


def _letters(data: Dataset, records: npt.NDArray[np.int64], seed: int) -> Codes:
    """Return a random sample of records as letters 0 to 3, anything else 4, ``(n, L)``."""
    if not isinstance(data.raw, Sequences):
        raise TypeError("motifs are looked for in sequences only")
    chosen = np.random.default_rng(seed).permutation(records)[:RECORDS]
    return np.asarray(np.minimum(data.raw.rectangle(chosen)[0] & ~np.uint8(SOFT_MASK), _NONE), np.uint8)


def enriched_motifs(
    inside: Codes, outside: Codes, *, width: int, n: int, alphabet: Alphabet, both: bool
) -> list[Floats]:
    """Return log-odds matrices ``(4, width)`` of motifs that are enriched `inside` against `outside`, best first.

    Take the most enriched word; as a matrix, find the best site of each record; put the threshold where the two sides
    differ most; count the sites of the first side; center on information; repeat. Then erase the sites and go on until
    no word is enriched.

    Parameters
    ----------
    inside, outside
        Letters ``(N, L)``, 4 for none.
    """
    half = width // 2
    wide = max(inside.shape[1], outside.shape[1]) + half
    x = np.concatenate(
        [np.pad(side, ((0, 0), (half, wide - side.shape[1])), constant_values=_NONE) for side in (inside, outside)]
    )
    total, first = len(x), np.arange(len(x)) < len(inside)
    if min(len(inside), len(outside)) == 0:
        return []
    views = np.concatenate([x, np.where(x < _LETTERS, 3 - x, _NONE)[:, ::-1]]) if both else x
    image = torch.eye(5)[:, :_LETTERS][torch.from_numpy(views.astype(np.int64))].permute(0, 2, 1).unsqueeze(2)
    back = np.bincount(outside[outside < _LETTERS], minlength=_LETTERS) + 1.0
    back = ((back + back[::-1]) / 2 if both else back)[:, None] / back.sum()
    found: list[Floats] = []
    work = x.copy()
    while len(found) < n:
        word = _most_enriched_word(work, first, alphabet, both)
        if word is None:
            break
        best, sites = _refined(word, views, image, first, back, width)
        found.append(np.log(best / back))
        core = np.flatnonzero((best * np.log2(best / back)).sum(0) > 0.2)
        erased = _erase(work, sites[:total], core)
        if both:
            erased += _erase(work[:, ::-1], sites[total:], core)
        if not erased:
            break
    return found


def _enrichment(hits: npt.NDArray[np.int64], misses: npt.NDArray[np.int64], n_in: int, n_out: int) -> Floats:
    """Return z of two proportions; the last term keeps counts of one from winning."""
    share = (hits + misses) / (n_in + n_out)
    spread = share * (1 - share) * (1 / n_in + 1 / n_out) + 1 / n_out**2 + 1e-12
    return np.asarray((hits / n_in - misses / n_out) / np.sqrt(spread), np.float64)


def _most_enriched_word(x: Codes, first: Mask, alphabet: Alphabet, both: bool) -> npt.NDArray[np.int64] | None:
    """Return the letters of the word whose presence differs most, or None where none is enriched."""
    places = x.shape[1] - WORD + 1
    number, whole = np.zeros((len(x), places), np.int64), np.ones((len(x), places), bool)
    for i in range(WORD):
        number = number * _LETTERS + np.minimum(x[:, i : i + places], 3)
        whole &= x[:, i : i + places] < _LETTERS
    index = indices(WORD, alphabet, both)
    forms = int(index.max()) + 1
    held = index[number] + np.arange(len(x))[:, None] * forms
    present = [np.unique(held[side][whole[side]]) % forms for side in (first, ~first)]
    hits, misses = (np.bincount(words, minlength=forms) for words in present)
    z = _enrichment(hits, misses, int(first.sum()), int((~first).sum()))
    top = int(z.argmax())
    if z[top] < ENRICHED:
        return None
    word = int((index == top).argmax())
    return np.array([(word >> 2 * (WORD - 1 - i)) & 3 for i in range(WORD)])


def _refined(
    word: npt.NDArray[np.int64], views: Codes, image: torch.Tensor, first: Mask, back: Floats, width: int
) -> tuple[Floats, Mask]:
    """Return the motif that a word grows into, probabilities ``(4, width)``, and its sites ``(views, starts)``."""
    total, strands = len(first), len(views) // len(first)
    n_in, n_out = int(first.sum()), int((~first).sum())
    matrix, start = np.tile(back, (1, width)), (width - WORD) // 2
    matrix[:, start : start + WORD] = 0.07
    matrix[word, start + np.arange(WORD)] = 0.79
    best_z, best, sites = -np.inf, matrix, np.zeros((len(views), image.shape[3] - width + 1), bool)
    for turn in range(ROUNDS):
        scores = nn.functional.conv2d(image, torch.from_numpy(np.log(matrix / back)).float()[None, :, None])[:, 0, 0]
        high, at = (t.numpy().reshape(strands, total) for t in scores.max(1))
        strand = high.argmax(0)
        value, place = high.max(0), at[strand, np.arange(total)]
        order = np.argsort(-value, kind="stable")
        z = _enrichment(first[order].cumsum(), (~first[order]).cumsum(), n_in, n_out)
        z[: min(10, total // 4)] = -np.inf
        cut = value[order[int(z.argmax())]]
        if z.max() > 0.95 * best_z:  # later rounds are wider: prefer them unless clearly worse
            best_z, best, sites = float(z.max()), matrix, (scores >= float(cut)).numpy()
        use = np.flatnonzero((value >= cut) & first)
        rows = views[use + total * strand[use]]
        windows = np.take_along_axis(rows, place[use][:, None] + np.arange(width), 1)
        count = np.stack([(windows == letter).sum(0) for letter in range(_LETTERS)])
        matrix = count + back * (1 + 0.25 * np.sqrt(len(use)))
        matrix = matrix / matrix.sum(0)
        if turn < ROUNDS - 2:
            matrix = _centered(matrix, back)
    return best, sites


def _centered(matrix: Floats, back: Floats) -> Floats:
    """Return the matrix moved so that its information has its center in the middle."""
    width = matrix.shape[1]
    information = np.maximum((matrix * np.log2(matrix / back)).sum(0) - 0.1, 0)
    if information.sum() == 0:
        return matrix
    shift = round(float(information @ np.arange(width) / information.sum() - (width - 1) / 2))
    moved = np.tile(back, (1, width))
    moved[:, max(0, -shift) : width - max(0, shift)] = matrix[:, max(0, shift) : width - max(0, -shift)]
    return moved


def _erase(x: Codes, sites: Mask, core: npt.NDArray[np.int64]) -> int:
    """Blank the core of each site in place; return how many letters that took."""
    row, start = np.nonzero(sites)
    before = int((x == _NONE).sum())
    for i in core:
        x[row, start + i] = _NONE
    return int((x == _NONE).sum()) - before
