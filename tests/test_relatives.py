"""Tests of relatives: alignment and seeds against naive loops, near pairs against Biopython, families, sketches."""

import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
from Bio.Align import PairwiseAligner

from seqcnn.alphabet import DNA, PROTEIN, RNA
from seqcnn.data.relatives import Sketches, families, near, near_pairs, related, sketch
from seqcnn.data.relatives.alignment import COUNTING, WEIGHTS, align, identity_of
from seqcnn.data.relatives.canonical import contents
from seqcnn.data.relatives.seeds import patterns, place_bits, places, weights
from seqcnn.errors import OptionError
from seqcnn.sequence import Sequences, decode, encode, reverse_complement


def drawn(rng, length, alphabet=DNA):
    return rng.integers(0, alphabet.size, length, dtype=np.uint8)


def mutated(codes, divergence, rng, alphabet=DNA):
    """Substitute, delete and insert letters: a tenth of the changes are gaps."""
    out = []
    for code in codes.tolist():
        if rng.random() >= divergence:
            out.append(code)
        elif rng.random() < 0.9:
            out.append((code + rng.integers(1, alphabet.size)) % alphabet.size)
        elif rng.random() < 0.5:
            out += [code, rng.integers(alphabet.size)]
    return np.array(out, np.uint8)


def planted(rng, alphabet=DNA, count=9, divergence=0.1):
    """Return records of uneven lengths, three of each family, and the families."""
    records, truth = [], []
    for k in range(count):
        parent = drawn(rng, 60 + 17 * k, alphabet)
        for _ in range(3):
            child = mutated(parent, divergence, rng, alphabet)
            if alphabet.has_complement and rng.random() < 0.5:
                child = reverse_complement(child, alphabet)
            records.append(child)
            truth.append(k)
    return records, np.array(truth)


def seeds_only(monkeypatch):
    monkeypatch.setattr("seqcnn.data.relatives.pairs._ALL_CELLS", 0)


def naive_score(a, b, clip):
    """Return the best score and its matches, cell by cell, with every length of gap tried."""
    m, n = len(a), len(b)
    table = np.full((m + 1, n + 1), -1e9)
    table[: clip + 1] = 0
    table[0] = 0
    best = -1e9
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            options = [table[i - 1, j - 1] + (1 if a[i - 1] == b[j - 1] else -1)]
            for g in range(1, max(i, j) + 1):
                cost = min(g, 3 + g / 8)
                options += [table[i - g, j] - cost] if g <= i else []
                options += [table[i, j - g] - cost] if g <= j else []
            table[i, j] = max([table[i, j] if i <= clip else -1e9, *options])
        if i >= m - clip:
            best = max(best, table[i, 1:].max())
    return best


@pytest.mark.parametrize("m,n,clip", [(1, 1, 0), (1, 5, 0), (7, 7, 2), (13, 31, 3), (30, 17, 0), (24, 40, 5)])
def test_alignment_is_that_of_naive_loops(m, n, clip):
    rng = np.random.default_rng(m * n)
    for divergence in (0.1, 0.4, 1.0):
        a = drawn(rng, m)
        b = np.concatenate([drawn(rng, 3), mutated(a, divergence, rng), drawn(rng, n)])[:n]
        limits = (clip, -1e9, -m - n, m + n)
        work = np.empty((8, m + 2), np.float32)
        score = align(a, b[::-1].copy(), limits, (WEIGHTS, work))
        assert score == naive_score(a, b, clip)
        value = align(a, b[::-1].copy(), limits, (COUNTING, work.astype(np.float64)))
        eighths = np.floor(value / 2**21)
        matches = value - eighths * 2**21
        assert eighths / 8 == score
        assert 0 <= matches <= m
        assert identity_of(value) == matches / (2 * matches - score) if matches else True


def test_alignment_in_a_band_and_with_a_long_gap():
    rng = np.random.default_rng(0)
    a = drawn(rng, 300)
    b = np.concatenate([drawn(rng, 40), a[:150], drawn(rng, 80), a[150:]])
    work = np.empty((8, 302), np.float32)
    assert align(a, b[::-1].copy(), (0, -1e9, -999, 999), (WEIGHTS, work)) == 300 - 3 - 80 / 8
    assert align(a, b[::-1].copy(), (0, -1e9, 40 - 5, 40 + 85), (WEIGHTS, work)) == 300 - 3 - 80 / 8
    assert align(a, b[::-1].copy(), (0, -1e9, 35, 45), (WEIGHTS, work)) < 250
    assert align(a, b[::-1].copy(), (0, 299.0, -999, 999), (WEIGHTS, work)) < 299


