"""One set of the table of accuracy: its records divided into those trained on and those tested on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqcnn.alphabet import DNA, PROTEIN, Alphabet
from seqcnn.data.relatives import families, kin
from seqcnn.sequence import Sequences, encode

#: A table of records with the columns sequence and target, and perhaps fold (1, 2, ...), linked (records of one value
#: stay together) and chrom, start, end (a place). A reader takes the folder of real data and the seed.
Frame = pd.DataFrame
Reader = Callable[[Path, int], Frame]

#: What is kept between runs: finished units of work, and families of records.
UNITS = Path(__file__).resolve().parent / ".units"
FAMILIES = UNITS / "families"
NUCLEIC, RESIDUES = "ACGT", "ACDEFGHIKLMNPQRSTVWY"
#: Share of the training records that a rehearsal tests on, and the most it takes beside a subset.
HELD, MOST_HELD = 0.2, 5000
#: Words of this length are compared, and near are records that share this part of all the words that the two hold.
WORD, SHARED = 4, 0.1


@dataclass(frozen=True)
class Set:
    """Data of one kind and size: what is trained on, and what is tested on.

    Parameters
    ----------
    name, needs
        What it is called; the folder it lies in.
    train, valid, test
        Readers; without `test`, folds are predicted by the others in turn.
    metric
        Of `seqcnn.metrics`.
    task, letters
        What the plain CNN must be told.
    folds
        Folds that are made where `train` gives none and there is no test file.
    tested
        Which of the folds are tested on; () for all.
    rehearse
        What a rehearsal holds back: "relatives" (whole groups of relatives), "random", the "highest" targets, or the
        "farthest" records from what is common (most mutations).
    positives
        Trained on so many positives drawn by the seed, and negatives by the set's ratio; 0: on all.
    weight
        Thousands of records, about: long units go first.
    """

    name: str
    needs: str
    train: Reader
    test: Reader | None = None
    valid: Reader | None = None
    metric: str = "auroc"
    task: str = "binary"
    letters: str = NUCLEIC
    folds: int = 0
    tested: tuple[int, ...] = ()
    rehearse: str = "relatives"
    positives: int = 0
    weight: float = 1

    def units(self, seeds: list[int], *, rehearse: bool) -> list[tuple[int, int]]:
        """Return the (seed, fold) of each training; fold 0 is the test file, or what a rehearsal holds back."""
        numbers = [0] if rehearse or not self.folds else self.tested or range(1, self.folds + 1)
        return [(seed, fold) for seed in seeds for fold in numbers]

    def parted(self, data: Path, seed: int, fold: int, *, rehearse: bool) -> Frame:
        """Return the records of one training with their part: train, valid or test.

        Test records that recur in training, on either strand, or overlap a training window are left out.
        """
        rng = np.random.default_rng(1000 + seed)
        frame = self.train(data, seed + 1000 * rehearse).reset_index(drop=True)
        if rehearse:
            frame["part"] = np.where(self.held(frame), "test", "train")
        elif self.folds:
            if "fold" not in frame:
                frame["fold"] = self.divided(frame)
            frame["part"] = np.where(frame.fold == fold, "test", "train")
        else:
            assert self.test is not None
            frame = pd.concat([frame.assign(part="train"), self.test(data, seed).assign(part="test")])
        if self.positives:
            frame = fewer(frame, self.positives, rng)
        if self.valid is not None:
            frame = pd.concat([frame, self.valid(data, seed).assign(part="valid")])
        frame = frame.reset_index(drop=True)
        frame.insert(0, "id", [f"r{i}" for i in range(len(frame))])
        return frame[~((frame.part == "test") & known(frame, self.letters))].reset_index(drop=True)

    @property
    def alphabet(self) -> Alphabet:
        return DNA if self.letters == NUCLEIC else PROTEIN

    def groups(self, frame: Frame) -> npt.NDArray[np.int64]:
        """Return which records stay together: relatives (80% identity over 80%), and what is linked."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        family = remembered(coded(frame.sequence, self.alphabet), self.alphabet)
        if "linked" not in frame:
            return np.asarray(family)
        link = family.max() + 1 + pd.factorize(frame.linked)[0]
        nodes = int(link.max()) + 1
        graph = coo_array((np.ones(len(frame)), (family, link)), shape=(nodes, nodes))
        return np.asarray(connected_components(graph, directed=False)[1][family], np.int64)

    def divided(self, frame: Frame) -> npt.NDArray[np.int64]:
        """Return the fold of each record, the same for every seed: stratified, relatives together."""
        from sklearn.model_selection import StratifiedGroupKFold

        found = np.zeros(len(frame), np.int64)
        maker = StratifiedGroupKFold(self.folds, shuffle=True, random_state=0)
        for number, (_, test) in enumerate(maker.split(frame, frame.target, self.groups(frame)), 1):
            found[test] = number
        return found

    def held(self, frame: Frame) -> npt.NDArray[np.bool_]:
        """Return which training records a rehearsal tests on; the same for every seed."""
        from sklearn.model_selection import GroupShuffleSplit

        held = np.zeros(len(frame), np.bool_)
        if self.rehearse == "highest":
            return np.asarray(frame.target > frame.target.quantile(1 - HELD))
        if self.rehearse == "farthest":
            letters = np.array([list(text) for text in frame.sequence])
            common = np.array([pd.Series(column).mode()[0] for column in letters.T])
            changes = (letters != common).sum(1)
            return np.asarray(changes == changes.max())
        groups = self.groups(frame) if self.rehearse == "relatives" else np.arange(len(frame))
        held[next(GroupShuffleSplit(1, test_size=HELD, random_state=7).split(frame, groups=groups))[1]] = True
        return held


