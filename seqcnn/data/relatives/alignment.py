"""Alignment score of two records, compiled: the shorter one spanned, anything of the longer one left over."""

import numpy as np

from seqcnn.compiling import compiled

#: Points of a match, a mismatch, a letter of a gap, and of a long gap its start and each letter. One error costs what
#: one match brings; a gap longer than three letters costs less than its letters, as one event that it is.
WEIGHTS = np.array([1, -1, -1, -3, -0.125], np.float32)
#: The same, exactly, with the number of matches in the low digits: see `identity_of`.
_UNIT = 2.0**24
COUNTING = WEIGHTS.astype(np.float64) * _UNIT + np.array([1.0, 0, 0, 0, 0])
#: A pair with more cells than this is aligned in a band of diagonals, this wide to either side of its seed.
FULL_CELLS = 1 << 22
BAND = 1024

_NEVER = -1e30


@compiled
def align(a, b, limits, scoring):  # type: ignore[no-untyped-def]
    """Return the best score of an alignment of `a` ``(m,)`` with a stretch of the other record.

    The alignment leaves out at most `clip` letters at either end of `a`. `b` ``(n,)`` is the other record backwards;
    letters are equal codes. The cells are visited by anti-diagonals, on which none waits for another, so that the loop
    is vectorized. Once `floor` cannot be reached any more, the best so far is returned.

    `limits` are `clip`, `floor`, and the least and greatest ``j - i`` allowed; `scoring` is `WEIGHTS` or `COUNTING`,
    and room to work in, ``(8, m + 2)`` of its dtype.
    """
    m, n = len(a), len(b)
    clip, floor, low, high = limits
    weights, work = scoring
    match, mismatch, gap, start, extend = weights[0], weights[1], weights[2], weights[3], weights[4]
    zero = weights[0] - weights[0]
    never = zero + work.dtype.type(_NEVER)
    one = np.uint64(1)
    h2, h1, h0 = work[0], work[1], work[2]
    e1, e0, f1, f0, best = work[3], work[4], work[5], work[6], work[7]
    for i in range(m + 2):
        h2[i] = h1[i] = zero if i <= clip else never
        e1[i] = f1[i] = best[i] = never
        h0[i] = e0[i] = f0[i] = never
    for d in range(max(2, low + 2, 2 - high), m + n + 1):
        left = max(1, d - n, (d - high + 1) // 2)
        right = min(m, d - 1, (d - low) // 2)
        if left > right:
            if left > m or d - left > n:
                break
            continue
        first, stop, back = np.uint64(left), np.uint64(right + 1), np.uint64(n - d)
        for u in range(first, stop):
            e0[u] = max(e1[u], h1[u] + start) + extend
        for u in range(first, stop):
            f0[u] = max(f1[u - one], h1[u - one] + start) + extend
        for u in range(first, stop):
            h0[u] = h2[u - one] + (match if a[u - one] == b[u + back] else mismatch)
        for u in range(first, stop):
            h0[u] = max(h0[u], max(h1[u], h1[u - one]) + gap)
        for u in range(first, stop):
            h0[u] = max(h0[u], max(e0[u], f0[u]))
        for u in range(first, stop):
            best[u] = max(best[u], h0[u])
        for i in range(left, min(right, clip) + 1):
            h0[i] = max(h0[i], zero)
        h0[left - 1] = zero if left - 1 <= clip else never
        h0[right + 1] = zero if right + 1 <= clip else never
        e0[left - 1] = f0[left - 1] = e0[right + 1] = f0[right + 1] = never
        h2, h1, h0 = h1, h0, h2
        e1, e0 = e0, e1
        f1, f0 = f0, f1
        if d % 16 == 0:  # could any open alignment still reach the floor?
            reach = never
            for i in range(left - 1, right + 2):
                reach = max(
                    reach, max(h1[i] + match * min(m - i, n - d + i), h2[i] + match * min(m - i, n - d + 1 + i))
                )
            for i in range(max(0, m - clip), m + 1):
                reach = max(reach, best[i])
            if reach < floor:
                break
    score = never
    for i in range(max(0, m - clip), m + 1):
        score = max(score, best[i])
    return score


@compiled
def identity_of(value):  # type: ignore[no-untyped-def]
    """Return matches over matches and errors of an alignment scored by `COUNTING`."""
    eighths = np.floor(value / (_UNIT / 8))
    matches = value - eighths * (_UNIT / 8)
    return matches / (2 * matches - eighths / 8)
