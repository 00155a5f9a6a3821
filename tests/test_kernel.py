"""The kernel machine: its views against naive loops, its fit and its leave-one-out against scikit-learn."""

from collections import Counter

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge

from seqcnn.alphabet import DNA, PROTEIN, RNA
from seqcnn.sequence import Sequences, decode, encode
from seqcnn.tasks import fit_task
from seqcnn.training import kernel as machine
from seqcnn.training.kernel import fit_kernel
from seqcnn.training.likeness import Places, Words, scaled, views

RNG = np.random.default_rng(3)


def drawn(alphabet, lengths, letters=None):
    codes = [RNG.integers(0, letters or alphabet.size, n).astype(np.uint8) for n in lengths]
    return Sequences.from_codes(codes)


def texts(raw, alphabet):
    return [decode(codes, alphabet).upper() for codes in raw]


def complement(text):
    return text.translate(str.maketrans("ACGT", "TGCA"))[::-1]


@pytest.mark.parametrize("canonical", [False, True])
def test_words_are_cosines_of_counts(canonical):
    raw = drawn(DNA, [30, 7, 2, 0, 55])
    x = Words((2, 3), DNA, canonical=canonical)(raw)
    expected = np.zeros((5, 5))
    for k in (2, 3):
        counts = []
        for text in texts(raw, DNA):
            words = [text[i : i + k] for i in range(len(text) - k + 1)]
            counts.append(Counter(min(w, complement(w)) if canonical else w for w in words))
        for i, a in enumerate(counts):
            for j, b in enumerate(counts):
                size = np.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))
                expected[i, j] += sum(v * b[w] for w, v in a.items()) / max(size, 1) / 2
    np.testing.assert_allclose(x @ x.T, expected, atol=1e-6)


def test_words_of_the_ends_are_those_of_the_letters_there():
    raw = drawn(PROTEIN, [50, 9, 3])
    for first, last in ((5, 0), (0, 5)):
        cut = Sequences.from_codes([codes[:5] if first else codes[-5:] for codes in raw])
        np.testing.assert_array_equal(Words((1, 2), PROTEIN, first=first, last=last)(raw), Words((1, 2), PROTEIN)(cut))


def test_places_count_the_words_that_two_records_share_where_they_stand():
    raw = drawn(DNA, [12] * 6, letters=2)
    x = Places((1, 2), DNA).fit(raw)(raw)
    distance = np.square(x[:, None] - x).sum(2)
    for i, a in enumerate(texts(raw, DNA)):
        for j, b in enumerate(texts(raw, DNA)):
            unlike = [sum(a[p : p + k] != b[p : p + k] for p in range(13 - k)) / (13 - k) for k in (1, 2)]
            assert distance[i, j] == pytest.approx(sum(unlike), abs=1e-6)  # two features differ where words do


def test_ends_are_read_from_either_side_and_what_is_new_there_is_no_error():
    known = Sequences.from_codes([encode(s, PROTEIN) for s in ("MKLVA", "MKA", "AKKKKKV")])
    view = Places((1,), PROTEIN, ends=2).fit(known)
    x = view(known)
    assert np.square(x[0] - x[1]).sum() == pytest.approx(2 / 4)  # V and K before the last letter
    others = Sequences.from_codes([encode(s, PROTEIN) for s in ("WWWWW", "M", "")])
    assert not view(others)[[0, 2]].any() and view(others)[1].any()


def test_places_count_where_one_strand_of_one_length_is_read():
    same, uneven = drawn(DNA, [20] * 4), drawn(DNA, [20, 21, 9, 30])
    assert [type(view).__name__ for view in views(same, DNA, strands="both")] == ["Words"]
    assert [type(view).__name__ for view in views(same, RNA, strands="forward")] == ["Words", "Places"]
    assert [type(view).__name__ for view in views(uneven, DNA, strands="forward")] == [
        "Words",
        "Places",
        "Words",
        "Words",
    ]
    assert scaled(views(same, DNA, strands="both"), same, [0.0]).shape == (4, 1)


