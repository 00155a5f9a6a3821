"""Windows of the genome that match the positives as negatives: same length, GC content and repeats."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.data.matching import composition
from seqcnn.data.negatives.made import Made, Order, read_windows
from seqcnn.data.negatives.room import Claims, Room
from seqcnn.data.tss import Starts
from seqcnn.errors import DataError
from seqcnn.interval import Intervals, Numbers
from seqcnn.sequence import Sequences

Floats = npt.NDArray[np.float64]

#: A window this far from its positive, in units of all properties together, is a match: share of C and G, share of
#: soft-masked letters, log10 of the distance to the nearest TSS (a factor of 1.26; one below a length counts as that).
TOLERANCES = {"GC": 0.01, "repeats": 0.05, "log10 TSS distance": 0.1}
#: Ties are broken by moving each window by up to this share of the tolerance.
_JITTER = 0.05
#: Rounds: candidates a window wanted, share by which negatives may overlap, farthest match in units of the tolerances.
ROUNDS = (
    (30, 0.0, 1), (240, 0.0, 1), (480, 0.5, 1), (480, 0.9, 1), (480, 0.95, 1), (480, 0.95, np.inf),
)  # fmt: skip
#: Candidates of one round for one length: at least, and at most.
_FEWEST, _MOST = 3_000, 2_000_000
#: Nearest candidates looked at in one go, and goes of a round in which only a match will do.
_NEIGHBOURS, _GOES = 16, 8
#: Up to so many lengths each get candidates of their own; more are drawn for classes of lengths within this factor.
_LENGTHS, _FACTOR = 8, 1.1
#: Share of the windows wanted that must be found.
_ENOUGH = 0.9


def matched(order: Order) -> Made:
    """Return windows of the genome like each positive in length, GC content and share of repeats.

    Candidates are drawn from all that is free of positives and of what is on the blacklist, and hold no letter but A,
    C, G and T. Each positive gets the nearest candidate in GC content, repeats and, where asked for, distance to the
    nearest start of transcription; the hardest to match choose first. Windows do not overlap each other, unless the
    genome has no other match; then by as little as will do, at most 95% of their length. The strand is the positive's,
    a random one where it has none.

    Raises
    ------
    DataError
        If the genome has too little room, saying how many windows could be found.
    """
    (places, room), rng, wanted = order.on_genome(), order.rng, order.wanted
    search = _Search(order, places, room)
    asked, most = len(search.starts), search.capacity()
    if most < _ENOUGH * asked:
        raise _no_room(room, f"at most {most:,}", asked)
    for density, overlap, farthest in ROUNDS:
        search.round(density, overlap, farthest)
    found = np.flatnonzero(search.starts >= 0)
    if len(found) < max(1, _ENOUGH * asked):
        raise _no_room(room, f"{len(found):,}", asked)
    parents, starts = search.parents[found], search.starts[found]
    strands = places.strands[parents]
    strands = np.where(strands == 0, rng.choice(np.array([1, -1], np.int8), len(found)), strands)
    chosen = Intervals(
        tuple(room.names[i] for i in search.chromosomes[found].tolist()),
        starts,
        starts + search.lengths[found],
        strands,
    )
    sequences = read_windows(chosen, room, order.alphabet)
    lost = asked - len(found)
    like = ["length", "GC content", "share of repeats"]
    like += [{"chromosome": "chromosome", "tss": "distance to the nearest TSS"}[name] for name in wanted.match]
    notes = [
        f"negatives: windows of the genome, {wanted.ratio} for each positive, like it in {', '.join(like[:-1])} and "
        f"{like[-1]}, {order.outside}; seed {order.seed}"
    ]
    if lost:
        notes.append(f"left out, matched negatives that the genome has no room for: {lost:,}")
    notes += search.told(parents, search.features(chosen, sequences))
    return Made(
        sequences,
        tuple(map(str, chosen.places())),
        np.full(len(found), -1),
        chosen,
        {"matched negatives that the genome has no room for": lost} if lost else {},
        tuple(notes),
    )


def _no_room(room: Room, found: str, asked: int) -> DataError:
    return DataError(
        f"negatives: {room.genome.path} has room for {found} of the {asked:,} matched windows wanted beside "
        "positives, gaps and blacklist; pass a smaller --ratio or --width, or --negatives shuffle"
    )


@dataclass(frozen=True)
class _Pool:
    """Candidates of one group: chromosome, start, length, and properties ``(M, D)`` in units of their tolerances."""

    chromosomes: Numbers
    starts: Numbers
    length: int
    features: Floats


class _Search:
    """The windows wanted, `ratio` for each positive, and those found: chromosome and start, -1 until then."""

    def __init__(self, order: Order, places: Intervals, room: Room) -> None:
        self.room, self.rng, wanted = room, order.rng, order.wanted
        self.tss = Starts.read(wanted.annotation, room.names) if "tss" in wanted.match else None
        self.parents = np.repeat(np.arange(len(places)), wanted.ratio)
        self.lengths = order.sequences.lengths[self.parents]
        self.own = self.features(places, order.sequences)
        self.chromosomes, self.starts = (np.full(len(self.parents), -1) for _ in range(2))
        self.claims = Claims()
        here = np.array([room.number[name] for name in places.chromosomes])[self.parents]
        #: Windows of one group choose from the same candidates: of a class of lengths, perhaps of one chromosome.
        self.groups = _classes(self.lengths) * len(room.names) + (here if "chromosome" in wanted.match else 0)
        self.bound = "chromosome" in wanted.match

    def capacity(self) -> int:
        """Return at most how many of the windows wanted the free stretches hold, however they overlap."""
        apart = 1 - max(overlap for _, overlap, _ in ROUNDS)
        held = 0
        for group, count in zip(*np.unique(self.groups, return_counts=True), strict=True):
            shortest = int(self.lengths[self.groups == group].min())
            spare = (self.room.ends - self.room.starts - shortest)[self.room.ends - self.room.starts >= shortest]
            held += min(int(count), int((spare / (apart * shortest)).astype(np.int64).sum()) + len(spare))
        return held

    def features(self, places: Intervals, sequences: Sequences) -> Floats:
        """Return the properties of records in units of their tolerances, ``(N, D)``."""
        far = None if self.tss is None else np.maximum(self.tss.of(places), sequences.lengths)
        return _scaled(*composition(sequences), far)

    def round(self, density: int, overlap: float, farthest: float) -> None:
        """Draw candidates for all windows that are not found yet, and assign them."""
        left = np.flatnonzero(self.starts < 0)
        pools = self._pools(left, density) if len(left) else {}
        for group, pool in pools.items():
            self._assign(left[self.groups[left] == group], pool, overlap, farthest)

    def _pools(self, left: Numbers, density: int) -> dict[int, _Pool]:
        """Return candidates for each group of the windows left, all counted in one pass over the genome."""
        drawn = {}
        for group, count in zip(*(c.tolist() for c in np.unique(self.groups[left], return_counts=True)), strict=True):
            length = int(self.lengths[self.groups == group].max())
            chromosome = group % len(self.room.names) if self.bound else None
            many = min(max(density * count, _FEWEST), _MOST)
            drawn[group] = length, *self.room.sample(self.rng, length, many, chromosome=chromosome)
        sizes = [len(starts) for _, _, starts in drawn.values()]
        chromosomes, starts = (np.concatenate([d[i] for d in drawn.values()]) for i in (1, 2))
        lengths = np.repeat([length for length, *_ in drawn.values()], sizes)
        counts = self.room.counted(chromosomes, starts, lengths)
        far = None
        if self.tss is not None:
            far, middles = np.zeros(len(starts)), starts + lengths // 2
            for i in np.unique(chromosomes).tolist():
                far[chromosomes == i] = self.tss.distances(self.room.names[i], middles[chromosomes == i])
            far = np.maximum(far, lengths)
        scaled = _scaled(counts[:, 0] / lengths, counts[:, 1] / lengths, far)
        pools, ends = {}, np.cumsum(sizes)
        for group, size, end in zip(drawn, sizes, ends.tolist(), strict=True):
            kept = end - size + np.flatnonzero(counts[end - size : end, 2] == 0)
            pools[group] = _Pool(chromosomes[kept], starts[kept], drawn[group][0], scaled[kept])
        return pools

    def _assign(self, targets: Numbers, pool: _Pool, overlap: float, farthest: float) -> None:
        """Give each of the windows wanted its nearest candidate that is free, the hardest to match first.

        A candidate that overlaps others too far is dead, as is one that is taken; the rest is searched again.
        """
        from scipy.spatial import cKDTree

        alive = np.arange(len(pool.starts))
        own, others = (self._apart(values) for values in (self.own[self.parents[targets]], pool.features))
        left = np.arange(len(targets))
        goes = 0
        while len(left) and len(alive) and (goes < _GOES or farthest == np.inf):
            goes += 1
            alive = alive[self.claims.open(pool.chromosomes[alive], pool.starts[alive], pool.length, overlap=overlap)]
            near = min(_NEIGHBOURS, len(alive))
            if not near:
                break
            distance, index = cKDTree(others[alive]).query(own[left], k=np.arange(1, near + 1))
            within = distance <= farthest
            dead = np.zeros(len(alive), bool)
            for row in np.argsort(-distance[:, -1], kind="stable").tolist():
                for j in index[row, within[row]].tolist():
                    if not dead[j]:
                        dead[j] = True
                        if self._claim(int(targets[left[row]]), pool, int(alive[j]), overlap):
                            break
            alive = alive[~dead]
            left = left[within[:, 0] & (self.starts[targets[left]] < 0)]

    def _claim(self, target: int, pool: _Pool, candidate: int, overlap: float) -> bool:
        """Take a candidate, or the middle of one that is longer; return whether it was free."""
        length, chromosome = int(self.lengths[target]), int(pool.chromosomes[candidate])
        start = int(pool.starts[candidate]) + (pool.length - length) // 2
        if not self.claims.claim(chromosome, start, start + length, overlap=overlap):
            return False
        self.chromosomes[target], self.starts[target] = chromosome, start
        return True

    def _apart(self, values: Floats) -> Floats:
        """Return properties moved a little, so that equal ones do not all have the same neighbors."""
        return values + self.rng.uniform(-_JITTER, _JITTER, values.shape)

    def told(self, parents: Numbers, found: Floats) -> list[str]:
        """Return what is to be said of the windows found, whose properties are `found`."""
        notes = []
        away = np.abs(found - self.own[parents])
        if not found[:, 1].any() and not self.own[:, 1].any():
            notes.append("repeats: neither positives nor negatives hold soft-masked (lower-case) letters")
        bad = np.flatnonzero((away**2).sum(1) > (2 + 4 * _JITTER) ** 2)
        if len(bad):
            worst = away[bad].max(0) * list(TOLERANCES.values())[: away.shape[1]]
            told = [f"{name} by up to {value:.2g}" for name, value in zip(TOLERANCES, worst, strict=False)]
            notes.append(
                f"negatives without a good match: {len(bad):,} of {len(found):,}, which differ from their positives in "
                f"{', '.join(told)}"
            )
        if self.claims.overlapping:
            many, worst = self.claims.overlapping, self.claims.worst
            notes.append(f"negatives that overlap another, for lack of room: {many:,}, by up to {worst:.0%}")
        return notes


def _scaled(gc: Floats, repeats: Floats, far: Floats | None) -> Floats:
    """Return properties in units of their tolerances, ``(N, D)``; a record without letters counts as a common one."""
    middle = float(np.nanmedian(gc)) if np.isfinite(gc).any() else 0.5
    columns = [np.where(np.isfinite(gc), gc, middle), np.nan_to_num(repeats)]
    columns += [] if far is None else [np.log10(1 + far)]
    return np.stack([c / t for c, t in zip(columns, TOLERANCES.values(), strict=False)], axis=1)


def _classes(lengths: Numbers) -> Numbers:
    """Return the class of each length: each its own, or those within a factor of one another.

    >>> _classes(np.array([5, 9, 5])).tolist(), len(set(_classes(np.arange(100, 121)).tolist()))
    ([0, 1, 0], 3)
    """
    known, number = np.unique(lengths, return_inverse=True)
    if len(known) > _LENGTHS:
        number = np.floor(np.log(lengths) / np.log(_FACTOR)).astype(np.int64)
    return number.astype(np.int64)
