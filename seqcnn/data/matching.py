"""How well negatives match their positives: what each simple property alone would tell of the label."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK
from seqcnn.data.dataset import Dataset
from seqcnn.data.tss import Starts
from seqcnn.errors import DataError
from seqcnn.sequence import Sequences

Floats = npt.NDArray[np.float64]

#: Codes of the letters whose share is the GC content: those of C and G, in the order of the DNA and RNA alphabets.
_GC, _LETTERS = (1, 2), 4
#: What `measured` calls the distance to the nearest start of transcription.
TSS_DISTANCE = "log10 TSS distance"
#: Two-sided 95% quantile of the normal distribution.
_QUANTILE = 1.959964


@dataclass(frozen=True)
class Property:
    """One property of both classes.

    Parameters
    ----------
    name
        Such as ``GC``.
    positives, negatives
        Mean of each class.
    auroc
        Of this property alone: 0.5 tells nothing of the label.
    interval
        Its 95% interval.
    """

    name: str
    positives: float
    negatives: float
    auroc: float
    interval: tuple[float, float]

    @property
    def difference(self) -> float:
        """Mean of the positives minus that of the negatives."""
        return self.positives - self.negatives

    @property
    def alike(self) -> bool:
        """Whether all records have the same value."""
        return self.interval == (0.5, 0.5)

    def __str__(self) -> str:
        low, high = self.interval
        means = f"{self.name} {self.positives:.3g} against {self.negatives:.3g}"
        return f"{means} (AUROC {self.auroc:.3f}, {low:.3f} to {high:.3f})"


@dataclass(frozen=True)
class Matching:
    """What the simple properties of positives and negatives, each alone, would tell of the label."""

    properties: tuple[Property, ...]

    def __getitem__(self, name: str) -> Property:
        return next(p for p in self.properties if p.name == name)

    def __str__(self) -> str:
        alike = [p.name for p in self.properties if p.alike]
        said = [str(p) for p in self.properties if not p.alike]
        return "positives against negatives: " + "; ".join(said + ([f"alike in {', '.join(alike)}"] if alike else []))


def composition(sequences: Sequences) -> tuple[Floats, Floats]:
    """Return the share of C and G among the letters known, and the share that is soft-masked, ``(N,)`` each.

    NaN for a record without any known letter.

    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> gc, repeats = composition(Sequences.from_codes([encode("ACgtN", DNA), encode("GG", DNA)]))
    >>> gc.tolist(), repeats.tolist()
    ([0.5, 1.0], [0.4, 0.0])
    """
    codes = sequences.buffer & ~np.uint8(SOFT_MASK)
    known, gc, soft = (
        _sums(marked, sequences.offsets)
        for marked in (codes < _LETTERS, np.isin(codes, _GC), sequences.buffer >= SOFT_MASK)
    )
    with np.errstate(invalid="ignore"):
        return gc / np.where(known, known, np.nan), soft / np.where(known, sequences.lengths, np.nan)


def _sums(marked: npt.NDArray[np.bool_], offsets: npt.NDArray[np.int64]) -> Floats:
    running = np.concatenate([[0], np.cumsum(marked, dtype=np.int64)])
    sums: Floats = (running[offsets[1:]] - running[offsets[:-1]]).astype(np.float64)
    return sums


def measured(data: Dataset) -> dict[str, Floats]:
    """Return GC content, length, share of repeats and distance to the nearest TSS of each record, ``(N,)`` each.

    The distance, `tss_distance`, is there where negatives were matched in it.
    """
    if not isinstance(data.raw, Sequences) or data.alphabet is None or not data.alphabet.has_complement:
        raise DataError("matching: expected sequences of DNA or RNA, whose GC content and repeats can be compared")
    gc, repeats = composition(data.raw)
    values = {"GC": gc, "length": data.lengths.astype(np.float64), "repeats": repeats}
    distance = tss_distance(data)
    return values if distance is None else values | {TSS_DISTANCE: distance}


def tss_distance(data: Dataset) -> Floats | None:
    """Return log10 of each record's distance to the nearest TSS in bp, ``(N,)``, one below its length as that.

    None where no negatives were matched in it.
    """
    made, places = data.summary.made, data.places
    if made is None or not made.annotation or places is None:
        return None
    names = sorted(set(places.chromosomes) - {""})
    return np.asarray(np.log10(np.maximum(Starts.read(made.annotation, names).of(places), data.lengths)))


def matching(data: Dataset) -> Matching:
    """Return how positives and negatives compare in GC content, length, repeats and, where matched in it, TSS distance.

    Parameters
    ----------
    data
        Sequences of a binary task, the second label positive, wherever their negatives come from.

    Raises
    ------
    DataError
        If the data are not of this kind.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> raw = Sequences.from_codes([encode(s, DNA) for s in ("GGCC", "GGGC", "ATAT", "GTAT")])
    >>> data = Dataset("codes", raw, tuple("abcd"), np.array([[1.0], [1], [0], [0]]), "binary", alphabet=DNA)
    >>> print(matching(data)["GC"])
    GC 1 against 0.125 (AUROC 1.000, 1.000 to 1.000)
    """
    if data.task != "binary" or data.targets is None:
        raise DataError(
            f"matching: expected positives and negatives of a binary task, found {data.task or 'no targets'}"
        )
    return compared(measured(data), data.targets[:, 0])


def compared(properties: Mapping[str, Floats], truth: Floats) -> Matching:
    """Return how the properties of positives and negatives compare, given those of all records as `measured` does."""
    found = []
    for name, values in properties.items():
        one, other = (values[(truth == label) & np.isfinite(values)] for label in (1, 0))
        if len(one) and len(other):
            area, low, high = _auroc(one, other)
            found.append(Property(name, float(one.mean()), float(other.mean()), area, (low, high)))
    return Matching(tuple(found))


def placements(positives: Floats, negatives: Floats) -> tuple[Floats, Floats]:
    """Return the share of negatives below each positive, ``(M,)``, and of positives below each negative, ``(N,)``.

    Ties count half. The mean of the first is the AUROC, and the variances of both make up its own.

    >>> placements(np.array([3.0, 2, 2]), np.array([1.0, 2]))
    (array([1.  , 0.75, 0.75]), array([0.        , 0.33333333]))
    """
    return _below(positives, np.sort(negatives)), _below(negatives, np.sort(positives))


def _below(values: Floats, ordered: Floats) -> Floats:
    twice = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(twice / (2 * len(ordered)))


def _auroc(positives: Floats, negatives: Floats) -> tuple[float, float, float]:
    """Return the AUROC and its 95% interval by the variance of DeLong et al. (1988), doi:10.2307/2531595."""
    wins, losses = placements(positives, negatives)
    area = float(wins.mean())
    spread = sum(float(part.var(ddof=1)) / len(part) for part in (wins, losses) if len(part) > 1)
    half = _QUANTILE * spread**0.5
    return area, max(0.0, area - half), min(1.0, area + half)
