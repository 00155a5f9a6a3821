"""Sites of motifs: p-values against all words, places against a naive loop, q-values, strands, files."""

import gzip
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from Bio.Seq import Seq
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from seqcnn.alphabet import DNA, PROTEIN, RNA, Alphabet
from seqcnn.errors import AlphabetError, DataError, FormatError, InputFileError, OptionError, OutputFileError
from seqcnn.io.meme import write_meme
from seqcnn.motif import Motif
from seqcnn.motifs import sites as module
from seqcnn.motifs.sites import Scorer, chunked, find_sites
from seqcnn.options import SitesOptions
from seqcnn.sequence import Sequences
from seqcnn.workflow.sites import sites


def some(rng: np.random.Generator, length: int, alphabet: Alphabet = DNA, name: str = "m") -> Motif:
    return Motif(name, rng.dirichlet(np.full(alphabet.size, 0.4), length), alphabet, nsites=30)


def sequences(rng: np.random.Generator, lengths: list[int], alphabet: Alphabet = DNA) -> Sequences:
    return Sequences.from_codes([rng.integers(0, alphabet.size, n).astype(np.uint8) for n in lengths])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.integers(1, 5))
def test_p_values_equal_the_enumeration_of_all_words(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    background = rng.dirichlet(np.full(4, 5))
    scorer = Scorer.of(some(rng, length), background)
    words = np.array(list(product(range(4), repeat=length)))
    scores = scorer.weights[np.arange(length), words].sum(1)
    chances = background[words].prod(1)
    for score in rng.choice(scores, 9):
        assert scorer.pvalue(int(score)) == pytest.approx(chances[scores >= score].sum(), rel=1e-9)
    exact = np.log2((scorer.motif.probabilities * 30 + 0.1 * background) / 30.1 / background)
    bits = exact[np.arange(length), words].sum(1)
    np.testing.assert_allclose(scores * scorer.bits + scorer.floor, bits, atol=length * scorer.bits)


def test_protein_p_values() -> None:
    rng = np.random.default_rng(0)
    background = rng.dirichlet(np.full(20, 5))
    scorer = Scorer.of(some(rng, 2, PROTEIN), background)
    words = np.array(list(product(range(20), repeat=2)))
    scores = scorer.weights[np.arange(2), words].sum(1)
    top = int(np.sort(scores)[-3])
    assert scorer.pvalue(top) == pytest.approx(background[words].prod(1)[scores >= top].sum())


def naive(motif: Motif, records: Sequences, *, background: np.ndarray, pvalue: float, both: bool) -> list[tuple]:
    scorer = Scorer.of(motif, background)
    found, tested = [], 0
    for r, codes in enumerate(records):
        for start in range(len(codes) - len(motif) + 1):
            window = codes[start : start + len(motif)] & 0x7F
            if (window >= motif.alphabet.size).any():
                continue
            for reverse in (False, True)[: 1 + both]:
                word = 3 - window[::-1] if reverse else window
                tested += 1
                p = scorer.pvalue(int(scorer.weights[np.arange(len(motif)), word].sum()))
                if p <= pvalue:
                    found.append((r, start, reverse, p))
    p = np.array([f[3] for f in found] + [1.0] * (tested - len(found)))
    q = false_discovery_control(p)[: len(found)]
    return [(*f[:3], pytest.approx(f[3]), pytest.approx(x)) for f, x in zip(found, q, strict=True)]


@pytest.mark.parametrize("alphabet", [DNA, RNA], ids=lambda a: a.name)
def test_places_equal_a_naive_loop(alphabet: Alphabet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 50)  # several blocks, the last one flush with the end
    rng = np.random.default_rng(3)
    motifs = [some(rng, 5, alphabet, "a"), some(rng, 3, alphabet, "b"), some(rng, 5, alphabet, "c")]
    background = np.array([0.3, 0.2, 0.2, 0.3])
    records = sequences(rng, [40, 2, 0, 5, 133, 17], alphabet)
    records.buffer[[3, 60]] = DNA.any_code
    records.buffer[10:20] |= 0x80
    got = find_sites(motifs, [records.take([0, 1, 2]), records.take([3, 4, 5])], background=background, pvalue=0.02)
    rows = list(zip(got.motifs, got.records, got.starts, got.reverse, got.pvalues, got.qvalues, strict=True))
    for m, motif in enumerate(motifs):
        mine = [(int(r), int(s), bool(v), p, q) for k, r, s, v, p, q in rows if k == m]
        assert mine == naive(motif, records, background=background, pvalue=0.02, both=alphabet is DNA)
    assert len(got) > 5
    for i in range(len(got)):
        word = records[got.records[i]][got.starts[i] : got.ends[i]] & 0x7F
        word = 3 - word[::-1] if got.reverse[i] else word
        assert got.sequences[i] == "".join(alphabet.letters[c] for c in word)
    assert (np.diff(got.records) >= 0).all()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 999),
    st.lists(st.integers(1, 30), min_size=1, max_size=4),
    st.sampled_from([DNA, RNA, PROTEIN]),
    st.sampled_from([1.0, 0.03, 1e-3, 1e-9]),
)
def test_filtration_misses_no_site(seed: int, widths: list[int], alphabet: Alphabet, pvalue: float) -> None:
    rng = np.random.default_rng(seed)
    motifs = [some(rng, width, alphabet, str(i)) for i, width in enumerate(widths)]
    planted = [np.tile(motif.probabilities.argmax(1), 3) for motif in motifs]  # sites at both ends, one behind another
    records = [*planted, *(rng.integers(0, alphabet.size, rng.integers(0, 90)) for _ in range(3))]
    whole = Sequences.from_codes([codes.astype(np.uint8) for codes in records])
    whole.buffer[rng.random(len(whole.buffer)) < 0.02] = alphabet.any_code
    background = rng.dirichlet(np.full(alphabet.size, 9))
    if alphabet is DNA:
        background = (background + background[::-1]) / 2
    got = find_sites(motifs, [whole], background=background, pvalue=pvalue)
    rows = list(zip(got.motifs, got.records, got.starts, got.reverse, got.pvalues, got.qvalues, strict=True))
    for m, motif in enumerate(motifs):
        mine = [(int(r), int(s), bool(v), p, q) for k, r, s, v, p, q in rows if k == m]
        assert mine == naive(motif, whole, background=background, pvalue=pvalue, both=alphabet is DNA)


