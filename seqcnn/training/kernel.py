"""A kernel machine: what is known of the records that a sequence is like, by its words and by what stands where."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.alphabet import Alphabet
from seqcnn.inference.predict import Logits
from seqcnn.sequence import Sequences
from seqcnn.tasks.task import Task
from seqcnn.training.likeness import Matrix, View, scaled, views
from seqcnn.training.ridge import coded

#: Records that a sequence is compared with at most, those on which the scales are chosen, and those that are fitted.
LANDMARKS, CHOICE, FITTED = 3000, 1000, 10_000
#: Weights of a view that are tried, in units of one over its median squared distance; and noise, in squared targets.
GAMMAS, NOISES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0), (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
#: Cells of features held at a time.
_CELLS = 8_000_000
#: Added to the diagonal, so that records that are alike can be told apart.
_JITTER = 1e-5


@dataclass(frozen=True)
class Kernel:
    """A fitted kernel machine: calling it gives logits ``(N, K)``, not calibrated.

    Parameters
    ----------
    some, scales
        Ways of looking at sequences, and what each counts.
    landmarks
        Features of the records that others are compared with, ``(M, F)``.
    weight, bias
        Of the likenesses, ``(M, K)`` and ``(K,)``.
    choice
        ``noise``, ``gammas`` by view, ``error`` (mean squared, of records left out), ``landmarks``.
    """

    some: tuple[View, ...]
    scales: tuple[float, ...]
    landmarks: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor
    choice: dict[str, Any]

    def __call__(self, raw: Sequences) -> Logits:
        """Return logits ``(N, K)``."""
        found = [like @ self.weight for like in _likenesses(self.some, self.scales, raw, self.landmarks)]
        return (torch.cat(found) + self.bias).numpy() if found else np.zeros((0, len(self.bias)), np.float32)


def fit_kernel(
    raw: Sequences,
    targets: npt.NDArray[np.float64],
    *,
    task: Task,
    alphabet: Alphabet,
    strands: str = "both",
    groups: npt.NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Kernel:
    """Fit kernel ridge regression with a Gaussian kernel over several views of the records.

    What each view counts, and the noise, are chosen by leave-one-out on records of which no two are relatives. Of many
    records some stand for all (Nystroem).

    Parameters
    ----------
    raw, targets
        The training records and their targets ``(N, T)``.
    task, alphabet
        Learning task, and the letters of the records.
    strands
        With ``forward`` places count.
    groups
        ``(N,)``: relatives share one.
    seed
        Of samples.

    References
    ----------
    Ghandi, Lee, Mohammad-Noori, Beer. Enhanced regulatory sequence prediction using gapped k-mer features. PLoS Comput
    Biol 10:e1003711 (2014); Williams, Seeger. Using the Nystroem method to speed up kernel machines. NIPS (2000).

    Examples
    --------
    >>> from seqcnn.alphabet import PROTEIN
    >>> from seqcnn.tasks.binary import Binary
    >>> rng = np.random.default_rng(0)
    >>> some = Sequences.from_codes([rng.integers(0, 4 + 8 * (i % 2), 30).astype(np.uint8) for i in range(60)])
    >>> y = (np.arange(60) % 2)[:, None].astype(float)
    >>> machine = fit_kernel(some, y, task=Binary(("no", "yes")), alphabet=PROTEIN)
    >>> bool(((machine(some) > 0) == y).all())
    True
    """
    rng = np.random.default_rng(seed)
    if len(raw) > FITTED:
        kept = np.sort(rng.permutation(len(raw))[:FITTED])
        raw, targets, groups = raw.take(kept), targets[kept], None if groups is None else groups[kept]
    y, bias = _centered(task, targets)
    order = rng.permutation(len(raw))
    marks = np.sort(order[:LANDMARKS])
    some = views(raw.take(marks), alphabet, strands=strands)
    alone = one_of_each(np.arange(len(raw)) if groups is None else groups, order)[:CHOICE]
    gammas, scales, noise, error = _chosen(some, raw.take(alone), y[alone])
    landmarks = torch.from_numpy(scaled(some, raw.take(marks), scales))
    gram = torch.zeros(len(marks), len(marks), dtype=torch.float64)
    right = torch.zeros(len(marks), y.shape[1], dtype=torch.float64)
    first = 0
    for like in _likenesses(some, scales, raw, landmarks):
        gram += (like.T @ like).double()
        right += like.T.double() @ torch.from_numpy(y[first : first + len(like)])
        first += len(like)
    inner = torch.cat(list(_likenesses(some, scales, raw.take(marks), landmarks))).double()
    system = gram + noise * (inner + _JITTER * torch.eye(len(marks), dtype=torch.float64))
    weight = torch.cholesky_solve(right, _factor(system, _JITTER * float(gram.diagonal().mean())))
    choice = {"gammas": list(gammas), "noise": noise, "error": error, "landmarks": len(marks)}
    return Kernel(some, scales, landmarks, weight.float(), torch.from_numpy(bias).float(), choice)


def _factor(system: torch.Tensor, jitter: float) -> torch.Tensor:
    """Return the Cholesky factor of a matrix with as little added to its diagonal as that takes: `jitter` or more.

    Short records are often alike to the last letter but one, or all.
    """
    while True:
        system.diagonal().add_(jitter)
        found = torch.linalg.cholesky_ex(system)
        if not int(found.info) or not np.isfinite(jitter):
            factor: torch.Tensor = found.L
            return factor
        jitter *= 10


def one_of_each(groups: npt.NDArray[np.int64], order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the first record of each group, in the given order of all records.

    >>> one_of_each(np.array([0, 0, 1, 2, 1]), np.array([4, 1, 2, 0, 3])).tolist()
    [4, 1, 3]
    """
    return order[np.sort(np.unique(groups[order], return_index=True)[1])]


