"""Conformal prediction: how odd a prediction may be so that the truth is within as often as stated."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.errors import DataError

Floats = npt.NDArray[np.float64]

#: Order statistics kept of each class or target: a rank is off by a thousandth at most, on the safe side.
MOST_KEPT = 1000
#: A class or label has a limit of its own where so many of its held-out records are expected beyond it.
FEWEST_BEYOND = 10


@dataclass(frozen=True)
class Conformity:
    """How odd the truth of held-out records looked to the model: the nonconformity scores, sorted, of each column.

    A column is a target, or a class or label (then of the records that hold it). The limit for a coverage c is the
    ``ceil((n + 1) c)``-th smallest of n scores: if a new record and these can change places, its own score lies within
    with a chance of c or more.

    Parameters
    ----------
    scores
        At most `MOST_KEPT` order statistics a column, ascending, one column after the other, float32.
    counts
        Records behind each column, ``(J,)``.
    folds
        Whether the predictions are out-of-fold ones; else they are those of the validation part.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World. Lei et al. (2018), JASA 113:1094. Class by
    class: Vovk (2012), ACML, PMLR 25:475.
    """

    scores: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int64]
    folds: bool = False

    def limits(self, coverage: float, *, pool: bool = False) -> Floats:
        """Return the largest score within the coverage, ``(J,)``; infinity where the records are too few for one.

        Parameters
        ----------
        coverage
            Between 0 and 1.
        pool
            Whether columns with few records may share a limit: then each that has `FEWEST_BEYOND` records beyond its
            limit keeps its own, the others share one; where even these are too few, all do.

        Examples
        --------
        >>> found = conformity(np.arange(1.0, 20.0)[:, None])
        >>> found.limits(0.9).tolist(), found.limits(0.95).tolist(), found.limits(0.96).tolist()
        ([18.0], [19.0], [inf])
        """
        columns = np.split(self.scores, np.cumsum(_kept(self.counts))[:-1])
        shared = self.counts * (1 - coverage) < FEWEST_BEYOND if pool else np.zeros(len(columns), bool)
        if shared.any() and _rank(int(self.counts[shared].sum()), coverage) > self.counts[shared].sum():
            shared[:] = True
        limits = [_limit([column], self.counts[[j]], coverage) for j, column in enumerate(columns)]
        if shared.any():
            together = _limit([columns[j] for j in np.flatnonzero(shared)], self.counts[shared], coverage)
            limits = [together if alike else own for alike, own in zip(shared, limits, strict=True)]
        return np.array(limits, np.float64)

    def checked(
        self, coverage: float, names: tuple[str, ...], *, pool: bool = False, option: str = "coverage"
    ) -> Floats:
        """Return `limits` where all are finite.

        Raises
        ------
        DataError
            Naming the largest coverage that the held-out records can vouch for.
        """
        limits = self.limits(coverage, pool=pool)
        if np.isfinite(limits).all():
            return limits
        n = int(self.counts.sum() if pool else self.counts.min())
        of = "" if pool or len(names) < 2 else f" of target {names[int(self.counts.argmin())]!r}"
        most = f"the most is {np.floor(1000 * n / (n + 1)) / 1000:g}" if n else "none is possible"
        raise DataError(
            f"{option} {coverage:g}: {n:,} held-out records{of} cannot vouch for it; {most}; ask for less, or train "
            "on more records"
        )


def conformity(scores: npt.ArrayLike, *, folds: bool = False) -> Conformity:
    """Return the nonconformity scores of held-out records ``(N, J)``, sorted and thinned; NaN ones are left out.

    >>> found = conformity([[0.5, 1.0], [0.25, np.nan], [0.75, 2.0]])
    >>> found.scores.tolist(), found.counts.tolist()
    ([0.25, 0.5, 0.75, 1.0, 2.0], [3, 2])
    """
    table = np.asarray(scores, np.float64)
    columns = [np.sort(column[np.isfinite(column)]) for column in table.T]
    counts = np.array([len(column) for column in columns], np.int64)
    thin = [column[_ranks(len(column)) - 1] for column in columns]
    kept = np.concatenate(thin) if thin else np.zeros(0)
    single = kept.astype(np.float32)
    # Rounded up: what was within stays within.
    return Conformity(np.where(single < kept, np.nextafter(single, np.float32(np.inf)), single), counts, folds)


def _kept(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.minimum(counts, MOST_KEPT)


def _ranks(n: int) -> npt.NDArray[np.int64]:
    """Return the ranks that are kept of n scores, from 1, the last always."""
    kept = min(n, MOST_KEPT)
    return -(-np.arange(1, kept + 1, dtype=np.int64) * n // max(kept, 1))


def _rank(n: int, coverage: float) -> int:
    """Return the rank of the limit among n scores; n + 1 where they are too few."""
    return int(np.ceil((n + 1) * coverage - 1e-9))  # 10 times 0.9 is 9, not a little more


def _limit(columns: list[npt.NDArray[np.float32]], counts: npt.NDArray[np.int64], coverage: float) -> float:
    """Return the limit of columns taken together."""
    n = int(counts.sum())
    rank = _rank(n, coverage)
    if rank > n:
        return float("inf")
    values = np.concatenate(columns)
    stands_for = np.concatenate([np.diff(_ranks(int(count)), prepend=0) for count in counts])
    order = np.argsort(values, kind="stable")
    return float(values[order][np.searchsorted(np.cumsum(stands_for[order]), rank)])
