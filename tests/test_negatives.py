"""Tests of negatives: shuffles, matched windows and flanks against naive checks, the recorded kind, every bad input."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqFeature import CompoundLocation, SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord
from sklearn.metrics import roc_auc_score

import seqcnn
from seqcnn.cli import main
from seqcnn.data.dataset import Dataset
from seqcnn.data.grouping import grouped
from seqcnn.data.matching import composition, matching
from seqcnn.data.negatives.room import Claims, Room
from seqcnn.data.splits import split_groups
from seqcnn.data.tss import Starts
from seqcnn.errors import DataError, OptionError
from seqcnn.interval import Intervals
from seqcnn.io.genome import Genome
from seqcnn.model.evaluation import trained_on
from seqcnn.options import DataOptions
from seqcnn.sequence import decode
from seqcnn.workflow.read import read

GENOME = {"chr1": 60_000, "chr2": 40_000, "chrUn": 300}
ORGANISMS = ("C.elegans", "D.melanogaster", "A.thaliana")


def isochores(length: int, rng: np.random.Generator) -> str:
    """Letters whose GC content changes every 1,500 bases, from .3 to .7, with lower-case and N runs."""
    pieces = []
    for _ in range(0, length, 1500):
        gc = rng.uniform(0.3, 0.7)
        letters = rng.choice(list("ACGT"), 1500, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
        low = int(rng.integers(0, 1000))
        letters[low : low + 400] = np.char.lower(letters[low : low + 400])
        pieces.append("".join(letters))
    text = "".join(pieces)[:length]
    return text[:200] + "N" * 150 + text[350:]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a genome of isochores, peaks in its richest parts, genes and a blacklist."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    chromosomes = {name: isochores(length, rng) for name, length in GENOME.items()}
    with open("g.fa", "w") as out:
        for name, text in chromosomes.items():
            out.write(f">{name}\n" + "\n".join(text[i : i + 60] for i in range(0, len(text), 60)) + "\n")
    spots = []
    for name in ("chr1", "chr2"):
        for start in range(500, GENOME[name] - 400, 230):
            text = chromosomes[name][start : start + 120].upper()
            rich = (text.count("G") + text.count("C")) / 120
            if "N" not in text and rng.random() < rich - 0.35:
                spots.append((name, start, start + 120, f"p{len(spots)}", 0, "+-."[len(spots) % 3]))
    Path("peaks.bed").write_text("".join("\t".join(map(str, spot)) + "\n" for spot in spots))
    Path("black.bed").write_text("chr1\t20000\t30000\n1\t29000\t35000\nchr9\t1\t5\n")
    Path("genes.gff").write_text(
        "".join(
            f"chr1\t.\tgene\t{at}\t{at + 900}\t.\t{'+-'[at % 2]}\t.\tID=g{at}\n" for at in range(4001, 60_000, 7001)
        )
    )
    return tmp_path


def naive_letters(place, genome: dict[str, str]) -> str:
    text = genome[place.chromosome][place.start : place.end]
    table = str.maketrans("ACGTacgt", "TGCAtgca")
    return text.translate(table)[::-1] if place.strand < 0 else text


def genome_text() -> dict[str, str]:
    return {
        name: "".join(rest) for name, *rest in (part.split("\n") for part in Path("g.fa").read_text().split(">")[1:])
    }


def halves(data: Dataset) -> tuple[list, list]:
    """Places of the positives and of the negatives."""
    places, positive = data.places.places(), data.targets[:, 0] == 1
    return [p for p, y in zip(places, positive, strict=True) if y], [
        p for p, y in zip(places, positive, strict=True) if not y
    ]


def overlap(one, other) -> bool:
    return one.chromosome == other.chromosome and one.start < other.end and other.start < one.end


@pytest.mark.parametrize("kind", ["matched", "flank"])
@pytest.mark.parametrize("ratio", [1, 3])
def test_windows_keep_away_from_positives_gaps_and_blacklist(kind, ratio, desk):
    data = seqcnn.read("peaks.bed", genome="g.fa", negatives=kind, ratio=ratio, blacklist="black.bed")
    positives, negatives = halves(data)
    assert 0.6 * ratio * len(positives) < len(negatives) <= ratio * len(positives)
    genome = genome_text()
    forbidden = [*positives, *Intervals.of([("chr1", 20_000, 35_000, 0)]).places()]
    for window in negatives:
        assert not any(overlap(window, other) for other in forbidden), window
        assert window.start >= 0 and window.end <= GENOME[window.chromosome] and window.end - window.start == 120
    assert len({(w.chromosome, w.start) for w in negatives}) == len(negatives)
    for place, codes in zip(data.places.places(), data.raw, strict=True):
        assert decode(codes, data.alphabet) == naive_letters(place, genome)
    assert not any("N" in decode(codes, data.alphabet).upper() for codes in data.raw)
    assert data.labels == (kind, "peaks") and data.negatives == kind
    again = seqcnn.read("peaks.bed", genome="g.fa", negatives=kind, ratio=ratio, blacklist="black.bed", seed=7)
    assert (again.raw.buffer == data.raw.buffer).all() and again.ids == data.ids
    notes = " ".join(data.summary.notes)
    assert "outside positives, blacklist and gaps" in notes and "black.bed: 1 intervals on chromosomes" in notes
    assert [s.name for s in data.summary.sources] == ["peaks", "blacklist"]


def test_matched_windows_are_like_their_positives(desk):
    data = seqcnn.read("peaks.bed", genome="g.fa", negatives="matched")
    gc, repeats = composition(data.raw)
    text = [decode(codes, data.alphabet) for codes in data.raw]
    np.testing.assert_allclose(gc, [sum(c in "CGcg" for c in t) / len(t) for t in text])
    np.testing.assert_allclose(repeats, [sum(c.islower() for c in t) / len(t) for t in text])
    truth = data.targets[:, 0]
    at_random = np.mean([c in "CG" for c in "".join(genome_text().values()).upper()])
    assert gc[truth == 1].mean() - at_random > 0.03  # what an unmatched draw would be off by
    assert abs(gc[truth == 1].mean() - gc[truth == 0].mean()) < 0.01
    assert abs(repeats[truth == 1].mean() - repeats[truth == 0].mean()) < 0.03
    found = matching(data)["GC"]
    assert found.auroc == pytest.approx(roc_auc_score(truth, gc)) and 0.45 < found.auroc < 0.55
    assert found.interval[0] < found.auroc < found.interval[1]
    positives, negatives = halves(data)
    for one, other in zip(positives, negatives, strict=True):  # in order, one for each
        assert one.strand in (0, other.strand) and other.strand != 0
    assert any("positives against negatives: GC 0." in note for note in data.summary.notes)


def test_matched_windows_have_the_lengths_of_their_positives(desk):
    rng = np.random.default_rng(1)
    rows = [line.split("\t") for line in Path("peaks.bed").read_text().splitlines()]
    for row, more in zip(rows, rng.integers(-60, 60, len(rows)).tolist(), strict=True):
        row[2] = str(int(row[2]) + more)
    Path("odd.bed").write_text("".join("\t".join(row) + "\n" for row in rows))
    data = seqcnn.read("odd.bed", genome="g.fa", negatives="matched")
    positives, negatives = halves(data)
    assert [p.end - p.start for p in positives] == [n.end - n.start for n in negatives]
    assert len({p.end - p.start for p in positives}) > 20
    assert abs(matching(data)["GC"].difference) < 0.01
    genome = genome_text()
    assert not any("N" in naive_letters(n, genome).upper() for n in negatives)


def test_chromosome_and_distance_to_a_start_are_matched_on_request(desk):
    plain = seqcnn.read("peaks.bed", genome="g.fa", negatives="matched")
    same = seqcnn.read("peaks.bed", genome="g.fa", negatives="matched", match="chromosome")
    assert [p.chromosome for p in halves(same)[0]] == [n.chromosome for n in halves(same)[1]]
    assert [p.chromosome for p in halves(plain)[0]] != [n.chromosome for n in halves(plain)[1]]
    Path("one.bed").write_text(
        "".join(f"{line}\n" for line in Path("peaks.bed").read_text().splitlines() if "r1\t" in line)
    )
    near = seqcnn.read(
        "one.bed", genome="g.fa", negatives="matched", match=["chromosome,tss", "gc"], annotation="genes.gff"
    )
    starts = [at - 1 + 900 * (at % 2) for at in range(4001, 60_000, 7001)]
    away = [[min(abs((p.start + p.end) // 2 - s) for s in starts) for p in half] for half in halves(near)]
    ratio = np.abs(np.log10(np.maximum(away[0], 120)) - np.log10(np.maximum(away[1], 120)))
    assert np.median(ratio) < 0.06
    assert near.summary.made.match == ("chromosome", "tss")
    told = matching(near)["log10 TSS distance"]
    assert told.positives == pytest.approx(np.log10(np.maximum(away[0], 120)).mean())


def test_distances_are_those_of_a_naive_search(desk):
    starts = Starts.read("genes.gff", list(GENOME))
    where = [at - 1 + 900 * (at % 2) for at in range(4001, 60_000, 7001)]
    asked = np.array([0, 4000, 11_000, 59_999])
    assert starts.distances("chr1", asked).tolist() == [min(abs(a - w) for w in where) for a in asked.tolist()]
    assert (starts.distances("chr2", asked) > GENOME["chr2"]).all()


def test_flanks_lie_beside_their_parents_and_stay_with_them(desk):
    data = seqcnn.read("peaks.bed", genome="g.fa", negatives="flank", ratio=2)
    places, parents = data.places.places(), data.parents
    sides = set()
    for i in np.flatnonzero(parents >= 0).tolist():
        mine, its = places[i], places[parents[i]]
        gap = max(mine.start - its.end, its.start - mine.end)
        assert mine.chromosome == its.chromosome and mine.strand == its.strand and 120 <= gap <= 20 * 120
        assert gap % 120 == 0
        upstream = (mine.end <= its.start) == (its.strand >= 0)
        assert data.ids[i].startswith(f"{data.ids[parents[i]]}_{'upstream' if upstream else 'downstream'}")
        sides.add(upstream)
    assert sides == {True, False}
    groups = split_groups(data)
    assert all(groups[i] == groups[parents[i]] for i in np.flatnonzero(parents >= 0))


def test_several_shuffles_of_each_parent_differ(desk):
    data = seqcnn.read("peaks.bed", genome="g.fa", ratio=3)
    n = int(data.targets.sum())
    assert len(data) == 4 * n and data.negatives == "shuffle" and data.summary.made.ratio == 3
    assert np.bincount(data.parents[data.parents >= 0]).tolist() == [3] * n
    once = seqcnn.read("peaks.bed", genome="g.fa")
    assert (once.raw.buffer == data.raw.buffer[: len(once.raw.buffer)]).all()
    mine = [decode(data.raw[i], data.alphabet) for i in np.flatnonzero(data.parents == 0)]
    assert len(set(mine)) == 3 and all(sorted(m) == sorted(mine[0]) for m in mine)
    assert [data.ids[i] for i in np.flatnonzero(data.parents == 0)] == ["p0_shuffled", "p0_shuffled2", "p0_shuffled3"]
    Path("short.fa").write_text(">a\nACGA\n>b\nACAAGCATTGAC\n")  # a has two walks, itself and no other
    short = seqcnn.read("short.fa", ratio=2)
    assert short.ids == ("a", "b", "b_shuffled", "b_shuffled2")
    assert short.summary.dropped == {"shuffles equal to their source": 2}


def test_windows_over_the_edge_are_no_obstacle(desk):
    Path("edge.bed").write_text("chr2\t0\t10\nchr2\t39950\t40000\nchr1\t9000\t9100\n")
    for edge, n in (("pad", 3), ("shift", 3), ("drop", 1)):
        data = seqcnn.read("edge.bed", genome="g.fa", width=200, edge=edge, negatives="matched")
        assert len(data) == 2 * n and set(data.lengths.tolist()) == {200}
        positives, negatives = halves(data)
        assert not any(overlap(a, b) for a in positives for b in negatives)


def test_room_and_claims_are_those_of_a_naive_mask(desk):
    genome = Genome("g.fa")
    rng = np.random.default_rng(0)
    starts = rng.integers(-50, 60_100, 80)
    taken = Intervals.of(
        [("chr1", s, s + int(w), 0) for s, w in zip(starts.tolist(), rng.integers(1, 900, 80), strict=True)]
    )
    room = Room(genome, [taken])
    mask = np.zeros(GENOME["chr1"], bool)
    for place in taken.places():
        mask[max(0, place.start) : max(0, place.end)] = True
    whole = [s for s in range(GENOME["chr1"] - 299) if not mask[s : s + 300].any()]
    chromosomes, drawn = room.sample(rng, 300, 10**6, chromosome=0)
    assert drawn.tolist() == whole and set(chromosomes.tolist()) == {0}
    some = room.sample(rng, 300, 40)
    assert 0 < len(some[1]) <= 40 and all(room.free(room.names[c], s, s + 300) for c, s in zip(*some, strict=True))
    for start in (0, 59_800, -5, *starts.tolist()[:20]):
        assert room.free("chr1", start, start + 50) == (0 <= start <= 59_950 and not mask[start : start + 50].any())
    text = genome_text()
    names = [room.names[c] for c in some[0].tolist()]
    windows = [text[name][s : s + 300] for name, s in zip(names, some[1].tolist(), strict=True)]
    counted = room.counted(some[0], some[1], np.full(len(windows), 300))
    assert counted.tolist() == [
        [sum(c in "CGcg" for c in w), sum(c.islower() for c in w), sum(c not in "ACGTacgt" for c in w)] for w in windows
    ]
    claims, held = Claims(), list[tuple[int, int]]()
    for start, width in zip(rng.integers(0, 3000, 300).tolist(), rng.integers(20, 90, 300).tolist(), strict=True):
        end = start + width
        worst = max(
            ((s == start) or max(0, min(end, e) - max(start, s)) / max(width, e - s) for s, e in held), default=0
        )
        assert claims.claim("x", start, end, overlap=0.5) == (worst <= 0.5)
        held += [(start, end)] if worst <= 0.5 else []


QUICK = ["--network", "deepbind", "--epochs", "1", "--folds", "0", "--no-baselines", "--quiet"]


@pytest.mark.parametrize(
    "how",
    [
        ["matched", "--ratio", "2", "--match", "chromosome", "--match", "tss", "--annotation", "genes.gff"],
        ["flank", "--blacklist", "black.bed"],
    ],
)
def test_the_recorded_kind_is_made_again(how, desk, capsys):
    window = ["--genome", "g.fa", "--width", "100"]
    assert main(["train", "peaks.bed", *window, "--negatives", *how, *QUICK, "--seed", "5", "-o", "m.safetensors"]) == 0
    model = seqcnn.load("m.safetensors")
    assert (model.negatives, model.labels) == (how[0], (how[0], "peaks"))
    trained = read("peaks.bed", DataOptions(genome=Path("g.fa"), width=100), like=model)
    assert trained.summary.made == model.made and model.made.kind == how[0]
    seen = trained_on(model, trained)
    assert seen.sum() == model.record.counts["train"] + model.record.counts["valid"]
    assert seen[trained.targets[:, 0] == 0].sum() > 0
    for verb in (["evaluate"], ["motifs", "-o", "motifs"], ["report", "-o", "r.html"]):
        assert main([verb[0], "m.safetensors", "peaks.bed", *window, *verb[1:], "--quiet"]) == 0
    page = Path("r.html").read_text()
    assert "Positives and negatives compared" in page and "GC content" in page
    capsys.readouterr()
    for file in ("genes.gff", "black.bed"):
        Path(file).rename(f"away.{file}")
    assert main(["evaluate", "m.safetensors", "peaks.bed", *window]) == 2
    assert "which is not here; pass --" in capsys.readouterr().err


def test_negatives_of_a_test_file_keep_away_from_the_training_records(desk):
    lines = Path("peaks.bed").read_text().splitlines(keepends=True)
    Path("a.bed").write_text("".join(lines[::2]))
    Path("b.bed").write_text("".join(lines[1::2]))
    first = seqcnn.read("a.bed", genome="g.fa", negatives="matched")
    second = read("b.bed", DataOptions(genome=Path("g.fa")), like=first)
    assert second.labels == first.labels and second.negatives == "matched"
    assert not any(overlap(n, other) for n in halves(second)[1] for other in first.places.places())


def test_chromosomes_are_split_by_where_a_window_lies(desk):
    data = seqcnn.read("peaks.bed", genome="g.fa", negatives="matched")
    parts = grouped(data, "chromosome:chr2")[0].parts
    assert [part == "test" for part in parts] == [name == "chr2" for name in data.places.chromosomes]


def test_positives_on_the_blacklist_are_kept_and_told(desk):
    data = seqcnn.read("peaks.bed", genome="g.fa", negatives="matched", blacklist="black.bed")
    inside = sum(p.chromosome == "chr1" and p.start < 35_000 and p.end > 20_000 for p in halves(data)[0])
    assert inside and any(f"negatives only: {inside}; they are kept" in note for note in data.summary.notes)


def test_a_genome_without_lower_case_is_told(desk):
    Path("upper.fa").write_text(
        "".join(line if line[0] == ">" else line.upper() for line in Path("g.fa").read_text().splitlines(keepends=True))
    )
    data = seqcnn.read("peaks.bed", genome="upper.fa", negatives="matched")
    assert any(
        note.startswith("repeats: neither positives nor negatives hold soft-masked") for note in data.summary.notes
    )


def test_windows_overlap_only_where_there_is_no_other_room(desk):
    Path("small.fa").write_text(">c\n" + genome_text()["chr2"][1000:4000] + "\n")
    Path("few.bed").write_text("".join(f"c\t{100 + 150 * i}\t{200 + 150 * i}\n" for i in range(10)))
    data = seqcnn.read("few.bed", genome="small.fa", negatives="matched", ratio=2)
    negatives = halves(data)[1]
    shared = [(min(a.end, b.end) - max(a.start, b.start)) / 100 for i, a in enumerate(negatives) for b in negatives[:i]]
    assert len(negatives) == 20 and max(shared) <= 0.95
    assert any(note.startswith("negatives that overlap another, for lack of room") for note in data.summary.notes)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["peaks.bed", "--negatives", "matched"], "peaks.bed holds intervals; pass --genome FASTA"),
        (["plain.fa", "--negatives", "matched"], "--negatives matched: takes windows of a genome beside the positives"),
        (["plain.fa", "--negatives", "flank"], "--negatives flank: takes windows of a genome beside the positives"),
        (["plain.fa", "--negatives", "matched", "--genome", "g.fa"], "plain.fa holds none"),
        (["protein.fa", "--negatives", "matched"], "protein.fa: proteins need negatives; give a second file"),
        (["big.bed", "--negatives", "matched"], "g.fa has room for at most 0 of the 2 matched windows wanted"),
        (["big.bed", "--negatives", "flank"], "no positive has a free window of its length within 20 lengths"),
        (["peaks.bed", "--negatives", "matched", "--ratio", "900"], "matched windows wanted beside positives, gaps"),
        (["peaks.bed", "--negatives", "matched", "--blacklist", "bad.bed"], "bad.bed, line 2: expected a whole number"),
        (["peaks.bed", "--negatives", "matched", "--blacklist", "none.bed"], "none.bed: no such file"),
        (["peaks.bed", "--negatives", "matched", "--match", "tss"], "--match tss: needs the starts of transcription"),
        (
            ["peaks.bed", "--negatives", "matched", "--match", "tss", "--annotation", "none.gff"],
            "none.gff: no such file",
        ),
        (
            ["peaks.bed", "--negatives", "matched", "--match", "tss", "--annotation", "exons.gff"],
            "exons.gff has no feature 'gene'; it has exon 1",
        ),
        (["peaks.bed", "--negatives", "matched", "--match", "gcc"], "--match"),
        (["peaks.bed", "--negatives", "flank", "--match", "chromosome"], "--match: belongs to --negatives matched"),
        (["peaks.bed", "--negatives", "matched", "--annotation", "genes.gff"], "--annotation: belongs to --match tss"),
        (["peaks.bed", "--ratio", "0"], "--ratio"),
        (["peaks.bed", "--ratio", "2", "--negatives", "others.bed"], "--ratio: belongs to negatives that are made"),
        (["peaks.bed", "others.bed", "--ratio", "2"], "--ratio: belongs to negatives that are made"),
        (["table.csv", "--ratio", "2"], "--ratio: belongs to negatives that are made"),
        (["table.csv", "--negatives", "matched"], "--negatives: belongs to one FASTA file of positives"),
        (["peaks.bed", "--blacklist", "black.bed"], "--blacklist: belongs to --negatives matched or flank"),
        (["peaks.bed", "others.bed", "--blacklist", "black.bed"], "--blacklist: belongs to negatives that are made"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_line(options, said, desk, capsys):
    Path("plain.fa").write_text(">a\nACGTTGCATTACG\n>b\nGGATCCATTGACAG\n")
    Path("protein.fa").write_text(">a\nMKVLWAALLGHHHEDRRRQQ\n>b\nMSTNPKPQRKTEEDLLWWYY\n")
    Path("big.bed").write_text("chr1\t1000\t50000\nchr2\t100\t39000\n")
    Path("bad.bed").write_text("chr1\t1\t5\nchr1\tx\t5\n")
    Path("others.bed").write_text("chr2\t1000\t1100\n")
    Path("exons.gff").write_text("chr1\t.\texon\t11\t20\t.\t+\t.\tID=e\n")
    Path("table.csv").write_text("sequence,y\nACGT,1\nACGA,0\n")
    genome = (
        [] if "--genome" in options or "holds intervals" in said or ".bed" not in options[0] else ["--genome", "g.fa"]
    )
    assert main(["train", *options, *genome, "-o", "m"]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("seqcnn: error")]
    assert len(lines) == 1 and said in lines[0], lines
    assert not Path("m").exists()


def test_errors_of_the_library(desk):
    data = seqcnn.read("peaks.bed", genome="g.fa")
    with pytest.raises(DataError, match="expected positives and negatives"):
        matching(replace(data, task="multiclass"))
    with pytest.raises(OptionError, match="--match"):
        seqcnn.read("peaks.bed", genome="g.fa", negatives="matched", match="length,colour")


def test_spliced_features_get_windows_of_their_spliced_length(desk):
    text = genome_text()["chr1"]
    record = SeqRecord(Seq(text), id="chr1", name="chr1", annotations={"molecule_type": "DNA"})
    for i in range(12):
        at = 2000 + 4000 * i
        parts = [SimpleLocation(at, at + 60 + i, strand=1), SimpleLocation(at + 300, at + 340, strand=1)]
        record.features.append(SeqFeature(CompoundLocation(parts), type="CDS", qualifiers={"locus_tag": f"c{i}"}))
    SeqIO.write(record, "a.gb", "genbank")
    for kind in ("matched", "flank"):
        data = seqcnn.read("a.gb", genome="g.fa", feature="CDS", negatives=kind)
        lengths = data.lengths[data.targets[:, 0] == 1].tolist()
        assert lengths == [100 + i for i in range(12)]
        assert set(data.lengths[data.targets[:, 0] == 0].tolist()) <= set(lengths)
        positives, negatives = halves(data)
        assert not any(overlap(a, b) for a in positives for b in negatives)
    with pytest.raises(DataError, match="--negatives matched: takes windows of a genome beside the positives"):
        seqcnn.read("a.gb", feature="CDS", negatives="matched")


@pytest.mark.parametrize("organism", ORGANISMS)
def test_windows_around_features_of_real_genomes_are_matched(organism, real_data, tmp_path):
    packed = real_data / "genomes_small" / f"{organism}.1pct.fa.gz"
    if not packed.exists():
        pytest.skip("genomes_small is absent")
    fasta = tmp_path / "g.fa"
    fasta.write_bytes(gzip.decompress(packed.read_bytes()))
    data = seqcnn.read(
        str(packed).replace(".fa.gz", ".gff.gz"), genome=fasta, feature="promoter", width=500, negatives="matched"
    )
    found = matching(data)["GC"]
    assert abs(found.difference) < 0.02 and found.interval[0] <= 0.55
