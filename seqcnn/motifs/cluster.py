"""Motifs from the sites of filters: counted with their flanks, aligned, merged where they are the same, trimmed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.motif import Matrix, from_counts, information
from seqcnn.motifs.activations import Strongest
from seqcnn.sequence import Sequences

Integers = npt.NDArray[np.int64]

#: Positions counted on either side of a filter: a filter may hold part of a motif only.
FLANK: Final = 10
#: Fewest sites a filter needs to have a motif.
FEWEST_SITES: Final = 10
#: Two motifs are one where their aligned information-weighted matrices correlate at least so much (1 is the same).
SAME: Final = 0.75
#: A position earns its place in the motif with more information than this, in bits.
WORTH: Final = 0.25
#: A motif holds at least so much information, in bits: less is met by chance too often to be one.
LEAST_INFORMATION: Final = 4.0


@dataclass(frozen=True)
class Hits:
    """Sites on the strand the motif reads: `starts` is the first position of the window on the forward strand.

    Parameters
    ----------
    records, starts, reverse, strength
        Row of the record, start, strand, and activation as a share of its filter's maximum, each ``(n,)``.
    width
        Of the windows.
    """

    records: Integers
    starts: Integers
    reverse: npt.NDArray[np.bool_]
    strength: npt.NDArray[np.float64]
    width: int

    def __len__(self) -> int:
        return len(self.records)

    def window(self, first: int, last: int) -> "Hits":
        """Return the hits with windows from column `first` to `last` of these, as the motif reads; may be negative."""
        starts = np.where(self.reverse, self.starts + self.width - last, self.starts + first)
        return Hits(self.records, starts, self.reverse, self.strength, last - first)

    def flipped(self) -> "Hits":
        """Return the hits as they read on the other strand."""
        return Hits(self.records, self.starts, ~self.reverse, self.strength, self.width)

    def codes(self, raw: Sequences, alphabet: Alphabet) -> npt.NDArray[np.uint8]:
        """Return the codes of each window on its own strand, ``(n, width)``; 127 beyond the record, no soft mask."""
        place = np.arange(self.width) + self.starts[:, None]
        begin = raw.offsets[self.records][:, None]
        inside = (place >= 0) & (place < raw.lengths[self.records][:, None])
        codes = np.where(inside, raw.buffer[np.where(inside, begin + place, 0)] & ~np.uint8(SOFT_MASK), np.uint8(127))
        if self.reverse.any():
            turned = alphabet.complement[codes[:, ::-1]]
            codes = np.where(self.reverse[:, None], turned, codes)
        return codes

    def counts(self, raw: Sequences, alphabet: Alphabet) -> Matrix:
        """Return how often each letter stands at each position, ``(width, A)``; an ambiguous letter counts in parts."""
        codes = self.codes(raw, alphabet)
        symbols = len(alphabet.symbols)
        table = np.zeros((self.width, symbols + 1))
        for column in range(self.width):
            table[column] = np.bincount(np.minimum(codes[:, column], symbols), minlength=symbols + 1)
        counts: Matrix = table[:, :symbols] @ alphabet.probabilities.astype(np.float64)
        return counts

    def best_per_record(self) -> "Hits":
        """Return the strongest hit of each record, strongest first."""
        order = np.argsort(-self.strength, kind="stable")
        _, first = np.unique(self.records[order], return_index=True)
        kept = order[np.sort(first)]
        return Hits(self.records[kept], self.starts[kept], self.reverse[kept], self.strength[kept], self.width)


@dataclass(frozen=True)
class Cluster:
    """Filters that hold one motif: their indices, the joint hits trimmed to it, its letter counts ``(L, A)``."""

    filters: tuple[int, ...]
    hits: Hits
    counts: Matrix


def hits_of(strongest: Strongest, filter_: int, threshold: float) -> Hits:
    """Return the kept sites of a filter whose activation is above `threshold` times its maximum."""
    values = strongest.values[filter_].astype(np.float64)
    top = values[0]
    kept = (values > threshold * top) & (values > 0)
    return Hits(
        strongest.records[filter_][kept],
        strongest.starts[filter_][kept],
        strongest.reverse[filter_][kept],
        values[kept] / top if kept.any() else values[kept],
        strongest.width,
    )


def joined(hits: list[Hits]) -> Hits:
    """Return hits of equal width as one, the strongest of each record kept."""
    return Hits(
        np.concatenate([h.records for h in hits]),
        np.concatenate([h.starts for h in hits]),
        np.concatenate([h.reverse for h in hits]),
        np.concatenate([h.strength for h in hits]),
        hits[0].width,
    ).best_per_record()


def worth_keeping(counts: Matrix, background: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Return the half-open range of positions that are the motif; (0, 0) where there is none.

    It is the segment with most information beyond `WORTH` a position: a weak position at the end is dropped, one
    between strong ones kept. The information is corrected for the number of sites.

    References
    ----------
    Small-sample correction: Schneider et al., Journal of Molecular Biology 1986, doi:10.1016/0022-2836(86)90165-8.
    """
    sites = counts.sum(1)
    bits = information(from_counts(counts, background), background)
    bits = bits - (counts.shape[1] - 1) / (2 * np.log(2) * np.maximum(sites, 1)) - WORTH
    best, start, stop, run, run_start = 0.0, 0, 0, 0.0, 0
    for column, gain in enumerate(bits):
        if run <= 0:
            run, run_start = 0.0, column
        run += float(gain)
        if run > best:
            best, start, stop = run, run_start, column + 1
    return start, stop