@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda a: a.name)
def test_places_of_words_are_those_of_naive_loops(alphabet):
    rng = np.random.default_rng(1)
    records = [drawn(rng, n, alphabet) for n in (3, 57, 0, 41, 23)]
    records[1][20] = alphabet.any_code
    found = contents(Sequences.from_codes(records), alphabet)
    weight = weights(alphabet)[0]
    for pattern in patterns(weight, alphabet):
        low = place_bits(len(found.letters))
        parts = [places(found.letters, found.offsets, pattern, alphabet, part=(k, 3)) for k in range(3)]
        entries = np.sort(np.concatenate(parts))
        by_place = {}
        for entry in entries.tolist():
            by_place[(entry >> 1) & (2**low - 1)] = entry >> (low + 1)
        words = {}
        for r in range(len(found)):
            for place in range(found.offsets[r], found.offsets[r + 1] - len(pattern) + 1):
                window = found.letters[place : place + len(pattern)]
                if (window < alphabet.size).all():
                    both = [window] + ([reverse_complement(window, alphabet)] if alphabet.has_complement else [])
                    words[place] = min(
                        "".join(decode(w, alphabet)[t] for t, c in enumerate(pattern) if c == "1") for w in both
                    )
        assert by_place.keys() == words.keys()
        same = {(x, y) for x in words for y in words if words[x] == words[y]}
        assert same == {(x, y) for x in words for y in words if by_place[x] == by_place[y]}


@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda a: a.name)
@pytest.mark.parametrize("seeded", [False, True])
def test_planted_families_are_found(alphabet, seeded, monkeypatch):
    if seeded:
        seeds_only(monkeypatch)
    records, truth = planted(np.random.default_rng(2), alphabet)
    assert families(Sequences.from_codes(records), alphabet).tolist() == truth.tolist()


def test_partition_depends_on_neither_order_nor_strand_nor_case():
    rng = np.random.default_rng(3)
    records, _ = planted(rng, divergence=0.2)
    family = families(Sequences.from_codes(records), DNA)
    order = rng.permutation(len(records))
    turned = [reverse_complement(records[k], DNA) if k % 2 else records[k] | np.uint8(0x80) for k in order]
    again = families(Sequences.from_codes(turned), DNA)
    assert len(set(zip(family[order].tolist(), again.tolist(), strict=True))) == family.max() + 1 == again.max() + 1
    assert (np.diff(np.unique(again, return_index=True)[1]) > 0).all()  # numbered by first appearance


@pytest.mark.parametrize("alphabet", [DNA, PROTEIN], ids=lambda a: a.name)
@pytest.mark.parametrize("seeded", [False, True])
def test_unrelated_records_stay_alone(alphabet, seeded, monkeypatch):
    if seeded:
        seeds_only(monkeypatch)
    rng = np.random.default_rng(4)
    records = Sequences.from_codes([drawn(rng, n, alphabet) for n in rng.integers(5, 130, 150)])
    assert families(records, alphabet).tolist() == list(range(150))
    assert not near(records.take(range(70)), records.take(range(70, 150)), alphabet).any()


def test_proteins_have_one_strand():
    code = drawn(np.random.default_rng(5), 50, PROTEIN)
    assert families(Sequences.from_codes([code, code[::-1].copy()]), PROTEIN).tolist() == [0, 1]


@pytest.mark.parametrize("seeded", [False, True])
def test_fragments_windows_and_copies(seeded, monkeypatch):
    if seeded:
        seeds_only(monkeypatch)
    rng = np.random.default_rng(6)
    locus = drawn(rng, 1000)
    records = [
        locus[:500],  # 0
        reverse_complement(locus[200:260], DNA),  # 1: a fragment of 0
        locus[520:620],  # 2
        locus[540:640],  # 3: overlaps 2 by 80%
        locus[600:700],  # 4: overlaps 3 by 40%
        drawn(rng, 77),  # 5
        np.concatenate([locus[700:780], drawn(rng, 150), locus[780:860]]),  # 6
        locus[700:860],  # 7: 6 without its insertion
    ]
    assert families(Sequences.from_codes(records), DNA).tolist() == [0, 0, 1, 1, 2, 3, 4, 4]


