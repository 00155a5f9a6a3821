"""Comparison of motifs with a database by TOMTOM (memelite), held against column-shuffled matrices."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.errors import DataError, SeqcnnWarning
from seqcnn.io.meme import read_meme
from seqcnn.motif import Motif, with_pseudocount
from seqcnn.motifs.fdr import q_values
from seqcnn.motifs.jaspar import RELEASE, jaspar

#: Column shuffles of each query that make the null, and the share of them a match must beat.
SHUFFLES = 50
NULL_LEVEL = 0.05
#: TOMTOM takes its background from the columns of the targets; below this many motifs it is unreliable.
FEW_TARGETS = 50


@dataclass(frozen=True)
class Match:
    """One target that resembles a query.

    Parameters
    ----------
    target
        The database's motif as it stands there.
    pvalue, qvalue
        TOMTOM's p-value of the best alignment; Benjamini-Hochberg over all targets of the query.
    null
        Share of the query's column shuffles whose best match in the database has as small a p-value (with one added
        to both counts).
    offset
        Column of the query at which the aligned target starts; negative where the target starts before the query.
    overlap
        Number of aligned columns.
    reverse
        Whether the target matches as its reverse complement.
    significant
        Whether ``qvalue`` and ``null`` are both small enough.
    """

    target: Motif
    pvalue: float
    qvalue: float
    null: float
    offset: int
    overlap: int
    reverse: bool
    significant: bool

    @property
    def name(self) -> str:
        """The target's name as people use it."""
        return self.target.label

    @property
    def accession(self) -> str:
        """The target's identifier in the database."""
        return self.target.name

    @property
    def family(self) -> str:
        """TF family, or TF class where the family is not known; empty where neither is."""
        return self.target.family or self.target.tf_class

    @property
    def aligned(self) -> Motif:
        """The target as it reads along the query."""
        return self.target.reverse_complement() if self.reverse else self.target


@dataclass(frozen=True)
class Database:
    """Motifs to compare with, and what to call them."""

    name: str
    motifs: tuple[Motif, ...]


def open_database(source: str | Path | Sequence[Motif] = "jaspar", *, taxon: str | None = None) -> Database:
    """Return the bundled JASPAR CORE (``"jaspar"``), the motifs of a MEME file, or the given ones.

    Raises
    ------
    DataError
        If a taxon is named and the source is not JASPAR.
    """
    if isinstance(source, str) and source == "jaspar":
        return Database(RELEASE if taxon is None else f"{RELEASE}, {taxon}", jaspar(taxon))
    if taxon is not None:
        raise DataError(f"--taxon {taxon}: only JASPAR has taxonomic groups; leave --taxon or --database out")
    if isinstance(source, str | Path):
        return Database(Path(source).name, tuple(read_meme(source)))
    return Database("the given motifs", tuple(source))


def compare(
    queries: Sequence[Motif],
    database: Database,
    *,
    qvalue: float = 0.05,
    shuffles: int = SHUFFLES,
    keep: int = 10,
    seed: int = 0,
) -> tuple[tuple[Match, ...], ...]:
    """Return the targets that resemble each query at a q-value of `qvalue` or less, best first.

    TOMTOM aligns a query with each target, on both strands for DNA, and gives the p-value of the best alignment
    against the columns of the database. Because low-complexity and short matrices resemble something in any large
    database, each query is also compared after shuffling its columns: a match is significant if its q-value is
    `qvalue` or less and at most 5% of the shuffles do as well.

    Parameters
    ----------
    queries
        Motifs of one alphabet.
    database
        From `open_database`.
    qvalue
        Largest q-value reported.
    shuffles
        Column shuffles a query.
    keep
        Most matches a query.
    seed
        Of the shuffles.

    Returns
    -------
    tuple
        A tuple of matches for each query.

    Raises
    ------
    DataError
        If the database has another alphabet.

    References
    ----------
    Gupta et al., Quantifying similarity between motifs, Genome Biology 2007, doi:10.1186/gb-2007-8-2-r24.
    """
    if not queries:
        return ()
    alphabet = queries[0].alphabet
    targets = _usable(database, alphabet)
    rng = np.random.default_rng(seed)
    matrices = [with_pseudocount(q) for q in queries]
    shuffled = [m[rng.permutation(len(m))] for m in matrices for _ in range(shuffles)]
    both = alphabet.has_complement and alphabet.name != "rna" and targets[0].alphabet.name != "rna"
    results = _tomtom(matrices, targets, both_strands=both)
    pvalues = results[0]
    nulls = np.zeros((len(queries), 0))
    if shuffles:
        nulls = _tomtom(shuffled, targets, both_strands=both, best=True)[0].reshape(len(queries), shuffles)
    qvalues = q_values(pvalues)
    found = []
    for i in range(len(queries)):
        order = np.argsort(pvalues[i], kind="stable")[:keep]
        shares = (1 + (nulls[i] <= pvalues[i, order, None]).sum(1)) / (1 + shuffles)
        matches = [
            Match(
                target=targets[j],
                pvalue=float(pvalues[i, j]),
                qvalue=float(qvalues[i, j]),
                null=float(share),
                offset=-int(results[2][i, j]),
                overlap=int(results[3][i, j]),
                reverse=bool(results[4][i, j]),
                significant=bool(share <= NULL_LEVEL or not shuffles),
            )
            for j, share in zip(order, shares, strict=True)
            if qvalues[i, j] <= qvalue
        ]
        found.append(tuple(matches))
    return tuple(found)