def test_more_sites_than_expected_are_all_kept() -> None:
    made = Motif("m", np.eye(4)[[0] * 12], DNA, nsites=50)
    found = find_sites([made], [Sequences.from_codes([np.zeros(5000, np.uint8)])], pvalue=1e-6)
    assert found.starts.tolist() == list(range(4989))


def test_the_other_strand_holds_the_mirrored_sites() -> None:
    rng = np.random.default_rng(1)
    motif, codes = some(rng, 6), rng.integers(0, 4, 300).astype(np.uint8)
    one = find_sites([motif], [Sequences.from_codes([codes])], pvalue=0.01)
    two = find_sites([motif], [Sequences.from_codes([3 - codes[::-1]])], pvalue=0.01)
    mirrored = sorted((300 - e, not v) for e, v in zip(two.ends.tolist(), two.reverse.tolist(), strict=True))
    assert sorted(zip(one.starts.tolist(), one.reverse.tolist(), strict=True)) == mirrored


def test_unreachable_threshold_and_bad_calls() -> None:
    rng = np.random.default_rng(1)
    assert len(find_sites([some(rng, 2)], [sequences(rng, [99])], pvalue=1e-9)) == 0
    assert len(find_sites([some(rng, 2)], [], pvalue=1)) == 0
    with pytest.raises(DataError, match="no motif"):
        find_sites([], [])
    with pytest.raises(DataError, match="different alphabets"):
        find_sites([some(rng, 2), some(rng, 2, RNA)], [])
    with pytest.raises(DataError, match=r"frequencies above 0, found \[0.0"):
        find_sites([some(rng, 2)], [], background=np.array([0, 0.5, 0, 0.5]), both_strands=False)


def test_chunks_hold_every_record() -> None:
    codes = [np.zeros(n, np.uint8) for n in (3, 0, 9, 2)]
    parts = list(chunked(codes, letters=4))
    assert [len(p) for p in parts] == [3, 1]
    assert [c for p in parts for c in p.lengths.tolist()] == [3, 0, 9, 2]


@pytest.fixture
def gata(tmp_path: Path) -> Path:
    path = tmp_path / "gata.meme"
    made = Motif("MA9", np.eye(4)[[2, 0, 3, 0, 0, 2]], DNA, alt="GATA", nsites=50)
    write_meme(path, [made], np.array([0.3, 0.2, 0.2, 0.3]))
    return path


