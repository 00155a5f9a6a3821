"""The table of ours beside its rivals: how sets are divided, resampled and logged, on tiny input."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

BENCH = Path(__file__).parent.parent / "scripts" / "bench"


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))


def random_texts(count: int, length: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(count)]


def made_set(frame: pd.DataFrame, test: Any = None, **options: Any) -> Any:
    from dividing import Set

    return Set("made up", ".", lambda data, seed: frame.copy(), test, **options)


def test_every_goal_is_that_of_a_set_and_files_are_named_apart() -> None:
    from accuracy_sets import SETS
    from accuracy_table import GOALS, lines
    from accuracy_units import Runner

    names = {some.name for some in SETS}
    assert names >= set(GOALS)
    assert len({line.name for line in lines()}) == len(lines())
    runner = Runner(Path())
    units = [(some, *unit) for some in SETS for unit in some.units([0, 1], rehearse=False)]
    assert len({runner.place("ours", *unit) for unit in units}) == len(units)


def test_a_rehearsal_opens_no_test_file_and_holds_whole_families_back(tmp_path: Path, monkeypatch: Any) -> None:
    import dividing

    def never(data: Path, seed: int) -> pd.DataFrame:
        raise AssertionError("a test file was opened")

    monkeypatch.setattr(dividing, "FAMILIES", tmp_path / "families")
    texts = random_texts(40, 60)
    frame = pd.DataFrame({"sequence": texts * 2, "target": [1, 0] * 40, "linked": list(range(40)) * 2})
    parted = made_set(frame, never).parted(tmp_path, 3, 0, rehearse=True)
    sides = parted.groupby("sequence").part.nunique()
    assert set(parted.part) == {"train", "test"}
    assert (sides == 1).all()
    with pytest.raises(AssertionError, match="opened"):
        made_set(frame, never).parted(tmp_path, 3, 0, rehearse=False)


def test_test_records_that_recur_or_overlap_are_left_out(tmp_path: Path) -> None:
    known, new = random_texts(3, 40), random_texts(4, 40, seed=1)
    other = known[0][::-1].translate(str.maketrans("ACGT", "TGCA")).lower()
    train = pd.DataFrame({"sequence": known, "target": [0, 1, 1], "chrom": "c", "start": [0, 100, 50]})
    test = pd.DataFrame({"sequence": [other, *new], "target": 1, "chrom": ["c", "c", "c", "d", None]})
    test["start"] = [500, 139, 140, 100, 100]
    train["end"], test["end"] = train.start + 40, test.start + 40
    parted = made_set(train, lambda data, seed: test.copy()).parted(tmp_path, 0, 0, rehearse=False)
    assert parted[parted.part == "test"].sequence.tolist() == new[1:]


def test_subsets_are_nested_and_keep_the_ratio(tmp_path: Path) -> None:
    train = pd.DataFrame({"sequence": random_texts(300, 30), "target": [1] * 60 + [0] * 240})
    test = pd.DataFrame({"sequence": random_texts(7, 30, seed=1), "target": 1})
    full = made_set(train, lambda data, seed: test.copy())
    drawn = [replace(full, positives=n).parted(tmp_path, 5, 0, rehearse=False) for n in (10, 40)]
    few, many = (set(frame[frame.part == "train"].sequence) for frame in drawn)
    assert few < many
    assert [frame[frame.part == "train"].target.value_counts().to_dict() for frame in drawn] == [
        {0: 40, 1: 10},
        {0: 160, 1: 40},
    ]


def test_paired_draws_are_those_of_records_drawn_one_by_one() -> None:
    from zlib import crc32

    from paired import DRAWS, drawn, scores

    from seqcnn import metrics

    rng = np.random.default_rng(0)
    truth = np.array([0, 0, 0, 1, 1, 0, 1, 1, 1.0])
    seeds = [{"truth": truth, "ours": rng.normal(size=(9, 1)), "kmer": rng.normal(size=(9, 1))} for _ in range(2)]
    for metric in ("auroc", "mcc"):
        draws = drawn(metric, seeds, ("ours", "kmer"), classes=True)
        counts = metrics.resampled_counts(truth, DRAWS, np.random.default_rng(crc32(truth.tobytes())))
        for name in ("ours", "kmer"):
            for b in (0, 17, DRAWS - 1):
                rows = np.repeat(np.arange(9), counts[:, b].astype(int))
                each = [getattr(metrics, metric)(truth[rows], scores(metric, seed[name])[rows]) for seed in seeds]
                assert draws[name][b] == pytest.approx(np.mean(each))


def test_the_plain_cnn_reads_records_whatever_the_padding_and_either_strand() -> None:
    torch = pytest.importorskip("torch")
    from plain import Plain, Records, predict

    texts = [*random_texts(3, 31), *random_texts(2, 18)]
    torch.manual_seed(0)
    model = Plain(4, 2, None)
    targets = torch.zeros(5)
    together = predict(model, Records(pd.DataFrame({"sequence": texts}), "ACGT", targets), torch.arange(5), both=False)
    alone = [
        predict(model, Records(pd.DataFrame({"sequence": [t]}), "ACGT", targets[:1]), torch.arange(1), both=False)
        for t in texts
    ]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)
    turned = [t[::-1].translate(str.maketrans("ACGT", "TGCA")) for t in texts]
    rows = torch.arange(5)
    one, other = (Records(pd.DataFrame({"sequence": some}), "ACGT", targets) for some in (texts, turned))
    assert torch.equal(one.batch(rows, reverse=True)[0], other.batch(rows)[0])
    assert torch.allclose(predict(model, one, rows, both=True), predict(model, other, rows, both=True), atol=1e-5)


def test_planted_sites_do_not_overlap_and_are_drawn_by_the_seed(monkeypatch: Any) -> None:
    import planted
    from harness import SIZES

    from seqcnn.alphabet import DNA
    from seqcnn.motif import Motif

    motifs = [Motif(name, np.eye(4)[[0, 1, 2, 3] * 3], DNA) for name in "ab"]
    codes = np.zeros(40, np.uint8)
    planted.plant(codes, motifs, np.random.default_rng(0))
    assert (codes == 1).sum() == (codes == 2).sum() == (codes == 3).sum() == 6
    truth, decoys = planted.factors(0)
    assert len({m.family for m in (*truth, *decoys)}) == 24
    monkeypatch.setitem(SIZES, "planted", 20)
    first, again, other = (planted.planted_records("train")(Path(), seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)
    assert first.target.sum() == 20


def test_ours_and_its_rivals_run_on_tiny_input_and_leave_log_and_table_alone() -> None:
    kept = [BENCH / "test_openings.tsv", BENCH / "ACCURACY.md"]
    before = [file.read_bytes() if file.exists() else None for file in kept]
    arguments = ["--tiny", "--table", "ACCURACY.md", "--only", "gb1 two", "--lanes", "2"]
    done = subprocess.run(
        [sys.executable, str(BENCH / "accuracy"), *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| gb1 two_vs_rest | 0.62" in done.stdout
    assert "Pooled over 1 sets" in done.stdout
    assert [file.read_bytes() if file.exists() else None for file in kept] == before