def test_pairs_span_the_families_and_say_how_they_lie():
    rng = np.random.default_rng(7)
    records, truth = planted(rng, divergence=0.08)
    records += [records[4].copy(), reverse_complement(records[4], DNA)]
    pairs = near_pairs(Sequences.from_codes(records), DNA)
    assert (pairs.first < pairs.second).all()
    assert len(pairs) == len(records) - (truth.max() + 1)  # a spanning tree a family
    assert pairs.identity.dtype == np.float32
    for first, second, identity, reverse in zip(pairs.first, pairs.second, pairs.identity, pairs.reverse, strict=True):
        other = reverse_complement(records[second], DNA) if reverse else records[second]
        aligner = PairwiseAligner(mode="local", match_score=1, mismatch_score=-1, gap_score=-1)
        best = aligner.align(decode(records[first], DNA), decode(other, DNA))[0].counts()
        columns = best.identities + best.mismatches + best.gaps
        assert identity == pytest.approx(best.identities / columns, abs=0.04)
    copies = {(f, s): (i, r) for f, s, i, r in zip(*asdict(pairs).values(), strict=True)}
    assert copies[4, 27] == (1, False)
    assert copies[4, 28] == (1, True)


@pytest.mark.parametrize("alphabet", [DNA, PROTEIN], ids=lambda a: a.name)
@pytest.mark.parametrize("seeded", [False, True])
def test_every_pair_that_biopython_calls_near_is_joined(alphabet, seeded, monkeypatch):
    if seeded:
        seeds_only(monkeypatch)
    rng = np.random.default_rng(8)
    records = []
    for k in range(14):
        parent = drawn(rng, 40 + 13 * k, alphabet)
        records += [
            parent,
            mutated(parent, 0.12 + 0.01 * k, rng, alphabet),
            mutated(parent[: 20 + 12 * k], 0.15, rng, alphabet),
        ]
    family = families(Sequences.from_codes(records), alphabet)
    texts = [decode(r, alphabet) for r in records]
    turned = [decode(reverse_complement(r, alphabet), alphabet) if alphabet.has_complement else "" for r in records]
    joined = 0
    for options in (
        {"mismatch_score": -1, "gap_score": -1},
        {"mismatch_score": -2, "open_gap_score": -3, "extend_gap_score": -1},
    ):
        aligner = PairwiseAligner(mode="local", match_score=1, **options)
        for i in range(len(texts)):
            for j in range(i):
                for other in (texts[j], turned[j]):
                    shorter = min(len(texts[i]), len(other))
                    if shorter < (60 if alphabet is DNA else 20) or aligner.score(texts[i], other) < 0.4 * shorter:
                        continue
                    found = aligner.align(texts[i], other)[0]
                    counts = found.counts()
                    side = 0 if len(texts[i]) <= len(other) else 1
                    covered = found.coordinates[side][-1] - found.coordinates[side][0]
                    columns = counts.identities + counts.mismatches + counts.gaps
                    if counts.identities >= 0.8 * columns and covered >= 0.8 * shorter:
                        assert family[i] == family[j], (texts[i], other)
                        joined += 1
    assert joined > 10


@pytest.mark.parametrize("seeded", [False, True])
def test_near_finds_relatives_in_another_set(seeded, monkeypatch):
    if seeded:
        seeds_only(monkeypatch)
    rng = np.random.default_rng(9)
    known = [drawn(rng, 80 + k) for k in range(31)]
    asked = [mutated(known[k], 0.1, rng) if k % 3 else drawn(rng, 70) for k in range(17)]
    asked[4] = reverse_complement(known[2], DNA)
    asked[5] = asked[6] = drawn(rng, 90)  # copies of each other are no relatives of the known
    answer = near(Sequences.from_codes(known), Sequences.from_codes(asked), DNA)
    assert answer.tolist() == [bool(k % 3) and k != 5 for k in range(17)]


def test_ambiguous_letters_match_nothing_but_copies_are_near():
    rng = np.random.default_rng(10)
    one, other = (decode(drawn(rng, 40), DNA) for _ in range(2))
    texts = [
        one[:20] + "N" * 40,
        other[:20] + "N" * 40,
        "N" * 30,
        "n" * 30,
        one + "N" * 4 + other,
        one + "ACGT" + other,
    ]
    records = Sequences.from_codes([encode(text, DNA) for text in texts])
    assert families(records, DNA).tolist() == [0, 1, 2, 2, 3, 3]