def similarity(first: Matrix, second: Matrix, *, complement: npt.NDArray[np.uint8] | None) -> tuple[float, int, bool]:
    """Return how alike two information-weighted matrices ``(L, A)`` are, best over all offsets and both strands.

    Returns
    -------
    tuple
        Normalized cross-correlation from 0 to 1; column of `first` at which the aligned `second` starts; whether it
        is reversed.
    """
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    best = (0.0, 0, False)
    if scale == 0:
        return best
    reach = len(second) - 1
    diagonal = (np.arange(len(first))[:, None] - np.arange(len(second)) + reach).ravel()
    for reverse in (False, True) if complement is not None else (False,):
        other = second[::-1, complement] if reverse else second
        scores = np.bincount(diagonal, (first @ other.T).ravel()) / scale  # one an offset, from -reach on
        if scores.max() > best[0] + 1e-12:
            best = (float(scores.max()), int(scores.argmax()) - reach, reverse)
    return best


def clusters(
    strongest: Strongest,
    raw: Sequences,
    alphabet: Alphabet,
    *,
    background: npt.NDArray[np.float64],
    threshold: float,
    both: bool,
) -> tuple[list[Cluster], list[int], list[int]]:
    """Return the motifs of all filters, those of one motif merged; then dead filters, then filters without a motif.

    Filters are taken by the information they gather (bits times sites). One joins the cluster it resembles most if
    their matrices, counted with flanks, correlate by `SAME` or more; its sites are then read in the cluster's frame.
    """
    complement = alphabet.complement[: alphabet.size] if both else None
    dead, flat = [], []
    frames: list[tuple[float, int, Hits, Matrix]] = []
    for f in range(len(strongest.values)):
        hits = hits_of(strongest, f, threshold)
        if not len(hits):
            dead.append(f)
            continue
        wide = hits.window(-FLANK, strongest.width + FLANK)
        counts = wide.counts(raw, alphabet)
        start, stop = worth_keeping(counts, background)
        if len(hits) < FEWEST_SITES or stop == start or _bits(counts[start:stop], background) < LEAST_INFORMATION:
            flat.append(f)
            continue
        frames.append((_bits(counts[start:stop], background) * len(hits), f, wide, counts))
    frames.sort(key=lambda frame: (-frame[0], frame[1]))
    groups: list[tuple[list[int], list[Hits], Matrix]] = []
    for _, f, hits, counts in frames:
        mine = weighted(counts, background)
        score, offset, reverse, home = 0.0, 0, False, -1
        for i, (_, _, theirs) in enumerate(groups):
            found = similarity(theirs, mine, complement=complement)
            if found[0] > score:
                score, offset, reverse, home = *found, i
        if score < SAME:
            groups.append(([f], [hits], mine))
            continue
        moved = hits.flipped() if reverse else hits
        groups[home][0].append(f)
        groups[home][1].append(moved.window(-offset, -offset + moved.width))
    result = []
    for filters, parts, _ in groups:
        hits = joined(parts)
        counts = hits.counts(raw, alphabet)
        start, stop = worth_keeping(counts, background)
        if stop > start and _bits(counts[start:stop], background) >= LEAST_INFORMATION:
            result.append(Cluster(tuple(filters), hits.window(start, stop), counts[start:stop]))
        else:
            flat.extend(filters)
    return result, dead, sorted(flat)


def weighted(counts: Matrix, background: npt.NDArray[np.float64]) -> Matrix:
    """Return the letter heights of a logo, ``(L, A)``: probability times the information of the position."""
    matrix = from_counts(counts, background)
    heights: Matrix = matrix * np.maximum(information(matrix, background), 0)[:, None]
    return heights


def _bits(counts: Matrix, background: npt.NDArray[np.float64]) -> float:
    return float(information(from_counts(counts, background), background).sum())