def test_workflow_writes_tsv_and_bed(tmp_path: Path, gata: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.fa").write_text(">one x\nccGATAAGcc\n>two\nCTTATC\n>three\nNNGATAANN\n")
    options = SitesOptions(pvalue=0.001)
    got = sites(gata, [tmp_path / "a.fa"], options)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "motif\tname\tid\tstart\tend\tstrand\tscore\tpvalue\tqvalue\tsequence"
    assert [line.split("\t")[:6] for line in lines[1:]] == [
        ["MA9", "GATA", "one", "2", "8", "+"],
        ["MA9", "GATA", "two", "0", "6", "-"],
    ]
    assert float(lines[1].split("\t")[7]) == pytest.approx(0.25**0 * 0.2**2 * 0.3**4, rel=1e-5)
    assert lines[1].split("\t")[9] == "GATAAG"
    assert "2 sites in 3 records, both strands; p-values for the letter frequencies of the motif file" in got.notes[0]
    sites(gata, tmp_path / "a.fa", options, output=tmp_path / "out.bed")
    first = (tmp_path / "out.bed").read_text().splitlines()[0]
    assert first == "one\t2\t8\tMA9|GATA\t349\t+"


def test_alphabets_of_inputs(tmp_path: Path, gata: Path) -> None:
    (tmp_path / "rna.fa").write_text(">r\nCCGAUAAGCUUAUC\n")
    got = sites(gata, tmp_path / "rna.fa", SitesOptions(pvalue=0.001), output=tmp_path / "o.tsv")
    assert got.found.sequences == ("GAUAAG",)
    (tmp_path / "p.fa").write_text(">p\nMKLVWWQEPLIHRMKLVW\n")
    with pytest.raises(AlphabetError, match=r"p.fa, record p, position 3: 'L'"):
        sites(gata, tmp_path / "p.fa", output=tmp_path / "p.tsv")
    assert not (tmp_path / "p.tsv").exists()
    with pytest.raises(OptionError, match="--alphabet protein: the motifs are dna"):
        sites(gata, tmp_path / "p.fa", SitesOptions(alphabet="protein"))


def test_bad_files(tmp_path: Path, gata: Path) -> None:
    (tmp_path / "empty.fa").write_text("")
    with pytest.raises(FormatError, match="empty.fa is empty"):
        sites(gata, tmp_path / "empty.fa")
    with pytest.raises(InputFileError, match="none.meme"):
        sites(tmp_path / "none.meme", tmp_path / "empty.fa")
    with pytest.raises(OutputFileError, match="no/such"):
        sites(gata, tmp_path / "empty.fa", output=tmp_path / "no/such/o.tsv")
    with pytest.raises(OptionError, match="no input"):
        sites(gata, [])


def test_motifs_too_short_for_the_p_value_are_named(tmp_path: Path) -> None:
    short = Motif("short", np.eye(4)[[0, 1, 2, 3, 0]], DNA, nsites=30)  # one word in 1,024
    fasta = tmp_path / "s.fa"
    fasta.write_text(">a\nTTACGTATT\n")
    quiet = sites([short], fasta, SitesOptions(pvalue=0.01), output=tmp_path / "some.tsv")
    assert len(quiet.found) == 2 and len(quiet.notes) == 1  # one a strand
    located = sites([short], fasta, output=tmp_path / "none.tsv")
    assert len(located.found) == 0
    assert "too short to reach a p-value of 0.0001 anywhere, so not found: short; pass --pvalue 0.001" in located.notes


def test_sites_in_intervals_lie_on_the_genome(tmp_path: Path, gata: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(6)
    genome = {name: "".join(rng.choice(list("ACGT"), size)) for name, size in (("1", 3000), ("2", 700))}
    Path("g.fa").write_text("".join(f">{name}\n{text}\n" for name, text in genome.items()))
    Path("r.bed").write_text("chr1\t100\t1400\ta\t0\t-\nchr2\t0\t650\tb\t0\t+\nchr1\t1700\t2900\n")
    options = SitesOptions(pvalue=0.02, genome=Path("g.fa"))
    got = sites(gata, "r.bed", options, output="o.tsv")
    assert "chromosomes called otherwise in g.fa: chr1 is read as 1, and 1 more" in got.notes
    head, *rows = [line.split("\t") for line in Path("o.tsv").read_text().splitlines()]
    assert head[5] == "strand" and head[-4:] == ["chromosome", "chrom_start", "chrom_end", "chrom_strand"]
    assert {(row[2], row[5]) for row in rows} == {(i, s) for i in ("a", "b", "chr1:1700-2900") for s in "+-"}
    for row in rows:
        word = genome[row[-4]][int(row[-3]) : int(row[-2])]
        assert row[9] == (word if row[-1] == "+" else str(Seq(word).reverse_complement()))
        assert row[-1] == (row[5] if row[2] != "a" else "+-"[row[5] == "+"])
    for name in ("o.bed", "o.bed.gz"):
        sites(gata, "r.bed", options, output=name)
    bed = Path("o.bed").read_text()
    assert gzip.decompress(Path("o.bed.gz").read_bytes()).decode() == bed
    assert [line.split("\t")[:3] + line.split("\t")[5:] for line in bed.splitlines()] == [row[-4:] for row in rows]
    alone = sites(gata, "g.fa", SitesOptions(pvalue=0.02), output="whole.bed")
    assert set(bed.splitlines()) < set(Path("whole.bed").read_text().splitlines()) and not alone.places
    with pytest.raises(DataError, match="r.bed holds intervals; pass --genome"):
        sites(gata, "r.bed")
    with pytest.raises(OptionError, match="--width: belongs to intervals; g.fa holds none"):
        sites(gata, "g.fa", SitesOptions(width=50))


def test_sites_around_features_and_over_edges(tmp_path: Path, gata: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("g.fa").write_text(">1\nGATAAGCCCCCCCCCCCCCCCCCCCTTATC\n")
    Path("a.gff").write_text("1\t.\tgene\t1\t8\t.\t-\t.\tID=g1\n1\t.\tCDS\t24\t30\t.\t+\t.\tID=c1\n")
    for feature, place in (("gene", ["1", "0", "6"]), ("CDS", ["1", "24", "30"])):
        options = SitesOptions(pvalue=0.001, genome=Path("g.fa"), feature=feature, width=20)
        got = sites(gata, "a.gff", options, output="o.bed")
        assert [line.split("\t")[:3] for line in Path("o.bed").read_text().splitlines()] == [place]
        assert "windows over the edge of a chromosome, padded with N: 1" in got.notes