@pytest.mark.parametrize("name", ["regression", "binary", "multiclass"])
def test_the_fit_is_kernel_ridge_regression(name):
    raw = drawn(RNA, [24] * 70)
    texty = texts(raw, RNA)
    value = np.array([t.count("GA") + 0.5 * t.startswith("A") for t in texty], float)
    y = value if name == "regression" else np.digitize(value, [1, 2] if name == "multiclass" else [1.5]).astype(float)
    labels = ("y",) if name == "regression" else tuple("abc"[: int(y.max()) + 1])
    task = fit_task(name, labels, y[:, None], {})
    found = fit_kernel(raw, y[:, None], task=task, alphabet=RNA, strands="forward")
    x = scaled(found.some, raw, found.scales)
    truth = task.encode(y[:, None])
    if name == "binary":
        truth = 2 * truth - 1
    if name == "multiclass":
        truth = 2.0 * (truth == np.arange(3)) - 1
    mean = truth.mean(0)
    model = KernelRidge(alpha=found.choice["noise"], kernel="rbf", gamma=1.0).fit(x, truth - mean)
    new = drawn(RNA, [24] * 9)
    expected = model.predict(scaled(found.some, new, found.scales)) + mean
    np.testing.assert_allclose(found(new), expected.reshape(9, -1), atol=0.01)
    left_out = []
    for i in range(70):
        others = np.arange(70) != i
        again = KernelRidge(alpha=found.choice["noise"], kernel="rbf", gamma=1.0).fit(x[others], (truth - mean)[others])
        left_out.append((truth - mean)[i] - again.predict(x[i : i + 1])[0])
    assert found.choice["error"] == pytest.approx(np.square(left_out).mean(), rel=1e-3)


def test_some_records_stand_for_many(monkeypatch):
    raw = drawn(DNA, [40] * 300)
    y = np.array([t.count("TT") for t in texts(raw, DNA)], float)[:, None]
    task = fit_task("regression", ("y",), y, {})
    whole = fit_kernel(raw, y, task=task, alphabet=DNA)
    monkeypatch.setattr(machine, "LANDMARKS", 150)
    monkeypatch.setattr(machine, "_CELLS", 20_000)
    part = fit_kernel(raw, y, task=task, alphabet=DNA)
    assert part.choice["landmarks"] == 150 and whole.choice["landmarks"] == 300
    new = drawn(DNA, [40] * 50)
    assert np.corrcoef(whole(new)[:, 0], part(new)[:, 0])[0, 1] > 0.95
    monkeypatch.setattr(machine, "FITTED", 100)
    assert fit_kernel(raw, y, task=task, alphabet=DNA).choice["landmarks"] == 100


def test_relatives_do_not_settle_the_scales():
    base = drawn(DNA, [60] * 40)
    raw = Sequences.from_codes([codes for codes in base for _ in range(3)])
    y = np.repeat(RNG.normal(size=40), 3)[:, None]  # noise, which copies would let anyone guess
    task = fit_task("regression", ("y",), y, {})
    alone = fit_kernel(raw, y, task=task, alphabet=DNA, groups=np.repeat(np.arange(40), 3))
    assert alone.choice["error"] > 0.8
    assert fit_kernel(raw, y, task=task, alphabet=DNA).choice["error"] < 0.3


def test_degenerate_records_are_answered():
    raw = Sequences.from_codes([encode("ACGT", DNA)] * 5 + [encode("", DNA), encode("N", DNA)])
    y = np.array([0, 1, 0, 1, 1, np.nan, 0.0])[:, None]
    task = fit_task("multilabel", ("a",), y, {})
    assert np.isfinite(fit_kernel(raw, y, task=task, alphabet=DNA)(raw)).all()


def test_records_that_are_all_but_the_same_are_no_singular_system(monkeypatch):
    monkeypatch.setattr(machine, "_JITTER", 1e-20)
    monkeypatch.setattr(machine, "NOISES", (1e-20,))
    raw = Sequences.from_codes([codes for codes in drawn(DNA, [30] * 20) for _ in range(4)])
    y = np.repeat(RNG.normal(size=20), 4)[:, None]
    task = fit_task("regression", ("y",), y, {})
    found = fit_kernel(raw, y, task=task, alphabet=DNA)(raw)
    np.testing.assert_allclose(found, task.encode(y), atol=0.02)