def _centered(task: Task, targets: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return targets ``(N, K)`` as numbers around 0, unknown ones 0, and their means ``(K,)``."""
    truth = coded(task, task.encode(targets))
    known = np.isfinite(truth)
    mean = np.where(known, truth, 0).sum(0) / np.maximum(1, known.sum(0))
    return np.where(known, truth - mean, 0), mean


def _likenesses(
    some: Sequence[View], scales: Sequence[float], raw: Sequences, landmarks: torch.Tensor
) -> Iterator[torch.Tensor]:
    """Yield how like some records are to the landmarks, ``(n, M)``, all records in turn."""
    squares = landmarks.square().sum(1)
    rows = max(1, _CELLS // max(len(landmarks), landmarks.shape[1]))
    for first in range(0, len(raw), rows):
        part = raw.take(np.arange(first, min(len(raw), first + rows)))
        x = torch.from_numpy(scaled(some, part, scales))
        yield torch.addmm(squares, x, landmarks.T, alpha=-2).add_(x.square().sum(1, keepdim=True)).neg_().exp_()


def _chosen(
    some: Sequence[View], raw: Sequences, y: npt.NDArray[np.float64]
) -> tuple[tuple[float, ...], tuple[float, ...], float, float]:
    """Return what each view counts, its scale, the noise, and the error of leaving out one record at a time."""
    distances, units = [], []
    for view in some:
        distance = _distances(view(raw))
        middle = float(np.median(distance[np.triu_indices(len(raw), 1)])) if len(raw) > 1 else 0.0
        middle = middle or float(distance.mean()) or 1.0
        distances.append(distance / middle)
        units.append(1 / middle)
    seen = dict[tuple[float, ...], tuple[float, float]]()

    def error(gammas: tuple[float, ...]) -> float:
        if gammas not in seen:
            total = sum(g * d for g, d in zip(gammas, distances, strict=True) if g)
            seen[gammas] = _left_out(np.exp(-total), y) if any(gammas) else (float(np.mean(y**2)), NOISES[-1])
        return seen[gammas][0]

    best = (1.0,) + (0.0,) * (len(some) - 1)
    for _ in range(2):
        for i in range(len(some)):
            best = min(((*best[:i], g, *best[i + 1 :]) for g in GAMMAS), key=error)
    scales = tuple(float(np.sqrt(gamma * unit)) for gamma, unit in zip(best, units, strict=True))
    return best, scales, seen[best][1], seen[best][0]


def _left_out(kernel: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the least mean squared error of leaving out one record at a time, and the noise that gives it."""
    values, vectors = torch.linalg.eigh(torch.from_numpy(kernel))
    inner = vectors.T @ torch.from_numpy(y)
    found = []
    for noise in NOISES:
        inverse = 1 / (values.clamp(min=0) + noise)
        rest = vectors @ (inverse[:, None] * inner) / (vectors.square() @ inverse)[:, None]
        found.append((float(rest.square().mean()), noise))
    return min(found)


def _distances(x: Matrix) -> npt.NDArray[np.float64]:
    """Return squared distances between rows, ``(N, N)``."""
    squares = np.square(x, dtype=np.float64).sum(1)
    distances: npt.NDArray[np.float64] = np.maximum(squares[:, None] + squares - 2.0 * (x @ x.T), 0)
    return distances
