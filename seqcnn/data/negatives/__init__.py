"""Negatives for positives that come alone: shuffles of them, matched windows of the genome, their flanks."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from seqcnn.chromosome import matched as same_chromosomes
from seqcnn.data.dataset import Dataset, Negatives, Source
from seqcnn.data.matching import matching
from seqcnn.data.negatives.flank import flanks
from seqcnn.data.negatives.made import Made, Order
from seqcnn.data.negatives.matched import matched
from seqcnn.data.negatives.room import Room
from seqcnn.data.negatives.shuffle import shuffles
from seqcnn.errors import DataError
from seqcnn.interval import Intervals, Place
from seqcnn.io.bed import read_bed
from seqcnn.io.genome import Genome
from seqcnn.io.opening import sha256_of
from seqcnn.sequence import Sequences


@dataclass(frozen=True)
class Kind:
    """A kind of negatives: what the class is called, how it is made, and whether it lies on a genome."""

    label: str
    make: Callable[[Order], Made]
    on_genome: bool


#: Name to kind. A new kind is one file and one line here.
KINDS: dict[str, Kind] = {
    "shuffle": Kind("shuffled", shuffles, False),
    "matched": Kind("matched", matched, True),
    "flank": Kind("flank", flanks, True),
}


def add_negatives(
    data: Dataset, wanted: Negatives, *, seed: int, genome: Genome | None = None, taken: Intervals | None = None
) -> Dataset:
    """Return the records of `data` as the positive class, and negatives made for them as the other one.

    The same seed and files give the same negatives.

    Parameters
    ----------
    data
        Sequences of DNA or RNA; its one label names the positive class. Left as it is.
    wanted
        Kind, ratio, what is matched, and the files it needs.
    seed
        Of all draws.
    genome
        Whose windows `matched` and `flank` take.
    taken
        Further places where no negative may lie, such as those of the records trained on.

    Raises
    ------
    DataError
        If the records are not DNA or RNA, their places are unknown, or too few negatives can be made.
    """
    kind = KINDS[wanted.kind]
    if not isinstance(data.raw, Sequences) or data.alphabet is None or not data.alphabet.has_complement:
        raise DataError(f"--negatives {wanted.kind}: made of DNA and RNA only; give a second file, or --negatives FILE")
    rng = np.random.default_rng(seed)
    order = Order(data.raw, data.ids, data.alphabet, wanted, seed, rng)
    notes: list[str] = []
    sources = list(data.summary.sources)
    if kind.on_genome:
        if genome is None or data.places is None or not set(data.places.chromosomes) <= genome.lengths.keys():
            raise DataError(
                f"--negatives {wanted.kind}: takes windows of a genome beside the positives; pass these as "
                "intervals (BED, GFF) with --genome FASTA"
            )
        avoided = [data.places, *([] if taken is None else [taken])]
        if wanted.blacklist:
            blacklist, said = _blacklist(wanted.blacklist, genome, data.places)
            avoided.append(blacklist)
            notes += said
            sources.append(Source("blacklist", wanted.blacklist, len(blacklist), sha256_of(wanted.blacklist)))
        order = replace(order, places=data.places, room=Room(genome, avoided))
    made = kind.make(order)
    joined = _joined(data, made, wanted, kind.label)
    if kind.on_genome:
        notes.append(str(matching(joined)))
    summary = replace(joined.summary, sources=tuple(sources), notes=(*joined.summary.notes, *notes))
    return replace(joined, summary=summary)


def _joined(data: Dataset, made: Made, wanted: Negatives, label: str) -> Dataset:
    """Return positives, then negatives, as the records of a binary task."""
    n, m, raw = len(data), len(made.ids), data.raw
    if not isinstance(raw, Sequences):
        raise DataError("negatives: expected sequences")
    positive = data.labels[0] if data.labels else "positive"
    nowhere = Intervals.of([Place()] * m)
    summary = replace(
        data.summary,
        dropped=data.summary.dropped | made.dropped,
        notes=(*data.summary.notes, *made.notes),
        made=wanted,
    )
    return replace(
        data,
        raw=Sequences(
            np.concatenate([raw.buffer, made.sequences.buffer]),
            np.concatenate([raw.offsets, raw.offsets[-1] + made.sequences.offsets[1:]]),
        ),
        ids=data.ids + made.ids,
        targets=np.repeat([1.0, 0.0], [n, m])[:, None],
        task="binary",
        labels=(label if positive != label else f"{label}_negative", positive),
        parts=None,
        places=None if data.places is None else data.places.joined(made.places or nowhere),
        parents=np.concatenate([np.full(n, -1), made.parents]),
        negatives=wanted.kind,
        summary=summary,
    )


def _blacklist(path: str, genome: Genome, places: Intervals) -> tuple[Intervals, list[str]]:
    """Return the intervals of a blacklist under the names of the genome, and notes on them."""
    listed = read_bed(path)[0]
    names = same_chromosomes(listed.chromosomes, list(genome.lengths))
    known = [i for i, name in enumerate(listed.chromosomes) if name in names]
    notes = []
    if len(known) < len(listed):
        other = next(name for name in listed.chromosomes if name not in names)
        notes.append(
            f"{path}: {len(listed) - len(known):,} intervals on chromosomes that the genome does not have, such as "
            f"{other}, forbid nothing"
        )
    listed = listed.take(known)
    listed = replace(listed, chromosomes=tuple(names[name] for name in listed.chromosomes))
    room = Room(genome, [listed])
    inside = sum(
        not room.free(p.chromosome, max(0, p.start), min(p.end, genome.lengths[p.chromosome])) for p in places.places()
    )
    if inside:
        notes.append(f"positives that overlap the blacklist, which is for negatives only: {inside:,}; they are kept")
    return listed, notes
