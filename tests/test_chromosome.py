"""Tests of chromosome names: styles that are the same, and names that only look so."""

import pytest

from seqcnn.chromosome import canonical, matched


@pytest.mark.parametrize(
    "names",
    [
        ("chr1", "1", "Chr1", "CHR1", "NC_000001.10", "NC_000001.11", "NC_000067.7", "chromosome1"),
        ("chr22", "22", "NC_000022.11"),
        ("chrX", "X", "x", "NC_000023.11", "NC_000086.8"),
        ("chrM", "MT", "M", "MtDNA", "chrMT", "NC_012920.1", "NC_005089.1"),
        ("chrIV", "IV", "iv"),
        ("chr2L", "2L"),
    ],
)
def test_styles_of_one_chromosome(names):
    assert len({canonical(name) for name in names}) == 1


def test_other_names_stay_apart():
    names = ["1", "11", "chr1_random", "NC_000913.3", "U00096.3", "X", "Y", "chr", "2L", "2R", "scaffold_1"]
    assert len({canonical(name) for name in names}) == len(names)


def test_a_name_as_it_stands_comes_first_and_what_is_ambiguous_is_left_out():
    assert matched(["chr1", "1"], ["1", "chr1"]) == {"chr1": "chr1", "1": "1"}
    assert matched(["Chr1"], ["1", "chr1"]) == {}
    assert matched(["chr1", "chr1", "chrUn"], ["NC_000001.11"]) == {"chr1": "NC_000001.11"}
