"""Tests of reading DATA: FASTA files and the samples to a Dataset, for training and for a trained model."""

import io
import sys
import warnings
from collections import Counter
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqcnn.alphabet import DNA, PROTEIN, RNA
from seqcnn.data.dataset import Negatives
from seqcnn.data.negatives import add_negatives
from seqcnn.data.sources.records import Coder, told_alphabet
from seqcnn.encode.onehot import OneHot
from seqcnn.encode.pixels import Pixels
from seqcnn.errors import AlphabetError, DataError, FormatError, InputFileError, OptionError, SeqcnnWarning
from seqcnn.options import DataOptions
from seqcnn.record import Letters, Record
from seqcnn.sequence import Sequences, decode
from seqcnn.workflow.read import named, read, stream_sequences

FILES = {
    "pos.fa": ">a\nACGTTGCAATTACG\n>b\nACGTNNaggCACGATGATT\n",
    "neg.fa": ">c\nACGTTGCAGT\n>d\nAAATTAGGC\n>e\nTTT\n",
    "third.fa": ">x\nACGGGTT\n",
    "rna.fa": ">r\nACGUUUGCA\n",
    "protein.fa": ">p\nMKLFWIEQPUB\n>q\nMKKLLPT*\n",
}


@pytest.fixture
def at(tmp_path, monkeypatch):
    """A folder of small files to stand in."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def letters(data):
    return [decode(codes, data.alphabet) for codes in data.raw]


# --- FASTA files


def test_two_files_are_binary_and_the_first_is_positive(at):
    data = read(["pos.fa", "neg.fa"])
    assert (data.kind, data.task, data.labels, data.negatives) == ("codes", "binary", ("neg", "pos"), "file")
    assert data.targets.tolist() == [[1], [1], [0], [0], [0]]
    assert data.ids == ("a", "b", "c", "d", "e")
    assert letters(data)[1] == "ACGTNNaggCACGATGATT"
    assert data.alphabet is DNA
    assert [(s.name, s.path, s.records) for s in data.summary.sources] == [("pos", "pos.fa", 2), ("neg", "neg.fa", 3)]
    assert all(len(s.sha256) == 64 for s in data.summary.sources)
    assert data.summary.replaced == {"N": 2, "soft-masked": 3}
    assert data.summary.notes == (
        "read 5 dna records of length 3 to 19; binary: pos 2 (positive), neg 3",
        "letters: 2 N, 3 in lower case (soft-masked), read as usual",
    )


def test_three_files_are_classes_in_their_order(at):
    data = read(["third.fa", "pos.fa", "odd=neg.fa"])
    assert (data.task, data.labels, data.negatives) == ("multiclass", ("third", "pos", "odd"), None)
    assert data.targets.ravel().tolist() == [0, 1, 1, 2, 2, 2]


def test_one_file_is_held_against_its_shuffles(at):
    data = read("pos.fa")
    assert (data.task, data.labels, data.negatives) == ("binary", ("shuffled", "pos"), "shuffle")
    assert data.targets.ravel().tolist() == [1, 1, 0, 0]
    assert data.parents.tolist() == [-1, -1, 0, 1]
    assert data.ids == ("a", "b", "a_shuffled", "b_shuffled")
    for positive, negative in zip(letters(data)[:2], letters(data)[2:], strict=True):
        assert negative != positive.upper()
        assert negative == negative.upper()
        assert Counter(pairwise(negative)) == Counter(pairwise(positive.upper()))
    assert letters(data)[3][4:6] == "NN"
    assert letters(read("pos.fa")) == letters(data)
    assert letters(read("pos.fa", DataOptions(seed=5))) == letters(data), "evaluate must know what a model saw"


def test_one_file_with_a_file_of_negatives(at):
    for options in (DataOptions(negatives="neg.fa"), DataOptions(negatives="bg=neg.fa")):
        data = read("pos.fa", options)
        assert data.targets.ravel().tolist() == [1, 1, 0, 0, 0]
        assert data.negatives == "file"
    assert data.labels == ("bg", "pos")


def test_shuffles_equal_to_their_source_are_dropped_and_counted(at):
    (at / "x.fa").write_text(">a\nAAAAAAAA\n>b\nACAC\n>c\nACGATGATTT\n")
    data = read("x.fa")
    assert len(data) == 4
    assert data.parents.tolist() == [-1, -1, -1, 2]
    assert data.summary.dropped == {"shuffles equal to their source": 2}
    (at / "x.fa").write_text(">a\nAAAAAAAA\n")
    with pytest.raises(DataError, match="every dinucleotide shuffle equals its source"):
        read("x.fa")
    proteins = read(_proteins(at))
    with pytest.raises(DataError, match="--negatives shuffle: made of DNA and RNA only"):
        add_negatives(proteins, Negatives("shuffle"), seed=0)


def _proteins(at):
    (at / "other.fa").write_text(">z\nLLIVFW\n")
    return ["protein.fa", "other.fa"]


def test_protein(at):
    data = read(_proteins(at))
    assert data.alphabet is PROTEIN
    assert data.summary.replaced == {"ambiguous": 1, "U read as C": 1, "final * dropped": 1}
    assert letters(data)[1] == "MKKLLPT"
    with pytest.raises(DataError, match="protein.fa: proteins need negatives; give a second file"):
        read("protein.fa")


def test_rna_and_dna_are_one_in_letters_and_said(at):
    (at / "long.fa").write_text(">r\nACGUUUGCAGGAUCCGA\n")
    assert read("long.fa").alphabet is RNA
    with pytest.warns(SeqcnnWarning, match=r"rna.fa looks like rna, pos.fa like dna; read as dna"):
        data = read(["pos.fa", "rna.fa"])
    assert letters(data)[2] == "ACGTTTGCA"
    assert data.summary.replaced["U read as T"] == 3


def test_standard_input(at, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(FILES["neg.fa"].encode())))
    data = read(["pos.fa", "-"])
    assert data.labels == ("stdin", "pos")
    assert data.summary.sources[1].sha256 == ""
    with pytest.raises(OptionError, match="standard input can be read once only"):
        read(["a=-", "b=-"])


def test_duplicate_ids_are_a_warning_with_the_count(at):
    (at / "x.fa").write_text(">a\nACGTTT\n>a\nAC\n>a\nA\n>b\nT\n")
    with pytest.warns(SeqcnnWarning, match="2 records with an id that occurred before, such as 'a'"):
        read(["x.fa", "neg.fa"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(["pos.fa", "neg.fa"])


def test_class_names():
    assert [named(x).name for x in ("d/ctcf.train.pos.fa.gz", "x=a.fa", "d/a=b/c.fa", "peaks.pos", "-")] == [
        "ctcf.train.pos", "x", "c", "peaks.pos", "stdin",
    ]  # fmt: skip


def test_a_file_whose_name_holds_an_equals_sign(at):
    (at / "k=4.fa").write_text(">a\nACGTTGCAATTACG\n")
    assert read("k=4.fa").labels == ("shuffled", "k=4")


@pytest.mark.parametrize(
    "paths,options,error,words",
    [
        ([], {}, DataError, "no data given"),
        ("none.fa", {}, InputFileError, "none.fa: no such file"),
        (["pos.fa", "neg.fa", "none.fa"], {"task": "binary"}, InputFileError, "none.fa: no such file"),
        (["pos.fa", "pos.fa"], {}, DataError, "pos.fa is given twice"),
        (["pos.fa", "./pos.fa"], {}, DataError, "is given twice"),
        (["pos.fa", "pos=neg.fa"], {}, DataError, "both be class 'pos'; name them with NAME=FILE"),
        (["pos.fa", "."], {}, DataError, "folders and sequence files don't go together"),
        (["pos.fa", "protein.fa"], {}, DataError, "protein.fa looks like protein, pos.fa like dna"),
        (["protein.fa", "pos.fa"], {}, DataError, "pos.fa looks like dna, protein.fa like protein"),
        ("protein.fa", {"alphabet": "dna"}, AlphabetError, "record p, position 3: 'L' .* pass --alphabet protein"),
        (["pos.fa", "protein.fa"], {"alphabet": "dna"}, AlphabetError, "protein.fa, record p, position 3: 'L'"),
        (["pos.fa", "neg.fa"], {"negatives": "shuffle"}, OptionError, "two files are given"),
        ("pos.fa", {"negatives": "none.fa"}, InputFileError, "none.fa: no such file"),
        ("pos.fa", {"target": ("y",)}, OptionError, "--target: belongs to a table"),
        ("pos.fa", {"where": ("a=b",)}, OptionError, "--where: belongs to a table"),
        ("pos.fa", {"sequence": "s"}, OptionError, "--sequence: belongs to a table"),
        ("pos.fa", {"positive": "pos"}, OptionError, "--positive: belongs to a table"),
        ("pos.fa", {"task": "regression"}, OptionError, "needs targets"),
        (["pos.fa", "neg.fa", "third.fa"], {"task": "binary"}, DataError, "binary needs two"),
        ("pos.fa", {"input": "pixels"}, DataError, "sequences, but --input pixels reads pictures"),
        ("pos.fa", {"input": "gadf"}, DataError, "sequences, but --input gadf reads series"),
    ],
)
def test_refusals(at, paths, options, error, words):
    with pytest.raises(error, match=words) as caught:
        read(paths, DataOptions(**options))
    assert "\n" not in str(caught.value)


def test_unknown_letters(at):
    (at / "x.fa").write_text(">a\nACGT\n>bad\nACGTJACGTACGTACGT\n")
    with pytest.raises(AlphabetError, match="x.fa, record bad, position 5: 'J' is not a letter of the dna alphabet"):
        read(["x.fa", "neg.fa"])
    data = read(["x.fa", "neg.fa"], DataOptions(unknown="mask"))
    assert letters(data)[1] == "ACGTNACGTACGTACGT"
    assert data.summary.replaced == {"unknown read as N": 1}
    (at / "x.fa").write_text(">a\n*\n")
    with pytest.raises(FormatError, match="x.fa, record a: no sequence"):
        read(["x.fa", "neg.fa"], DataOptions(alphabet="dna"))


@given(st.lists(st.text("ACGTUacgturyNnXx.-", min_size=1, max_size=9), min_size=1, max_size=9), st.integers(1, 20))
def test_batches_hold_all_records_and_count_all_letters(texts, size):
    coder = Coder(DNA)
    records = [Record(str(i), text.encode()) for i, text in enumerate(texts)]
    batches = list(coder.batches([Letters.of(records[:3]), *map(Letters.of, zip(records[3:]))], "x", size=size))
    assert [name for ids, *_ in batches for name in ids] == [r.id for r in records]
    found = [decode(codes, DNA) for _, sequences, _ in batches for codes in sequences]
    spelled = str.maketrans("UuXx.", "TtNn-")
    assert found == [text.translate(spelled) for text in texts]
    joined = "".join(texts)
    for what, symbols in {
        "U read as T": "Uu", "N": "NnXx", "gap": ".-", "ambiguous": "ry", "soft-masked": "acgturynx",
    }.items():  # fmt: skip
        assert coder.replaced.get(what, 0) == sum(joined.count(symbol) for symbol in symbols)


# --- for a trained model


def test_files_of_a_model_by_name_or_in_training_order(at):
    model = read(["pos.fa", "neg.fa"])
    assert read(["neg.fa", "pos.fa"], like=model).targets.ravel().tolist() == [0, 0, 0, 1, 1]
    other = read(["third.fa", "neg2=neg.fa"], like=model)
    assert other.labels == ("neg", "pos")
    assert other.targets.ravel().tolist() == [1, 0, 0, 0]
    assert "files taken in training order: third.fa is 'pos', neg.fa is 'neg'" in other.summary.notes
    with pytest.raises(DataError, match=r"3 files for a two-class model \(neg, pos\)"):
        read(["pos.fa", "neg.fa", "third.fa"], like=model)
    with pytest.raises(DataError, match="the model was trained against a file of negatives"):
        read("pos.fa", like=model)
    with pytest.raises(AlphabetError, match="protein.fa, record p.*looks like protein"):
        read(["protein.fa", "neg.fa"], like=model)
    with pytest.raises(OptionError, match="--alphabet protein: the model reads dna"):
        read(["pos.fa", "neg.fa"], DataOptions(alphabet="protein"), like=model)
    shuffled = read("pos.fa", DataOptions(negatives="shuffle"), like=model)
    assert (shuffled.labels, shuffled.negatives) == (("neg", "pos"), "shuffle")


def test_one_file_for_a_model_that_knew_shuffles(at):
    model = read("pos.fa")
    (at / "new.fa").write_text(">n\nACGGATTGACCACGT\n")
    data = read("new.fa", like=model)
    assert data.labels == ("shuffled", "pos")
    assert data.targets.ravel().tolist() == [1, 0]


def test_classes_of_a_model(at):
    model = read(["pos.fa", "neg.fa", "third.fa"])
    assert read(["third.fa", "pos.fa"], like=model).targets.ravel().tolist() == [2, 0, 0]
    with pytest.raises(DataError, match="2 files for a model of 3 classes .* don't match"):
        read(["pos.fa", "rna.fa"], like=model)
    with pytest.raises(DataError, match="one file for a multiclass model of pos, neg, third"):
        read("pos.fa", like=model)


def test_a_model_object_serves_as_well_as_a_dataset(at):
    model = SimpleNamespace(
        kind="codes", task=SimpleNamespace(name="binary"), labels=("no", "yes"), alphabet=RNA, negatives=None,
        made=None, encoder=OneHot("rna"), longest=20, columns=(),
    )  # fmt: skip
    data = read(["rna.fa", "pos.fa"], like=model)
    assert data.alphabet is RNA
    assert data.labels == ("no", "yes")
    with pytest.raises(DataError, match="one file of positives for a model trained on classes of its own"):
        read("rna.fa", like=model)
    pictures = Pixels(1, 2, 3, mean=[0], std=[1])
    with pytest.raises(DataError, match="sequences, but the model reads pictures"):
        read("rna.fa", like=SimpleNamespace(**{**vars(model), "kind": "pixels", "encoder": pictures}))


# --- streams for scoring


def test_records_stream_with_ids_order_and_counts(at):
    counts: dict[str, int] = {}
    [(names, codes, places)] = stream_sequences("pos.fa", DNA, counts=counts)
    assert [decode(one, DNA) for one in codes] == ["ACGTTGCAATTACG", "ACGTNNaggCACGATGATT"]
    assert (names, places) == (["a", "b"], [None, None])
    assert [len(names) for names, *_ in stream_sequences("pos.fa", DNA, size=14)] == [1, 1]
    assert counts == {"N": 2, "soft-masked": 3}
    (at / "t.csv").write_text("id,sequence\n001,ACGT\nNA,GG\n")
    assert [names for names, *_ in stream_sequences("t.csv", DNA)] == [["001", "NA"]]
    with pytest.raises(AlphabetError, match="protein.fa, record p.*looks like protein"):
        list(stream_sequences("protein.fa", DNA))
    with pytest.raises(InputFileError, match="is a folder; expected a file of sequences"):
        list(stream_sequences(".", DNA))
    with pytest.raises(DataError, match="x.png is a picture; the model reads dna sequences"):
        list(stream_sequences("x.png", DNA))
    (at / "long.fa").write_text(">a\n" + "ACGT" * 60)
    with pytest.warns(SeqcnnWarning, match="read as protein, but it looks like dna"):
        list(stream_sequences("long.fa", PROTEIN))


def test_unknown_letters_in_a_stream(at):
    (at / "x.fa").write_text(">a\nACGTJACGTACGT\n")
    with pytest.raises(AlphabetError, match="x.fa, record a, position 5: 'J'"):
        list(stream_sequences("x.fa", DNA))
    counts: dict[str, int] = {}
    assert len(list(stream_sequences("x.fa", DNA, "mask", counts=counts))) == 1
    assert counts == {"unknown read as N": 1}


def test_the_alphabet_is_told_without_holding_a_genome():
    taken = 0

    def chromosomes():
        nonlocal taken
        for taken in range(1, 18):
            yield Letters.of([Record(f"chr{taken}", b"ACGTN" * 500_000)])

    alphabet, records = told_alphabet(chromosomes(), "genome.fa")
    assert (alphabet, taken) == (DNA, 2)
    assert [record.id for some in records for record in some] == [f"chr{i}" for i in range(1, 18)]


# --- the samples and the real data


@pytest.mark.parametrize(
    "names,options,task,n,labels",
    [
        (["pos.fa", "neg.fa"], {}, "binary", 300, ("neg", "pos")),
        (["pos.fa.gz", "neg.fa.gz"], {}, "binary", 300, ("neg", "pos")),
        (["reads.fastq"], {}, "binary", 80, ("shuffled", "reads")),
        (["records.gb"], {}, "binary", 8, ("shuffled", "records")),
        (["expression.csv"], {"target": ("expression",), "id": "id"}, "regression", 300, ("expression",)),
        (["sites.tsv"], {}, "multiclass", 240, ("acceptor", "donor", "neither")),
        (["marks.csv"], {"target": ("nuclear", "heat", "stress")}, "multilabel", 240, ("nuclear", "heat", "stress")),
        (["peptides_pos.fa", "peptides_neg.fa"], {}, "binary", 240, ("peptides_neg", "peptides_pos")),
        (["shapes"], {}, "multiclass", 120, ("bar", "cross", "ring")),
    ],
)
def test_the_samples(examples, names, options, task, n, labels):
    if names == ["shapes"]:
        pytest.importorskip("PIL", reason="pillow is an extra")
    data = read([examples / name for name in names], DataOptions(**options))
    assert (data.task, len(data), data.labels) == (task, n, labels)
    assert isinstance(data.raw, Sequences) == (data.kind == "codes")


@pytest.mark.parametrize(
    "names,options,split,task,n,classes",
    [
        (["tf_chip_deepbind_encode/GABPA_GM12878.train.pos.fa.gz"], {}, "random", "binary", 12132, 2),
        (["splice_uci/splice.csv.gz"], {}, "random", "multiclass", 3190, 3),
        (["ecoli_tss_mpra/tss_expression.tsv.gz"], {"target": ("expression",)}, "column:split", "regression", 17667, 1),
        (["amp_amplify/train.amp.fa.gz", "amp_amplify/train.nonamp.fa.gz"], {}, "random", "binary", 6676, 2),
        (["primer_sim_motif/sequences_labels.tsv.gz"], {}, "random", "binary", 2000, 2),
    ],
)  # fmt: skip
def test_real_data(real_data, names, options, split, task, n, classes):
    data = read([real_data / name for name in names], DataOptions(**options), split=split)
    assert (data.task, len(data), len(data.labels)) == (task, n, classes)
