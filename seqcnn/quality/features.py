"""Held-out scores of a quick but able model: gapped k-mers of sequences, random filters of series and pictures."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.data.dataset import Dataset
from seqcnn.data.splits import split_groups
from seqcnn.kmers import n_kmers, presence
from seqcnn.networks import create
from seqcnn.registry import resolve
from seqcnn.sequence import Sequences
from seqcnn.training.planning import fit_encoder
from seqcnn.training.ridge import held_out_scores

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Words of five letters in a span of seven, which a motif with a letter changed still holds (gkm-SVM, Ghandi 2014).
_SPAN, _LETTERS = 7, 5
#: Amino acid words.
_PROTEIN_KS = (1, 2, 3)
#: Letters of a record that are looked at, from its middle: words of longer ones are all there.
_LONGEST = 1000
#: Inverse strength of regularization, as scikit-learn counts it.
_STRENGTH = {"nucleic": 3e-4, "protein": 3e-3}
#: Encoders that draw a series as a picture: the series itself says as much, and sooner.
_FIELDS = frozenset({"gadf", "gasf", "mtf", "recurrence"})
#: Of the random filters: as few as still tell classes apart.
_FILTERS = {"groups": 8, "dilations": 5, "biases": 1}


def quick_scores(data: Dataset, label: Indices, fold: Indices, *, seed: int) -> Floats:
    """Return the score of each class for each record ``(N, K)``, by models that had not seen it.

    Parameters
    ----------
    data
        The records.
    label
        ``(N,)`` class, 0 to K - 1, each of which occurs.
    fold
        ``(N,)`` fold of each record of letters; series and pictures leave out one group of duplicates at a time.
    seed
        Of the random filters.
    """
    if isinstance(data.raw, Sequences) and data.alphabet is not None:
        return _words(data.raw, data.alphabet, label, fold)
    return _filters(data, label, seed)


def _words(raw: Sequences, alphabet: Alphabet, label: Indices, fold: Indices) -> Floats:
    """Return scores of logistic regression on words."""
    from sklearn.linear_model import LogisticRegression

    raw = _middles(raw)
    features = gapped(raw, alphabet) if alphabet.size == 4 else _plain(raw, alphabet)
    strength = _STRENGTH["nucleic" if alphabet.size == 4 else "protein"]
    scores = np.zeros((len(raw), int(label.max()) + 1))
    classes = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    for held in np.unique(fold):
        out = fold == held
        for c in classes:
            mine = label[~out] == c
            if mine.all() or not mine.any():
                continue
            model = LogisticRegression(C=strength, solver="liblinear", dual=True, tol=0.01).fit(features[~out], mine)
            scores[out, c] = model.decision_function(features[out])
    if scores.shape[1] == 2:
        scores[:, 0] = -scores[:, 1]
    return scores


def _middles(raw: Sequences) -> Sequences:
    """Return records cut to their middles where they are long."""
    if raw.lengths.max(initial=0) <= _LONGEST:
        return raw
    over = np.maximum(raw.lengths - _LONGEST, 0) // 2
    return Sequences.from_codes([codes[o : o + _LONGEST] for codes, o in zip(raw, over.tolist(), strict=True)])


def _plain(raw: Sequences, alphabet: Alphabet) -> Any:
    from scipy.sparse import csr_matrix

    indptr, columns = presence(raw, _PROTEIN_KS, alphabet)
    width = sum(n_kmers(k, alphabet, False) for k in _PROTEIN_KS)
    return csr_matrix((np.ones(len(columns), np.float32), columns, indptr), shape=(len(raw), width))


def gapped(raw: Sequences, alphabet: Alphabet) -> Any:
    """Return which gapped words each record holds on either strand, a sparse 0/1 matrix ``(N, masks * 4**5)``.

    A word is five letters at chosen places among seven, the first place among them.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode, reverse_complement
    >>> one = encode("ACGTTGCAAT", DNA)
    >>> two = gapped(Sequences.from_codes([one, reverse_complement(one, DNA), one[:3]]), DNA)
    >>> two.shape, (two[0] != two[1]).nnz, two[2].nnz
    ((3, 15360), 0, 0)
    """
    from scipy.sparse import csr_matrix, hstack

    codes = raw.buffer & ~np.uint8(SOFT_MASK)
    owner = np.repeat(np.arange(len(raw)), raw.lengths)
    letters = np.minimum(codes, alphabet.size).astype(np.int64)  # the size stands for what is no letter
    strands = [letters]
    if alphabet.has_complement:
        strands.append(np.append(alphabet.complement[: alphabet.size], alphabet.size).astype(np.int64)[letters])
    blocks = []
    for rest in combinations(range(1, _SPAN), _LETTERS - 1):
        mask = (0, *rest)
        inside = owner[: len(owner) - rest[-1]] == owner[rest[-1] :]
        holds = np.zeros((len(raw), alphabet.size**_LETTERS), bool)
        # On the other strand the mask reads its mirror image on this one, from the end.
        for strand, places in zip(strands, (mask, tuple(rest[-1] - at for at in mask)), strict=False):
            number, good = np.zeros(len(inside), np.int64), inside.copy()
            for at in places:
                letter = strand[at : at + len(inside)]
                good &= letter < alphabet.size
                number = number * alphabet.size + letter
            holds[owner[: len(inside)][good], number[good]] = True
        blocks.append(csr_matrix(holds, dtype=np.float32))
    return hstack(blocks).tocsr()


def _filters(data: Dataset, label: Indices, seed: int) -> Floats:
    """Return leave-one-out scores of ridge regression on random filters (ROCKET)."""
    encoder = "series" if data.kind == "samples" and data.encoder in _FIELDS else data.encoder
    data = replace(
        data,
        encoder=encoder,
        settings={} if encoder != data.encoder else data.settings,
        targets=label[:, None].astype(np.float64),
        task="binary" if label.max() == 1 else "multiclass",
        labels=tuple(str(c) for c in range(int(label.max()) + 1)),
        weights=None,
    )
    everything = np.arange(len(data))
    made = fit_encoder(data, everything)
    task = resolve("task", str(data.task)).fit(data.labels, data.targets)
    network = create(
        "rocket", in_channels=made.channels, outputs=task.outputs, height=made.height, width=made.width, seed=seed,
        **_FILTERS,
    )  # fmt: skip
    scores = held_out_scores(network, made, task, data, records=everything, device="cpu", groups=split_groups(data))
    return np.hstack([-scores, scores]) if task.outputs == 1 else scores
