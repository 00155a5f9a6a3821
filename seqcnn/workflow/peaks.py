"""Peaks: where windows score higher than shuffles of them do, at a false discovery rate."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Raw
from seqcnn.inference.predict import stream_logits
from seqcnn.interval import Place
from seqcnn.io.tracks import Peak, peak_rows
from seqcnn.model.model import Model
from seqcnn.motifs.fdr import q_values
from seqcnn.options import ScoreOptions
from seqcnn.sequence import Codes, Sequences, shuffle_sequences
from seqcnn.tiling import Windows
from seqcnn.workflow.answers import Answers
from seqcnn.workflow.inputs import Inputs

Floats = npt.NDArray[np.float64]

#: One window of so many is compared with a shuffle of it, or so many at least: what is rare must be seen.
_SHARE = 5
_DRAWN = 50_000
#: Shuffles where there are few windows, so that small p-values can be told.
_SHUFFLES = 10_000
#: Letters of windows that are held at most, and windows shuffled at a time.
_LETTERS = 1 << 25
_PART = 2000

#: Place, summit and score of a peak.
Summit = tuple[Place, int, float]


@dataclass(frozen=True)
class Chance:
    """How often windows, and shuffles of them, score as high as that.

    Parameters
    ----------
    observed, shuffled
        Scores in rising order, ``(N,)`` and ``(M,)``.
    fdr
        Largest share of false ones among the windows that stand out.

    Examples
    --------
    >>> chance = Chance(np.array([1.0, 2, 3, 8, 9]), np.arange(0, 4, 0.04), fdr=0.05)
    >>> chance.threshold, chance.pvalues([2.0, 9.0]).round(3).tolist()
    (8.0, [0.505, 0.01])
    """

    observed: Floats
    shuffled: Floats
    fdr: float

    def pvalues(self, scores: npt.ArrayLike) -> Floats:
        """Return the share of shuffles that score as high, the window counted among them."""
        above = len(self.shuffled) - np.searchsorted(self.shuffled, scores)
        return np.asarray((1 + above) / (1 + len(self.shuffled)), np.float64)

    def qvalues(self, scores: npt.ArrayLike) -> Floats:
        """Return the share of false ones among the windows that score as high (Benjamini and Hochberg)."""
        steps = q_values(self.pvalues(self.observed))
        at = np.searchsorted(self.observed, scores, side="right") - 1
        return np.where(at < 0, 1.0, steps[at])

    @property
    def threshold(self) -> float:
        """Smallest score of windows that stand out; infinite where none does."""
        good = np.flatnonzero(self.qvalues(self.observed) <= self.fdr)
        return float(self.observed[good[0]]) if len(good) else np.inf


def chance_of(model: Model, files: Sequence[str], options: ScoreOptions) -> Chance:
    """Return how high windows of the inputs score, and exact dinucleotide shuffles of them, which hold no motif.

    The inputs are read once to draw a fifth of the windows, 50,000 at least, as far as memory permits. Each is shuffled
    once, or more often where that would make fewer than 10,000 shuffles.

    References
    ----------
    Bates et al., Testing for outliers with conformal p-values, Annals of Statistics 2023: p-values against a sample
    keep the false discovery rate under Benjamini and Hochberg's procedure.
    """
    rng = np.random.default_rng(options.seed)
    most = max(100, _LETTERS // (options.window or options.width or model.longest or 1000))
    sample = _drawn(Inputs(model, options).chunks(files), most, rng)
    often = np.resize(np.arange(len(sample)), max(len(sample), min(_SHUFFLES, most)))
    size = 4 if model.alphabet is None else model.alphabet.size
    parts = (sample.take(part) for part in np.array_split(often, -(-len(often) // _PART)))
    shuffled = _scores(model, options, (shuffle_sequences(part, rng, size=size) for part in parts))
    return Chance(np.sort(_scores(model, options, [sample])), np.sort(shuffled), options.fdr)


def _drawn(chunks: Iterable[Raw], most: int, rng: np.random.Generator) -> Sequences:
    """Return windows drawn at random, each equally likely, without holding more than twice `most` of them."""
    held: list[Codes] = []
    keys = np.zeros(0)  # of those held: the smallest stay
    total, bound = 0, np.inf
    for chunk in chunks:
        total += len(chunk)
        key = rng.random(len(chunk))
        keys = np.append(keys, key[key < bound])
        held += [chunk[i].copy() for i in np.flatnonzero(key < bound).tolist()]
        if len(held) > 2 * most:
            keys, held = _smallest(keys, held, most)
            bound = keys.max()
    return Sequences.from_codes(_smallest(keys, held, min(most, max(total // _SHARE, _DRAWN)))[1])


def _smallest(keys: Floats, held: list[Codes], count: int) -> tuple[Floats, list[Codes]]:
    best = np.argsort(keys)[:count]
    return keys[best], [held[i] for i in best.tolist()]


def _scores(model: Model, options: ScoreOptions, chunks: Iterable[Sequences]) -> Floats:
    """Return the scores of the one column that is asked for, ``(N,)``."""
    answers = Answers(model, options)
    stream = stream_logits(
        model.encoder, model.network, chunks, strands=model.strands, device=options.device, precision=options.precision
    )
    return np.concatenate([np.asarray(answers.columns(answers.table(logits))[0], np.float64) for logits in stream])


class Runs:
    """Windows that reach a threshold to peaks: those that overlap or touch are one, where they follow on each other.

    The summit is the center of the window that scores highest; of several that score the same, one after another, the
    middle.

    Examples
    --------
    >>> from seqcnn.tiling import Run
    >>> runs = Runs(0.5)
    >>> windows = Windows.cut([Run("1", 0, 3, 90), Run("1", 30, 1, 90)], window=10, step=4)
    >>> runs.add(windows, [0.6, 0.9, 0.1, 0.7])
    [(Place(chromosome='1', start=0, end=14, strand=0), 9, 0.9)]
    >>> runs.rest()
    [(Place(chromosome='1', start=30, end=40, strand=0), 35, 0.7)]
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._place: Place | None = None
        self._best, self._first, self._last, self._level = 0.0, 0, 0, False

    def add(self, windows: Windows, scores: npt.ArrayLike) -> list[Summit]:
        """Return the peaks that these windows, read in order, bring to an end."""
        done: list[Summit] = []
        chromosomes, *numbers = windows.where
        values = np.asarray(scores, np.float64).tolist()
        for i in np.flatnonzero(np.asarray(values) >= self.threshold).tolist():
            name, (start, end, strand) = chromosomes.at(i), (int(column[i]) for column in numbers)
            place, score = Place(name, start, end, strand), values[i]
            if start >= end:
                continue
            run, center = self._place, (start + end) // 2
            if run is None or run.chromosome != name or start > run.end or end < run.start:
                done += self.rest()
                run, self._best, self._level = place, -np.inf, False
            same = strand if strand == run.strand else 0
            self._place = Place(name, min(start, run.start), max(end, run.end), same)
            if score > self._best:
                self._best, self._first, self._last, self._level = score, center, center, True
            elif score == self._best and self._level:
                self._last = center
            else:
                self._level = False
        return done

    def rest(self) -> list[Summit]:
        """Return the peak that is left, if any."""
        place, self._place = self._place, None
        return [] if place is None else [(place, (self._first + self._last) // 2, self._best)]


class Caller:
    """Peaks written as windows are scored."""

    def __init__(self, chance: Chance) -> None:
        self.chance, self.count = chance, 0

    @contextmanager
    def opened(self, path: str) -> Iterator[Callable[[Windows, npt.ArrayLike], None]]:
        """Yield a function that takes windows and their scores and writes peaks to a narrowPeak file."""
        runs = Runs(self.chance.threshold)
        with peak_rows(path) as write:

            def put(found: list[Summit]) -> None:
                self.count += len(found)
                scores = [score for _, _, score in found]
                numbers = zip(self.chance.pvalues(scores).tolist(), self.chance.qvalues(scores).tolist(), strict=True)
                write(Peak(*peak, p, q) for peak, (p, q) in zip(found, numbers, strict=True))

            yield lambda windows, scores: put(runs.add(windows, scores))
            put(runs.rest())

    @property
    def notes(self) -> list[str]:
        """Sentences that say how peaks were told, once all windows are read."""
        chance = self.chance
        against = f"{len(chance.shuffled):,} dinucleotide shuffles of {len(chance.observed):,} windows"
        if np.isinf(chance.threshold):
            return [f"no peaks: windows do not score higher than {against} at a false discovery rate of {chance.fdr:g}"]
        return [
            f"{self.count:,} peaks with a score of {chance.threshold:.6g} or more, at a false discovery rate of "
            f"{chance.fdr:g} against {against}"
        ]
