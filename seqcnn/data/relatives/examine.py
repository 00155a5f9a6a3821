"""Pairs of records that share a seed, extended, aligned and kept where they are near; compiled."""

import numpy as np

from seqcnn.compiling import compiled
from seqcnn.data.relatives.alignment import BAND, COUNTING, FULL_CELLS, WEIGHTS, align, identity_of
from seqcnn.data.relatives.canonical import AMBIGUOUS, mixed

#: An extension ends when it has lost this many points.
_DROP = 8
#: The best stretch without gaps of a near pair is taken to have this share of the least score of the whole, or this
#: many points.
_STRETCHES = 12
_ENOUGH = 24
#: Entries of the table of pairs already aligned, by which none is aligned again and again.
_SEEN = 1 << 20


@compiled
def root(parent, i):  # type: ignore[no-untyped-def]
    """Return the representative of a record's family, shortening the way to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def merge(parent, first, second):  # type: ignore[no-untyped-def]
    """Join the families of pairs of records in `parent`; return which pairs joined two."""
    joined = np.zeros(len(first), np.bool_)
    for k in range(len(first)):
        a, b = root(parent, first[k]), root(parent, second[k])
        if a != b:
            parent[max(a, b)] = min(a, b)
            joined[k] = True
    return joined


@compiled
def _settled(parent, side, i, j):  # type: ignore[no-untyped-def]
    """Return whether nothing is to be learned from a pair; across sides, -1 marks a record whose relative is found."""
    if len(side):
        return side[i] == side[j] or parent[i] < 0 or parent[j] < 0
    return root(parent, i) == root(parent, j)


@compiled
def _settle(parent, side, i, j):  # type: ignore[no-untyped-def]
    if len(side):
        parent[i if side[i] else j] = -1
    else:
        a, b = root(parent, i), root(parent, j)
        parent[max(a, b)] = min(a, b)


@compiled
def _extended(records, pair, at):  # type: ignore[no-untyped-def]
    """Return the best score of a stretch without gaps that holds the seed at places `at` of records i and j."""
    letters, offsets = records[:2]
    i, j, reverse = pair
    x, y, span = at
    low_x, high_x, low_y, high_y = offsets[i], offsets[i + 1], offsets[j], offsets[j + 1]
    step = 1
    if reverse:  # y then walks backwards from the end of the seed
        y += span - 1
        step = -1
    total = 0
    for t in range(span):
        u, v = letters[x + t], letters[y + step * t]
        total += 1 if u == (np.uint8(3) - v if reverse else v) else -1
    for direction in (-1, 1):
        p = x - 1 if direction < 0 else x + span
        q = y - step if direction < 0 else y + step * span
        score, best = 0, 0
        while low_x <= p < high_x and low_y <= q < high_y and score > best - _DROP:
            u, v = letters[p], letters[q]
            if u != AMBIGUOUS and u == (np.uint8(3) - v if reverse else v):
                score += 1
                best = max(best, score)
            else:
                score -= 1
            p += direction
            q += direction * step
        total += best
    return total


@compiled
def _aligned(records, pair, at, rules, scratch):  # type: ignore[no-untyped-def]
    """Return the identity of a near pair ``(i, j, reverse)``, or -1 of any other.

    `at` is where a seed begins in either record and its span, or a span of 0 where no seed is known.
    """
    letters, offsets = records[:2]
    i, j, reverse = pair
    x, y, span = at
    share, left_out, chance, rate, _ = rules
    backwards, work, counting = scratch
    if offsets[i + 1] - offsets[i] > offsets[j + 1] - offsets[j]:
        i, j, x, y = j, i, y, x
    a = letters[offsets[i] : offsets[i + 1]]
    m, n = len(a), offsets[j + 1] - offsets[j]
    floor = max(share * m, np.log(chance * m * n) / rate) - 1e-3
    if m == 0 or floor > m:
        return -1.0
    for t in range(n):
        letter = letters[offsets[j] + t] if reverse else letters[offsets[j + 1] - 1 - t]
        backwards[t] = 255 if letter == AMBIGUOUS else (3 - letter if reverse else letter)
    low, high = -m - n, m + n
    if span and m * n > FULL_CELLS:
        start = y - offsets[j]
        if reverse:
            start = n - start - span
        start -= x - offsets[i]
        low, high = start - BAND, start + BAND
    clip = int(left_out * m) + 1
    b = backwards[:n]
    if align(a, b, (clip, floor, low, high), (WEIGHTS, work)) < floor:
        return -1.0
    return identity_of(align(a, b, (clip, -1e300, low, high), (COUNTING, counting)))


@compiled
def _scratch(offsets):  # type: ignore[no-untyped-def]
    longest = 0
    for r in range(len(offsets) - 1):
        longest = max(longest, offsets[r + 1] - offsets[r])
    return (
        np.empty(longest, np.uint8),
        np.empty((8, longest + 2), np.float32),
        np.empty((8, longest + 2), np.float64),
    )


@compiled
def compare_all(records, order, state, rules):  # type: ignore[no-untyped-def]
    """Compare records with all records later in an order, without seeds.

    Parameters
    ----------
    records
        Letters and offsets, as in `Contents`.
    order
        The order, and the numbers of the places in it whose records are compared with all later ones.
    state
        Families so far ``(U,)``, edited; and, where only pairs across are wanted, the side of each record, else empty.
    rules
        See `pairs`.

    Returns
    -------
    tuple
        First and second, identity and reverse of the near pairs found that join two families.
    """
    offsets = records[1]
    order, rows = order
    parent, side = state
    strands = rules[4]
    scratch = _scratch(offsets)
    found = np.empty((len(parent), 2), np.int32)
    identity = np.empty(len(parent), np.float32)
    turned = np.empty(len(parent), np.bool_)
    count = 0
    for row in rows:
        i = order[row]
        for other in range(row + 1, len(order)):
            j = order[other]
            for strand in range(strands):
                if _settled(parent, side, i, j):
                    break
                pair = (i, j, strand == 1)
                value = _aligned(records, pair, (0, 0, 0), rules, scratch)
                if value >= 0:
                    found[count, 0], found[count, 1], identity[count], turned[count] = i, j, value, pair[2]
                    count += 1
                    _settle(parent, side, i, j)
    return found[:count], identity[:count], turned[:count]


@compiled
def compare_seeded(records, words, state, rules):  # type: ignore[no-untyped-def]
    """Compare the records that share a word, as listed by `seeds.places`.

    Parameters
    ----------
    records
        Letters and offsets, as in `Contents`; the record in which each block of 64 letters begins; and ``(U,)`` which
        records were already compared with all others.
    words
        From `places` and `place_bits`; the length of the pattern; with how many next occurrences of its word one is
        compared; and the points that an extension must have for an alignment to be made.
    state, rules
        As in `compare_all`.

    Returns
    -------
    tuple
        As of `compare_all`.
    """
    _, offsets, blocks, done = records
    entries, low, span, window, least = words
    parent, side = state
    scratch = _scratch(offsets)
    found = np.empty((len(parent), 2), np.int32)
    identity = np.empty(len(parent), np.float32)
    turned = np.empty(len(parent), np.bool_)
    seen = np.zeros(_SEEN, np.uint64)
    keep, one = np.uint64(low + 1), np.uint64(1)
    within = (one << keep) - one
    count, begin, room = 0, 0, 16
    record, place, strand = np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.bool_)
    while begin < len(entries):
        stop = begin + 1
        while stop < len(entries) and entries[stop] >> keep == entries[begin] >> keep:
            stop += 1
        size = stop - begin
        if size > room:
            room = 2 * size
            record, place, strand = np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.bool_)
        for k in range(size if size > 1 else 0):
            value = entries[begin + k] & within
            place[k] = np.int64(value >> one)
            strand[k] = value & one
            r = blocks[place[k] >> 6]
            while offsets[r + 1] <= place[k]:
                r += 1
            record[k] = r
        for k in range(size - 1):
            i = record[k]
            if done[i]:
                continue
            for other in range(k + 1, min(size, k + 1 + window)):
                j = record[other]
                if i == j or done[j] or _settled(parent, side, i, j):
                    continue
                pair = (i, j, strand[k] != strand[other])
                at = (place[k], place[other], span)
                shorter = min(offsets[i + 1] - offsets[i], offsets[j + 1] - offsets[j])
                if _extended(records, pair, at) < max(least, min(_ENOUGH, rules[0] * shorter / _STRETCHES)):
                    continue
                key = (np.uint64(min(i, j)) << np.uint64(32)) | (np.uint64(max(i, j)) << one) | np.uint64(pair[2])
                slot = mixed(key) & np.uint64(_SEEN - 1)
                if seen[slot] == key:
                    continue
                seen[slot] = key
                value = _aligned(records, pair, at, rules, scratch)
                if value >= 0:
                    found[count, 0], found[count, 1], identity[count], turned[count] = i, j, value, pair[2]
                    count += 1
                    _settle(parent, side, i, j)
        begin = stop
    return found[:count], identity[:count], turned[:count]