def test_short_records_are_near_only_beyond_chance():
    rng = np.random.default_rng(11)
    records = [drawn(rng, 3, PROTEIN) for _ in range(200)] + [drawn(rng, 400, PROTEIN) for _ in range(50)]
    family = families(Sequences.from_codes(records), PROTEIN)
    assert np.bincount(family).max() <= 3
    assert family[200:].tolist() == list(range(family[200], family[200] + 50))


def test_low_complexity_links_what_is_alike_and_nothing_else():
    rng = np.random.default_rng(12)
    tail = np.zeros(20, np.uint8)  # a poly-A tail on unrelated records
    records = [np.concatenate([drawn(rng, 80), tail]) for _ in range(60)]
    assert families(Sequences.from_codes(records), DNA).max() == 59


def test_few_records():
    none = Sequences.from_codes([])
    one = Sequences.from_codes([encode("ACGTAC", DNA)])
    empty = Sequences.from_codes([np.zeros(0, np.uint8), encode("ACGTAC", DNA)])
    assert families(none, DNA).tolist() == []
    assert families(one, DNA).tolist() == [0]
    assert families(empty, DNA).tolist() == [0, 1]
    assert len(near_pairs(none, DNA)) == len(near_pairs(one, DNA)) == 0
    assert near(none, one, DNA).tolist() == [False]
    assert near(one, none, DNA).tolist() == []
    assert near(one, one, DNA).tolist() == [True]
    assert related(sketch(none, DNA), one, DNA).tolist() == [False]
    assert related(sketch(one, DNA), none, DNA).tolist() == []


@pytest.mark.parametrize("options,named", [({"identity": 0.4}, "identity"), ({"coverage": 1.5}, "coverage")])
def test_limits_are_checked(options, named):
    with pytest.raises(OptionError, match=named):
        families(Sequences.from_codes([]), DNA, **options)


def test_stricter_limits_link_less():
    rng = np.random.default_rng(13)
    parent = drawn(rng, 200)
    records = Sequences.from_codes([parent, mutated(parent, 0.06, rng), parent[40:].copy()])
    assert families(records, DNA).tolist() == [0, 0, 0]
    assert families(records, DNA, identity=1, coverage=1).tolist() == [0, 1, 0]


@pytest.mark.parametrize("alphabet", [DNA, PROTEIN], ids=lambda a: a.name)
def test_sketches_know_relatives_and_flag_no_others(alphabet):
    rng = np.random.default_rng(14)
    known = Sequences.from_codes([drawn(rng, n, alphabet) for n in rng.integers(100, 300, 200)])
    made = sketch(known, alphabet)
    made = Sketches(**asdict(made))  # plain arrays and numbers are all there is
    assert made.filter.dtype == np.uint8
    assert 8192 <= made.filter.nbytes <= 200 * 128
    copies = [reverse_complement(c, alphabet) if alphabet.has_complement else c | np.uint8(0x80) for c in known]
    assert related(made, Sequences.from_codes(copies), alphabet).all()
    assert related(made, Sequences.from_codes([mutated(c, 0.05, rng, alphabet) for c in known]), alphabet).mean() > 0.95
    others = Sequences.from_codes([drawn(rng, n, alphabet) for n in rng.integers(20, 300, 3000)])
    assert not related(made, others, alphabet).any()


def test_numba_is_imported_by_the_first_call_which_threads_may_make_at_once():
    code = """if True:
        import sys
        from concurrent.futures import ThreadPoolExecutor
        import numpy as np
        from seqcnn.alphabet import DNA
        from seqcnn.data.relatives import families, sketch
        from seqcnn.sequence import Sequences
        assert "numba" not in sys.modules
        letters = np.tile(np.random.default_rng(0).integers(0, 4, 60, dtype=np.uint8), 3)
        records = Sequences(letters, np.arange(4) * 60)
        with ThreadPoolExecutor(4) as pool:
            for work in [pool.submit(families if i % 2 else sketch, records, DNA) for i in range(8)]:
                work.result()
        print(families(records, DNA).tolist())
    """
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == ("[0, 0, 0]\n", "")
