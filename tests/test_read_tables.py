"""Tests of reading tables as Datasets: tasks told from targets, columns, joined targets, and every refusal."""

import numpy as np
import pytest

from seqcnn.alphabet import DNA
from seqcnn.data.sources.targets import read_targets
from seqcnn.errors import AlphabetError, DataError, FormatError, OptionError
from seqcnn.options import DataOptions
from seqcnn.sequence import decode
from seqcnn.workflow.read import read

FILES = {
    "pos.fa": ">a\nACGTTGCAATTACG\n>b\nACGTNNaggCACGATGATT\n",
    "neg.fa": ">c\nACGTTGCAGT\n>d\nAAATTAGGC\n>e\nTTT\n",
    "rna.fa": ">r\nACGUUUGCA\n",
    "joined.tsv": "id\ty\tpart\na\t1.5\ttrain\nc\t\ttest\nzz\t9.5\ttest\n",
}


@pytest.fixture
def at(tmp_path, monkeypatch):
    """A folder of small files to stand in."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(text, name="t.csv"):
    with open(name, "w", encoding="utf-8") as stream:
        stream.write(text)
    return name


def letters(data):
    return [decode(codes, data.alphabet) for codes in data.raw]


@pytest.mark.parametrize(
    "cells,options,task,labels,values",
    [
        (["1", "0", "1"], {}, "binary", ("0", "1"), [1, 0, 1]),
        (["1.0", "0", "1"], {}, "binary", ("0", "1"), [1, 0, 1]),
        (["yes", "no", "NA"], {}, "binary", ("no", "yes"), [1, 0, np.nan]),
        (["True", "False", "True"], {}, "binary", ("False", "True"), [1, 0, 1]),
        (["b", "a", "b"], {"positive": "a"}, "binary", ("b", "a"), [0, 1, 0]),
        (["-1", "1", "1"], {}, "binary", ("-1", "1"), [0, 1, 1]),
        (["2", "3", "3"], {"positive": "3.0"}, "binary", ("2", "3"), [0, 1, 1]),
        (["x", "z", "y"], {}, "multiclass", ("x", "y", "z"), [0, 2, 1]),
        (["10", "9", "2"], {}, "multiclass", ("2", "9", "10"), [2, 1, 0]),
        (["none", "er", "golgi"], {}, "multiclass", ("er", "golgi", "none"), [2, 0, 1]),
        (["10", "9", "2.5"], {}, "regression", ("y",), [10, 9, 2.5]),
        ([str(i) for i in range(21)], {}, "regression", ("y",), list(range(21))),
        (["1e-3", "NA", "-4", "", "0.5"], {}, "regression", ("y",), [1e-3, np.nan, -4, np.nan, 0.5]),
        (["1", "0", "1"], {"task": "regression"}, "regression", ("y",), [1, 0, 1]),
        (["1", "0", ""], {"task": "multilabel"}, "multilabel", ("y",), [1, 0, np.nan]),
        (["1", "0", "1"], {"task": "multiclass"}, "multiclass", ("0", "1"), [1, 0, 1]),
    ],
)
def test_the_task_is_told_from_the_targets(cells, options, task, labels, values):
    found = read_targets({"y": cells}, range(1, len(cells) + 1), "t.csv", **options)
    assert (found.task, found.labels) == (task, labels)
    np.testing.assert_array_equal(found.values, np.array(values, float)[:, None])


def test_several_targets():
    both = {"a": ["1", "0", "nan"], "b": ["0", "1", "1"]}
    found = read_targets(both, [1, 2, 3], "t.csv")
    assert (found.task, found.labels) == ("multilabel", ("a", "b"))
    np.testing.assert_array_equal(found.values, [[1, 0], [0, 1], [np.nan, 1]])
    assert read_targets({**both, "c": ["0.5", "1", "1"]}, [1, 2, 3], "t.csv").task == "regression"
    assert read_targets(both, [1, 2, 3], "t.csv", task="regression").task == "regression"


@pytest.mark.parametrize(
    "columns,options,error,words",
    [
        ({"y": ["0.5", "abc", *"123456"]}, {}, DataError, "t.csv, row 12, column 'y': 'abc' is not a number, as 7"),
        ({"y": ["0.5", "abc"]}, {"task": "regression"}, DataError, "row 12, column 'y': 'abc' is not a number"),
        ({"y": ["0.5", "inf", "7"]}, {}, DataError, "row 12, column 'y': 'inf' is infinite"),
        ({"y": ["1", "inf"]}, {"task": "binary"}, DataError, "row 12, column 'y': 'inf' is infinite"),
        ({"a": ["1", "0"], "b": ["0", "x"]}, {}, DataError, "row 12, column 'b': 'x' is not a number"),
        ({"a": ["1", "0"], "b": ["0", "2"]}, {"task": "multilabel"}, DataError, "column 'b': '2' is neither 0 nor 1"),
        ({"y": ["NA", ""]}, {}, DataError, "column 'y': every value is missing"),
        ({"y": ["NA", ""]}, {"task": "regression"}, DataError, "column 'y': every value is missing"),
        ({"y": ["0.5", "NaN", "7"]}, {}, DataError, "row 12, column 'y': 'NaN' is not a number; .* or an empty cell"),
        ({"y": ["0.5", "nan"]}, {"task": "regression"}, DataError, "row 12, column 'y': 'nan' is not a number"),
        ({"y": ["0", "nan", "1"]}, {}, DataError, "row 12, column 'y': 'nan' is not a number"),
        ({"y": ["a", "a"]}, {}, DataError, "one class only, 'a'"),
        ({"y": ["1", "1"]}, {"task": "binary"}, DataError, "one class only, '1'"),
        ({"y": ["a", "b"]}, {}, OptionError, "holds 'a' and 'b'; say which is positive with --positive"),
        ({"y": ["a", "b"]}, {"positive": "c"}, OptionError, "--positive c: .* holds 'a' and 'b'"),
        ({"y": ["a", "b", "c"]}, {"positive": "c"}, OptionError, "has 3 classes, not two"),
        ({"y": ["a", "b", "c"]}, {"task": "binary"}, DataError, r"3 classes \(a, b, c\); binary needs two"),
        ({"y": ["0.1", "7", "3"]}, {"positive": "7"}, OptionError, "--positive: belongs to two classes"),
        ({"a": ["1", "0"], "b": ["0", "1"]}, {"task": "binary"}, OptionError, "expected one --target column, found 2"),
        ({"y": [f"name{i}" for i in range(40)]}, {}, DataError, "40 different texts in 40 rows are neither"),
    ],
)
def test_targets_that_cannot_be_used(columns, options, error, words):
    n = len(next(iter(columns.values())))
    with pytest.raises(error, match=words):
        read_targets(columns, range(11, 11 + n), "t.csv", **options)


def test_cells_of_wrapped_sequences_and_empty_columns_without_a_name(at):
    data = read(table('seq,y,,\n"ACG\nT  A",yes,,\nGG,no,,\n', "t.csv"))
    assert letters(data) == ["ACGTA", "GG"]
    with pytest.raises(FormatError, match="column '' occurs twice"):
        read(table("seq\ty\t\t\nACG\tyes\t1\t2\n"))


def test_a_table_of_sequences(at):
    text = "name,seq,y,part,lab\n001,ACGT,0.5,train,x\nNA,GGNR,,test,x\n,TTacgT,7,dev,x\nb,TTT,8,val,z\n"
    options = DataOptions(target=("y",), id="name", where=("lab=x",), task="regression")
    data = read(table(text), options, split="column:part")
    assert (data.task, data.labels, data.alphabet) == ("regression", ("y",), DNA)
    assert data.ids == ("001", "3")
    assert letters(data) == ["ACGT", "TTacgT"]
    assert data.targets.ravel().tolist() == [0.5, 7]
    assert data.parts.tolist() == ["train", "valid"]
    assert data.summary.dropped == {"rows without target": 1}
    assert "3 of 4 rows kept by --where" in data.summary.notes
    assert data.take([1]).parts.tolist() == ["valid"]


def test_ids_are_row_numbers_and_the_target_is_found_by_name(at):
    data = read(table("Sequence\tLabel\nACGT\t1\nGG\t0\n", "t.tsv"))
    assert data.ids == ("1", "2")
    assert data.labels == ("0", "1")


def test_fasta_under_a_table_s_name(at):
    assert read(table(FILES["pos.fa"], "x.csv")).labels == ("shuffled", "x")


@pytest.mark.parametrize(
    "text,options,error,words",
    [
        ("seqence,y\nACGT,1\n", {}, FormatError, "no column 'sequence' or 'seq'; name it with --sequence"),
        ("sequence,z\nACGT,1\n", {}, DataError, "which column is the target\\? name it with --target; .* sequence, z"),
        ("sequence,z\nACGT,1\n", {"target": ("zz",)}, FormatError, r"no column 'zz' \(--target\).*did you mean 'z'"),
        ("sequence,y\nA,1\nC,0\n", {"target": ("y", "y")}, OptionError, "names a column twice"),
        ("sequence,y\nACGT,1\n,0\n", {}, FormatError, "row 2: no sequence"),
        ("sequence,y\nACGTACGT,1\nACGTJACG,0\n", {}, AlphabetError, "t.csv, row 2, position 5: 'J' is not a letter"),
        (
            "sequence,y\nA,1\nC,0\n",
            {"where": ("y=7",)},
            DataError,
            "no row with --where y=7; the column holds '1', '0'",
        ),
        ("sequence,y\nA,1\nC,0\n", {"where": ("y=1", "sequence=C")}, DataError, "no row satisfies all of --where"),
        ("sequence,y\nA,1\nC,0\n", {"where": ("x=7",)}, FormatError, r"no column 'x' \(--where\)"),
        ("sequence,y\nA,1\nC,0\n", {"id": "name"}, FormatError, r"no column 'name' \(--id\)"),
        ("sequence,y\nA,1\nC,0\n", {"targets": "joined.tsv"}, OptionError, "--targets: joins a table to FASTA"),
        ("sequence,y\nA,1\nC,0\n", {"negatives": "neg.fa"}, OptionError, "--negatives: belongs to one FASTA"),
        ("sequence,y\nA,1\nC,0\n", {"sequence": "sequence", "image": "y"}, OptionError, "pass one of the two"),
    ],
)
def test_tables_that_cannot_be_used(at, text, options, error, words):
    with pytest.raises(error, match=words):
        read(table(text), DataOptions(**options))


def test_split_columns_that_cannot_be_used(at):
    table("sequence,y,part\nA,1,train\nC,0,later\n")
    with pytest.raises(DataError, match="row 2, column 'part': 'later' is no part; expected train, valid"):
        read("t.csv", split="column:part")
    with pytest.raises(FormatError, match=r"no column 'prt' \(--split\).*did you mean 'part'"):
        read("t.csv", split="column:prt")
    with pytest.raises(OptionError, match="--split column:part: belongs to a table"):
        read("pos.fa", split="column:part")
    with pytest.raises(DataError, match="2 tables: expected one"):
        read(["t.csv", table("x", "u.csv")])


def test_a_table_for_a_model(at):
    model = read(table("sequence,y\nACGT,active\nAC,inactive\n"))
    one = read(table("sequence,y\nGGT,active\n"), like=model)
    assert (one.labels, one.targets.tolist()) == (("inactive", "active"), [[1]])
    with pytest.raises(DataError, match=r"row 1, column 'y': 'actve' is no class of the model; .*mean 'active'"):
        read(table("sequence,y\nGGT,actve\n"), like=model)
    with pytest.raises(OptionError, match="--task regression: the model's task is binary"):
        read("t.csv", DataOptions(task="regression"), like=model)
    numbers = read(table("sequence,a,b\nACGT,1,0.5\nAC,2,3\n"), DataOptions(target=("b", "a")))
    again = read("t.csv", like=numbers)
    np.testing.assert_array_equal(again.targets, [[0.5, 1], [3, 2]])
    with pytest.raises(DataError, match="1 target columns for a model of 2"):
        read("t.csv", DataOptions(target=("a",)), like=numbers)


def test_targets_are_joined_by_id(at):
    data = read(
        ["pos.fa", "neg.fa"], DataOptions(targets="joined.tsv", target=("y",), task="regression"), split="column:part"
    )
    assert (data.ids, data.task, data.targets.tolist(), data.parts.tolist()) == (
        ("a",),
        "regression",
        [[1.5]],
        ["train"],
    )
    assert data.summary.dropped == {"records without a row": 3, "records without a target": 1}
    assert "rows of joined.tsv that belong to no record: 1" in data.summary.notes
    with pytest.raises(DataError, match="no record's id is in column 'id'; the records are called 'r'"):
        read("rna.fa", DataOptions(targets="joined.tsv", task="regression"))
    with pytest.raises(DataError, match="row 2, column 'id': id 'a' occurs twice"):
        read("pos.fa", DataOptions(targets=table("id,y\na,1\na,2\n")))
    with pytest.raises(DataError, match=r"FASTA alone has no targets, the model's task is regression \(y\)"):
        read(["pos.fa", "neg.fa"], like=data)


def test_a_column_called_id_names_the_records(at):
    data = read(table("id,seq,y\np1,ACGT,1.5\n,ACGA,2.5\np3,AAGT,0.25\n"))
    assert data.ids == ("p1", "2", "p3")
