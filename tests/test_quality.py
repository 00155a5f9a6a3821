"""What is wrong with data: each check against naive references, planted faults and clean data, on every raw kind."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.data.dataset import Dataset, Summary
from seqcnn.errors import DataError, InputFileError, MissingExtraError, OptionError
from seqcnn.interval import Intervals
from seqcnn.options import CheckOptions, DataOptions
from seqcnn.quality import mislabelled
from seqcnn.quality.checked import Checked
from seqcnn.quality.features import gapped
from seqcnn.quality.findings import LEVELS, Finding
from seqcnn.quality.intervals import auroc_interval, spearman_interval
from seqcnn.quality.noise import label_noise
from seqcnn.quality.placement import placement
from seqcnn.quality.subject import Subject
from seqcnn.registry import REGISTRY, names, resolve
from seqcnn.samples import Samples
from seqcnn.sequence import Sequences, encode
from seqcnn.workflow.check import check, read_to_check


def letters(rng: np.random.Generator, length: int, gc: float = 0.5) -> str:
    strong = rng.random(length) < gc
    return "".join(np.where(strong, rng.choice(list("GC"), length), rng.choice(list("AT"), length)))


def dna(sequences: list[str], labels: list[int] | np.ndarray, ids: list[str] | None = None, **more: object) -> Dataset:
    return Dataset(
        "codes",
        Sequences.from_codes([encode(s, DNA) for s in sequences]),
        tuple(ids or [f"r{i}" for i in np.random.default_rng(9).permutation(len(sequences))]),
        targets=np.asarray(labels, float)[:, None],
        task="binary",
        labels=("no", "yes"),
        alphabet=DNA,
        **more,  # type: ignore[arg-type]
    )


def plain_dna(n: int = 240, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    return dna([letters(rng, int(rng.integers(50, 80))) for _ in range(n)], rng.permutation(np.arange(n) % 2))


def looked(data: Dataset, *checks: str, options: CheckOptions | None = None) -> Checked:
    """Return what some of the checks find."""
    subject = Subject(data, options or CheckOptions())
    outcomes = [resolve("check", name)().look(subject) for name in checks]
    return Checked(
        tuple(finding for outcome in outcomes for finding in outcome.findings),
        tuple(shortcut for outcome in outcomes for shortcut in outcome.shortcuts),
        notes=tuple(note for outcome in outcomes for note in outcome.notes),
    )


def keys(checked: Checked) -> set[str]:
    return {finding.key for finding in checked.findings}


def found(checked: Checked, key: str) -> Finding:
    (one,) = [finding for finding in checked.findings if finding.key == key]
    return one


# The contract of the registry: every check runs on each raw kind it suits, on uneven tiny data.


def tiny(kind: str, task: str | None, n: int = 23) -> Dataset:
    rng = np.random.default_rng(3)
    raw = {
        "dna": lambda: Sequences.from_codes([encode(letters(rng, int(rng.integers(1, 40))), DNA) for _ in range(n)]),
        "protein": lambda: Sequences.from_codes(
            [encode("".join(rng.choice(list("ACDEFGHIKLMX"), rng.integers(1, 30))), PROTEIN) for _ in range(n)]
        ),
        "samples": lambda: Samples.from_arrays([rng.normal(size=(2, rng.integers(11, 30))) for _ in range(n)]),
        "pixels": lambda: rng.integers(0, 255, (n, 3, 17, 13), np.uint8),
        "stack": lambda: rng.random((n, 5, 11, 13)).astype(np.float32),
    }[kind]()
    targets, labels = {
        "binary": (rng.permutation(np.arange(n) % 2)[:, None], ("no", "yes")),
        "multiclass": (rng.permutation(np.arange(n) % 5)[:, None], tuple("abcde")),
        "multilabel": (rng.integers(0, 2, (n, 3)), tuple("abc")),
        "regression": (rng.normal(size=(n, 2)), ("x", "y")),
        "circular": (rng.random((n, 1)) * 360, ("angle",)),
        None: (None, ()),
    }[task]
    if targets is not None and task != "binary":
        targets = targets.astype(float)
        targets[4] = np.nan
    kinds = {"dna": "codes", "protein": "codes", "samples": "samples"}
    return Dataset(
        kinds.get(kind, "pixels"),  # type: ignore[arg-type]
        raw,
        tuple(f"r{i}" for i in range(n)),
        targets=None if targets is None else targets.astype(float),
        task=task,
        labels=labels,
        alphabet={"dna": DNA, "protein": PROTEIN}.get(kind),
        parts=rng.choice(["train", "valid", "test"], n),
    )


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression", "circular", None])
@pytest.mark.parametrize("kind", ["dna", "protein", "samples", "pixels", "stack"])
def test_each_check_runs_on_what_it_suits(kind: str, task: str | None) -> None:
    data = tiny(kind, task)
    before = data.raw.buffer.copy() if isinstance(data.raw, Sequences) else None
    for name in names("check"):
        made = resolve("check", name)()
        assert made.name == name
        if not made.suits(data):
            continue
        try:
            outcome = made.look(Subject(data, CheckOptions()))
        except MissingExtraError as error:
            pytest.skip(str(error))
        for finding in outcome.findings:
            assert finding.level in LEVELS
            assert finding.title
            assert finding.advice.endswith(".")
            assert not finding.title.endswith(".")
            assert finding.share is None or 0 <= finding.share <= 1
    if before is not None:
        assert (data.raw.buffer == before).all()  # type: ignore[union-attr]


def test_each_check_is_one_file_and_one_line() -> None:
    modules = {entry.target.partition(":")[0] for entry in REGISTRY["check"].values()}
    assert len(modules) == len(REGISTRY["check"])
    assert modules == {f"seqcnn.quality.{name}" for name in REGISTRY["check"]}


@pytest.mark.parametrize("kind", ["dna", "samples", "pixels"])
def test_one_record_and_two_records(kind: str) -> None:
    for n in (1, 2):
        data = tiny(kind, "binary", 5).take(np.arange(n))
        assert check(data).n == n


# Figures


def naive_auroc(truth: np.ndarray, score: np.ndarray) -> float:
    wins = [(p > q) + (p == q) / 2 for p in score[truth == 1] for q in score[truth == 0]]
    return float(np.mean(wins))


def test_auroc_equals_counting_pairs_and_its_interval_the_bootstrap() -> None:
    from seqcnn.metrics import bootstrap

    rng = np.random.default_rng(1)
    truth = (rng.random(301) < 0.4).astype(float)
    score = np.round(rng.normal(size=301) + truth, 1)
    measured = auroc_interval(truth, score)
    assert measured.figure.value == pytest.approx(naive_auroc(truth, score))
    low, high = bootstrap(truth, score, ["auroc"], within=truth)["auroc"]
    assert measured.figure.low == pytest.approx(low, abs=0.01)
    assert measured.figure.high == pytest.approx(high, abs=0.01)
    turned = auroc_interval(truth, -score)
    assert (turned.figure, turned.rises, measured.rises) == (measured.figure, False, True)


def test_chance_is_never_sure_and_few_records_neither() -> None:
    rng = np.random.default_rng(2)
    truth = np.arange(200) % 2
    outside = sum(auroc_interval(truth, rng.random(200)).z > 1.96 for _ in range(400))
    assert 5 <= outside <= 40  # 20 expected
    assert auroc_interval([0] * 4 + [1] * 4, range(8)).z < 3
    perfect = auroc_interval([0] * 50 + [1] * 50, range(100)).figure
    assert perfect.value == perfect.high == 1
    assert 0.9 < perfect.low < 1


def test_spearman_equals_scipy() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(3)
    x = rng.normal(size=97)
    y = np.round(x + rng.normal(size=97))
    figure = spearman_interval(x, y).figure
    assert figure.value == pytest.approx(spearmanr(x, y).statistic)
    assert figure.low < figure.value < figure.high


def test_gapped_words_equal_a_naive_search() -> None:
    from itertools import combinations

    rng = np.random.default_rng(4)
    texts = [letters(rng, n) for n in (3, 7, 11, 19)] + ["ACGTNACGTACG", "acgtacgtAA"]
    turned = str.maketrans("ACGTN", "TGCAN")
    held = gapped(Sequences.from_codes([encode(t, DNA) for t in texts]), DNA).toarray()
    masks = [(0, *rest) for rest in combinations(range(1, 7), 4)]
    for row, text in enumerate(texts):
        wanted = set()
        for strand in (text.upper(), text.upper().translate(turned)[::-1]):
            for block, mask in enumerate(masks):
                for start in range(len(strand) - mask[-1]):
                    word = "".join(strand[start + at] for at in mask)
                    if "N" not in word:
                        wanted.add(block * 1024 + int("".join(str("ACGT".index(c)) for c in word), 4))
        assert set(np.flatnonzero(held[row])) == wanted


def test_noise_floors_say_which_labels_are_wrong() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(3000) < 0.3
    score = rng.normal(size=3000) + 5 * truth
    label = truth.copy()
    label[truth] = rng.random(truth.sum()) > 0.1  # a tenth of class 1 is labelled 0
    noise = label_noise(score, label)
    assert noise.negatives_ratio > 30 > noise.positives_ratio
    assert noise.false_negatives == pytest.approx(0.1, abs=0.03)
    flagged = noise.wrong(label, 10) > 0.5
    assert (truth[flagged] != label[flagged]).mean() > 0.9
    assert label_noise(score, truth).wrong(truth, 10).max() == 0


# Repeats and contradictions


def test_repeats_are_counted_on_either_strand() -> None:
    texts = ["AACGTTTGGC", "GGATCCTTAA", "AACGTTTGGC", "gccaaacgtt", "TTTTTGACCA", "aacgtttggc"]
    checked = check(dna(texts, [1, 1, 1, 1, 0, 1], ids=list("abcdef")))
    one = found(checked, "duplicates")
    assert (one.count, one.level, one.examples) == (3, "warning", ("a",))
    assert one.share == pytest.approx(3 / 6)
    assert "1 of them on the other strand" in one.title
    assert "contradictions" not in keys(checked)


def test_contradictions_name_those_side_by_side() -> None:
    data = dna(["AACGTTTGGC", "GGATCCTTAA", "GCCAAACGTT", "TTTTTGACCA"], [1, 1, 0, 0], ids=list("abcd"))
    one = found(check(data), "contradictions")
    assert (one.level, one.count, one.examples) == ("problem", 2, ("a", "c"))


def numbers(texts: list[str], targets: list[float]) -> Dataset:
    data = dna(texts, [0] * len(texts))
    return replace(data, targets=np.array(targets)[:, None], task="regression", labels=("level",))


def test_numbers_contradict_only_beyond_their_noise() -> None:
    rng = np.random.default_rng(6)
    base = [letters(rng, 30) for _ in range(100)]
    values = rng.normal(size=100)
    again = base[:30]
    repeated = numbers(base + again, [*values, *(values[:30] + rng.normal(size=30) * 0.05)])
    assert "contradictions" not in keys(check(repeated))
    assert repeated.targets is not None
    targets = repeated.targets.copy()
    targets[100] = values[0] + (3 if values[0] < 0 else -3)
    one = found(check(replace(repeated, targets=targets)), "contradictions")
    assert one.examples == (repeated.ids[0], repeated.ids[100])


def test_records_that_recur_across_parts() -> None:
    data = plain_dna(200)
    twice = data.take(np.r_[np.arange(200), 3, 5])
    parts = np.array(["train"] * 200 + ["test"] * 2)
    parts[100:180] = "test"
    one = found(check(replace(twice, parts=parts)), "duplicates_test")
    assert (one.count, one.level) == (2, "problem")
    assert one.examples == (data.ids[3], data.ids[5])


def test_records_that_overlap_across_parts_on_the_genome() -> None:
    data = plain_dna(60)
    rows = [("chr1", 100 * i, 100 * i + 60, 0) for i in range(60)]
    rows[50] = ("chr1", 130, 190, 0)  # reaches into none: [100, 160) overlaps
    rows[51] = ("chr2", 100, 160, 0)
    parts = np.array(["train"] * 50 + ["test"] * 10)
    checked = check(replace(data, parts=parts, places=Intervals.of(rows)))
    assert found(checked, "overlaps_test").examples == (data.ids[50],)


def test_shuffles_of_ours_are_no_repeats_and_tell_nothing_by_name_or_case() -> None:
    from seqcnn.data.dataset import Negatives
    from seqcnn.data.negatives import add_negatives

    rng = np.random.default_rng(7)
    texts = [letters(rng, 60) for _ in range(200)]
    texts = [text[:20] + text[20:].lower() for text in texts]
    positives = replace(dna(texts, [1] * 200), labels=("peaks",))
    checked = check(add_negatives(positives, Negatives("shuffle"), seed=0))
    assert keys(checked) <= {"shortcut_soft_mask"}
    assert checked.clean
    assert {s.name for s in checked.shortcuts} & {"id_prefix", "id_pattern", "order"} == set()


# Targets


def test_classes() -> None:
    rng = np.random.default_rng(8)
    texts = [letters(rng, 40) for _ in range(300)]
    small = found(looked(dna(texts, [1] * 6 + [0] * 294), "classes"), "small_class")
    assert (small.level, small.count) == ("problem", 6)
    assert "yes (6)" in small.title
    assert found(looked(dna(texts, [1] * 60 + [0] * 240), "classes"), "imbalance").level == "note"
    assert found(looked(dna(texts, [1] * 14 + [0] * 286), "classes"), "imbalance").level == "warning"
    assert found(looked(dna(texts, [1] * 300), "classes"), "one_class").level == "problem"


def test_missing_infinite_and_constant_targets() -> None:
    rng = np.random.default_rng(9)
    texts = [letters(rng, 40) for _ in range(50)]
    values = rng.normal(size=50)
    values[3], values[5] = np.nan, np.inf
    checked = check(numbers(texts, values.tolist()))
    assert found(checked, "missing_targets").count == 1
    assert found(checked, "infinite_targets").level == "problem"
    assert found(check(numbers(texts, [2.0] * 50)), "constant_target").level == "problem"
    assert found(check(replace(numbers(texts, [2.0] * 50), targets=None, task=None)), "no_targets").level == "problem"


# Shortcuts


def planted(fault: str, seed: int, n: int = 600) -> Dataset:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2)
    texts, ids = [], []
    for i, label in enumerate(labels):
        length = int(rng.normal(100 + 8 * label * (fault == "length"), 8))
        text = letters(rng, length, 0.5 + 0.05 * label * (fault == "gc"))
        if fault == "n" and label and rng.random() < 0.3:
            text = "N" + text[1:]
        if fault == "kmer" and label:
            text = text[:20] + "GAATTC" + text[26:]
        if fault == "mask" and label:
            text = text[:30].lower() + text[30:]
        texts.append(text)
        ids.append(f"{'peak' if fault == 'ids' and label and rng.random() < 0.7 else 'at'}_{rng.integers(10**6)}_{i}")
    order = np.argsort(labels, kind="stable") if fault == "order" else np.arange(n)
    return dna([texts[i] for i in order], labels[order], [ids[i] for i in order])


@pytest.mark.parametrize(
    ("fault", "key", "level"),
    [
        ("gc", "shortcut_gc", "warning"),
        ("length", "shortcut_length", "warning"),
        ("n", "shortcut_n", "warning"),
        ("kmer", "shortcut_kmer", "warning"),
        ("mask", "shortcut_soft_mask", "warning"),
        ("ids", "shortcut_ids", "note"),
        ("order", "shortcut_order", "note"),
        ("none", "", ""),
    ],
)
def test_planted_shortcuts_are_found_and_nothing_else(fault: str, key: str, level: str) -> None:
    checked = looked(planted(fault, 11), "shortcuts")
    assert {k for k in keys(checked) if k.startswith("shortcut")} == ({key} if key else set())
    if key:
        one = found(checked, key)
        assert one.level == level
        assert one.figure is not None
        assert one.figure.low <= one.figure.value <= one.figure.high
        assert any(s.reported and s.figure == one.figure for s in checked.shortcuts)


def test_lengths_that_are_neither_more_nor_less() -> None:
    rng = np.random.default_rng(12)
    labels = rng.permutation(np.arange(600) % 2)
    texts = [letters(rng, 100 if label else int(rng.choice([90, 95, 105, 110]))) for label in labels]
    one = found(looked(dna(texts, labels), "shortcuts"), "shortcut_length")
    assert one.figure is not None
    assert one.figure.value > 0.95


def test_pictures_and_series_give_themselves_away() -> None:
    rng = np.random.default_rng(13)
    labels = np.arange(120) % 2
    dark = rng.integers(0, 60, (120, 1, 12, 12)) + 100 * labels[:, None, None, None]
    ids = tuple(f"p{i}" for i in rng.permutation(120))
    data = Dataset(
        "pixels", dark.astype(np.uint8), ids, targets=labels[:, None].astype(float), task="binary", labels=("a", "b")
    )
    assert "shortcut_brightness" in keys(looked(data, "shortcuts"))
    series = Samples.from_arrays([rng.normal(size=30) + 9 * label for label in labels])
    assert "shortcut_statistics" in keys(
        looked(replace(data, kind="samples", raw=series, encoder="series"), "shortcuts")
    )


def test_regression_is_told_by_correlation() -> None:
    rng = np.random.default_rng(14)
    shares = rng.uniform(0.3, 0.7, 300)
    data = numbers([letters(rng, 120, s) for s in shares], (shares + rng.normal(size=300) * 0.1).tolist())
    one = found(looked(data, "shortcuts"), "shortcut_gc")
    assert one.figure is not None
    assert one.figure.name == "spearman"
    assert one.figure.value > 0.4


# Wrong labels


def motif_data(flips: float, seed: int = 15, n: int = 1000) -> tuple[Dataset, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(n) % 2)
    texts = []
    for label in truth:
        text, at = letters(rng, 80), int(rng.integers(0, 68))
        texts.append(text[:at] + "TGACTCATCAGC" + text[at + 12 :] if label else text)
    wrong = rng.random(n) < flips
    return dna(
        texts, np.where(wrong, 1 - truth, truth), ids=[f"{i}w" if w else f"{i}r" for i, w in enumerate(wrong)]
    ), wrong


def test_wrong_labels_are_found_and_clean_ones_left_alone() -> None:
    pytest.importorskip("cleanlab")
    data, wrong = motif_data(0.05)
    one = found(looked(data, "mislabelled"), "mislabelled")
    assert one.count is not None
    assert 0.5 * wrong.sum() < one.count < 1.5 * wrong.sum()
    assert sum("w (given" in name for name in one.examples) > 0.9 * len(one.examples)
    assert "mislabelled" not in keys(looked(motif_data(0.0)[0], "mislabelled"))


def test_without_the_extra_the_check_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "cleanlab", None)
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    checked = check(motif_data(0.05, n=200)[0])
    assert "wrong labels were not looked for: install seqcnn[quality]" in checked.notes
    assert checked.n == 200
    with pytest.raises(MissingExtraError, match=r"seqcnn\[quality\]"):
        mislabelled._cleanlab()


def test_a_sample_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cleanlab")
    checked = looked(motif_data(0.0, n=300)[0], "mislabelled", options=CheckOptions(sample=120))
    assert any(note.startswith("wrong labels were looked for among 120 of 300 records") for note in checked.notes)


# Pictures


def test_pictures_of_files(tmp_path: Path) -> None:
    pytest.importorskip("cleanvision")
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(16)
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for i in range(12):
            image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(tmp_path / label / f"{i}.png")
    image.fromarray(np.full((24, 24, 3), 2, np.uint8)).save(tmp_path / "a" / "dark.png")
    image.fromarray(rng.integers(0, 255, (240, 240, 3), np.uint8)).save(tmp_path / "b" / "big.png")
    data, before = read_to_check([tmp_path])
    assert data is not None
    assert data.files is not None
    assert len(data.take([3, 1]).files or ()) == 2
    checked = check(data, before=before)
    assert found(checked, "dark").examples == ("a/dark.png",)
    assert found(checked, "odd_size").examples == ("b/big.png",)  # seen before it is made as small as the others
    for shortcut in ("width", "file_type"):
        assert not any(s.reported for s in checked.shortcuts if s.name == shortcut)


# Reading


def test_intervals_are_checked_to_the_last(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">1\n" + "ACGTTGCA" * 40 + "\n")
    rows = [f"chr1\t{10 * i}\t{10 * i + 20}" for i in range(10)]
    rows += ["chr7\t5\t25", "chrUn\t0\t9", "chr7\t9\t19", "chr1\t310\t330"]
    bed = tmp_path / "p.bed"
    bed.write_text("\n".join(rows) + "\n")
    options = DataOptions(genome=tmp_path / "g.fa", width=40)
    told = {f.key: f for f in placement([str(bed)], options)}
    assert told["unknown_chromosomes"].count == 3
    assert "chr7 (2), chrUn (1)" in told["unknown_chromosomes"].title
    assert told["unknown_chromosomes"].examples == ("chr7:5-25", "chrUn:0-9", "chr7:9-19")
    assert told["beyond_the_end"].count == 1
    assert told["chromosome_names"].count == 11
    assert told["windows_over_the_edge"].count == 1
    data, before = read_to_check([bed], options)
    assert data is not None
    assert int((data.targets == 1).sum()) == 10  # type: ignore[union-attr]
    assert check(data, before=before).findings[0].key == "unknown_chromosomes"


def test_what_cannot_be_trained_on_is_still_looked_at(tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("id\tsequence\tkind\n" + "".join(f"r{i}\tACGTTGCA{'ACGT'[i % 4]}\tx\n" for i in range(12)))
    data, before = read_to_check([table])
    assert data is not None
    checked = check(data, before=before)
    assert "which column is the target" in found(checked, "unusable").title
    assert found(checked, "duplicates").count == 8
    data, before = read_to_check([table], DataOptions(target=("kind",)))
    assert [finding.key for finding in before] == ["unusable"]
    proteins = tmp_path / "p.fa"
    proteins.write_text("".join(f">p{i}\nMKTAYIAKQRQISFVK{'ACDEFGHIKL'[i]}\n" for i in range(10)))
    data, before = read_to_check([proteins])
    assert data is not None
    assert "proteins need negatives" in before[0].title


def test_letters_of_no_alphabet_are_a_finding(tmp_path: Path) -> None:
    fasta = tmp_path / "x.fa"
    fasta.write_text(
        "".join(f">r{i}\nACGTTGCATGGCAT{'J' if i == 3 else 'C'}{'ACGT'[i % 4] * (i + 1)}\n" for i in range(12))
    )
    data, before = read_to_check([fasta])
    assert data is not None
    assert "record r3, position 15: 'J'" in before[0].title


def test_nothing_readable_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty.fa").write_text("")
    (tmp_path / "folder").mkdir()
    for path, error, words in (
        (tmp_path / "no.fa", InputFileError, "no.fa"),
        (tmp_path / "empty.fa", Exception, "empty.fa"),
        (tmp_path / "folder", DataError, "folder"),
    ):
        with pytest.raises(error, match=words) as caught:
            read_to_check([path])
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="no data given"):
        read_to_check([])
    with pytest.raises(DataError, match="found str"):
        check("data")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"split": "random:3"}, "--split"), ({"identity": 1.2}, "--identity"), ({"coverage": 0.0}, "--coverage"),
        ({"sample": 3}, "--sample"), ({"skip": ("clases",)}, "did you mean 'classes'"),
    ],
)  # fmt: skip
def test_bad_options(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        CheckOptions(**wrong)  # type: ignore[arg-type]


# The result


def test_result_is_plain_ordered_and_narrow() -> None:
    import json

    import seqcnn

    data = planted("gc", 17, 200)
    data = replace(data, summary=Summary(dropped={"rows without target": 3}, notes=("read 200 records",)))
    checked = seqcnn.check(data)
    levels = [LEVELS.index(finding.level) for finding in checked.findings]
    assert levels == sorted(levels)
    assert max(map(len, repr(checked).splitlines())) <= 80
    told = json.loads(json.dumps(checked.to_dict(), allow_nan=False))
    assert set(told) == {
        "n", "kind", "task", "n_per_class", "counts", "findings", "shortcuts", "read", "notes"
    }  # fmt: skip
    assert set(told["findings"][0]) == {"key", "level", "title", "advice", "count", "share", "examples", "figure"}
    assert set(told["shortcuts"][0]) == {"name", "title", "contrast", "figure", "reported", "remark"}
    assert told["counts"] == {level: sum(f["level"] == level for f in told["findings"]) for level in LEVELS}
    assert "<script" not in checked._repr_html_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(seqcnn.check(data, seed=0)) == repr(checked)  # the same seed, the same findings


@pytest.mark.parametrize("kind", ["dna", "samples", "pixels"])
def test_page_is_one_file_that_escapes_what_it_shows(kind: str) -> None:
    import re

    from seqcnn.reporting.check_page import build_check_page

    data = tiny(kind, "binary", 40)
    data = replace(data, ids=tuple(f"<b>{i}</b>" for i in range(40)))
    data = data.take(np.r_[np.arange(40), 0, 1])
    html = build_check_page(check(data), data, title="a <b> & c", command="seqcnn check x")
    assert "<b>0</b>" not in html
    assert "a &lt;b&gt; &amp; c" in html
    assert not re.search(r"(src|href)=\"(?!#|data:)", html)
    assert "Nothing was found" in build_check_page(Checked(()), None, title="x")