def remembered(sequences: Sequences, alphabet: Alphabet) -> npt.NDArray[np.int64]:
    """Return families of records, which are kept: among 85,000 they take a minute to find."""
    file = FAMILIES / f"{sha256(sequences.buffer.tobytes() + sequences.offsets.tobytes()).hexdigest()[:24]}.npy"
    if not file.exists():
        found = families(sequences, alphabet)
        FAMILIES.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=FAMILIES, suffix=".npy", delete=False) as out:
            np.save(out, found)
        os.replace(out.name, file)
    return np.asarray(np.load(file), np.int64)


def coded(sequences: pd.Series[str], alphabet: Alphabet) -> Sequences:
    """Return texts as sequences."""
    return Sequences.from_codes([encode(text, alphabet, unknown="mask") for text in sequences])


def fewer(frame: Frame, positives: int, rng: np.random.Generator) -> Frame:
    """Return a table with so many positives to train on, and negatives in proportion; more hold those of fewer."""
    yes, no = (np.flatnonzero((frame.part == "train") & (frame.target == label)) for label in (1, 0))
    negatives = round(positives * len(no) / len(yes))
    kept = np.r_[rng.permutation(yes)[:positives], rng.permutation(no)[:negatives]]
    test = np.flatnonzero(frame.part == "test")
    return frame.iloc[np.r_[kept, rng.permutation(test)[:MOST_HELD]]]


def known(frame: Frame, letters: str) -> npt.NDArray[np.bool_]:
    """Return which records are spelled as a record of another part, on either strand, or overlap a training window."""
    spelled = frame.sequence.str.upper()
    if letters == NUCLEIC:
        other = spelled.str.translate(str.maketrans("ACGT", "TGCA")).str[::-1]
        spelled = spelled.where(spelled < other, other)
    train = frame.part != "test"
    found = spelled.isin(spelled[train]).to_numpy(copy=True)
    if "chrom" in frame and train.any():
        for _, place in frame[frame.chrom.notna()].groupby("chrom"):
            ours = place[place.part != "test"].sort_values("start")
            if ours.empty:
                continue
            last = ours.end.cummax().to_numpy()
            at = np.searchsorted(ours.start.to_numpy(), place.end.to_numpy(), "left")  # of those that start before
            reach = np.where(at > 0, last[np.maximum(at - 1, 0)], -1)
            found[frame.index.get_indexer(place.index)] |= reach > place.start.to_numpy()
    return np.asarray(found, np.bool_)


def near_words(frame: Frame, letters: str) -> npt.NDArray[np.bool_]:
    """Return which test records share a tenth of their 4-letter words with a record trained on (Jaccard index)."""
    from scipy.sparse import csr_array

    number: dict[str, int] = {}
    held = [[number.setdefault(w, len(number)) for w in {t[i : i + WORD] for i in range(len(t) - WORD + 1)}]
            for t in frame.sequence.str.upper()]  # fmt: skip
    sizes = np.array([len(words) for words in held])
    words = csr_array(
        (np.ones(sizes.sum()), np.concatenate([np.array(w, np.int64) for w in held]), np.r_[0, sizes.cumsum()]),
        shape=(len(frame), len(number)),
    )
    test = (frame.part == "test").to_numpy()
    shared = (words[test] @ words[~test].T).toarray()
    return np.asarray((shared >= SHARED * (sizes[test][:, None] + sizes[~test] - shared)).any(1))


def near_aligned(frame: Frame, letters: str) -> npt.NDArray[np.bool_]:
    """Return which test records have a relative trained on: 80% identity over 80% of the shorter, by alignment."""
    alphabet = DNA if letters == NUCLEIC else PROTEIN
    test = frame.part == "test"
    return np.asarray(kin(coded(frame.sequence[~test], alphabet), coded(frame.sequence[test], alphabet), alphabet)[0])