def p_values(
    queries: Sequence[Motif], targets: Sequence[Motif], *, shuffles: int = SHUFFLES, seed: int = 0
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return TOMTOM's p-values of queries with targets ``(Q, T)``, and of their column shuffles ``(Q, shuffles, T)``.

    All are of one alphabet; DNA is aligned on both strands.
    """
    rng = np.random.default_rng(seed)
    matrices = [with_pseudocount(query) for query in queries]
    shuffled = [matrix[rng.permutation(len(matrix))] for matrix in matrices for _ in range(shuffles)]
    both = queries[0].alphabet.has_complement and queries[0].alphabet.name != "rna"
    found = _tomtom([*matrices, *shuffled], targets, both_strands=both)[0]
    return found[: len(queries)], found[len(queries) :].reshape(len(queries), shuffles, len(targets))


def _usable(database: Database, alphabet: Alphabet) -> tuple[Motif, ...]:
    """Return the targets, refusing those of another alphabet; DNA and RNA are compared letter by letter."""
    for motif in database.motifs:
        if motif.alphabet.size != alphabet.size:
            raise DataError(
                f"{database.name}: {motif.alphabet.name} motifs cannot be compared with {alphabet.name} ones; "
                f"pass --database with a MEME file of {alphabet.name} motifs"
            )
    if not database.motifs:
        raise DataError(f"{database.name}: no motif to compare with")
    if len(database.motifs) < FEW_TARGETS and alphabet.size != 4:
        warnings.warn(
            f"{database.name} holds {len(database.motifs)} motifs: p-values take their background from its columns and "
            f"are unreliable below {FEW_TARGETS}",
            SeqcnnWarning,
            stacklevel=3,
        )
    return database.motifs


def _tomtom(
    queries: list[npt.NDArray[np.float64]], targets: Sequence[Motif], *, both_strands: bool, best: bool = False
) -> list[npt.NDArray[np.float64]]:
    """Return p-values, scores, offsets, overlaps and strands, each ``(queries, targets)``, or the best target's.

    A small DNA database is scored together with JASPAR, which then is the background, and JASPAR dropped again.
    """
    count = len(targets)
    size = targets[0].alphabet.size
    extra = jaspar() if count < FEW_TARGETS and size == 4 else ()
    matrices = [np.ascontiguousarray(with_pseudocount(t).T) for t in [*targets, *extra]]
    results = _memelite(
        [np.ascontiguousarray(q.T) for q in queries],
        matrices,
        n_nearest=1 if best and not extra else None,
        reverse_complement=both_strands,
        n_target_bins=100 if size == 4 else None,  # its column hash holds no more than a few letters
    )
    parts = [np.asarray(values)[:, :count] for values in results[:5]]
    if best and extra:
        parts = [parts[0].min(1, keepdims=True)]
    return parts


def _memelite(queries: list[npt.NDArray[np.float64]], targets: list[npt.NDArray[np.float64]], **options: Any) -> Any:
    """Run memelite's TOMTOM on as many threads as torch has.

    Its threads come from numba, which resets the thread count of the OpenMP library that torch shares: unless that is
    put back, every later convolution of the process is up to a thousand times slower on a busy machine.
    """
    import numba
    import torch
    from memelite import tomtom

    threads = torch.get_num_threads()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of few targets; we say so in our words
            return tomtom(queries, targets, n_jobs=min(threads, numba.get_num_threads()), **options)
    finally:
        torch.set_num_threads(threads)


def warm_up() -> None:
    """Compile TOMTOM, which takes about half a minute on the first call after memelite is installed.

    numba keeps the result beside the installed package, so set-up scripts call this once.
    """
    rng = np.random.default_rng(0)
    motifs = [np.ascontiguousarray(rng.dirichlet(np.ones(4), 6).T) for _ in range(FEW_TARGETS)]
    _memelite(motifs[:2], motifs)
