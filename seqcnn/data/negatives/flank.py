"""Windows beside the positives as negatives: the same length, a length or more away."""

import numpy as np

from seqcnn.data.negatives.made import Made, Order, numbered, read_windows
from seqcnn.data.negatives.room import Claims
from seqcnn.errors import DataError
from seqcnn.interval import Intervals, Place

#: A flank lies this many lengths from its positive, at least and at most.
NEAREST, FARTHEST = 1, 20
_PLAIN = frozenset(b"ACGTacgt")


def flanks(order: Order) -> Made:
    """Return windows beside each positive, of its length and strand; each is the child of its positive.

    The gap between both is as long as the positive, or 2 to 20 times where something is in the way: another positive
    or flank, the blacklist, a letter other than A, C, G and T, the end of the chromosome. Which side comes first is
    drawn at random; the second flank of a positive lies on the other side where there is room.

    Raises
    ------
    DataError
        If no positive has room beside it.
    """
    places, room = order.on_genome()
    claims = Claims()
    upstream_first = order.rng.random(len(places)) < 0.5
    rows: list[Place] = []
    ids, parents = list[str](), list[int]()
    for i, (place, length) in enumerate(zip(places.places(), order.sequences.lengths.tolist(), strict=True)):
        forward = place.strand >= 0
        found = {"upstream": 0, "downstream": 0}
        sides = sorted(found, reverse=bool(upstream_first[i]))
        for steps in range(NEAREST, FARTHEST + 1):
            for side in sides:
                left = (side == "upstream") == forward
                start = place.start - (steps + 1) * length if left else place.end + steps * length
                if (
                    sum(found.values()) < order.wanted.ratio
                    and room.free(place.chromosome, start, start + length)
                    and _PLAIN.issuperset(room.genome.letters(place.chromosome, start, start + length))
                    and claims.claim(place.chromosome, start, start + length)
                ):
                    rows.append(Place(place.chromosome, start, start + length, place.strand))
                    ids.append(numbered(f"{order.ids[i]}_{side}", found[side]))
                    parents.append(i)
                    found[side] += 1
    if not rows:
        raise DataError(
            f"negatives: no positive has a free window of its length within {FARTHEST} lengths of it; pass a smaller "
            "--width, or --negatives matched"
        )
    flanking = Intervals.of(rows)
    lost = order.wanted.ratio * len(places) - len(rows)
    notes = [
        f"negatives: windows beside the positives, {order.wanted.ratio} for each, {NEAREST} to {FARTHEST} lengths "
        f"away, {order.outside}; seed {order.seed}"
    ]
    if lost:
        notes.append(f"left out, flanks without room within {FARTHEST} lengths of their positive: {lost:,}")
    return Made(
        read_windows(flanking, room, order.alphabet),
        tuple(ids),
        np.array(parents, np.int64),
        flanking,
        {"flanks without room": lost} if lost else {},
        tuple(notes),
    )
