"""Options of checking data."""

from dataclasses import dataclass

from seqcnn.checks import one_of, whole, within
from seqcnn.errors import OptionError
from seqcnn.options.field import opt
from seqcnn.registry import names


@dataclass(frozen=True)
class CheckOptions:
    """What is looked at before any training."""

    split: str = opt("random", "column:NAME or chromosome:A,B: the parts that records may recur across")
    valid: tuple[str, ...] = opt((), "validation data to look for records of, in DATA; repeatable", metavar="FILE")
    test: tuple[str, ...] = opt((), "test data to look for records of, in DATA; repeatable", metavar="FILE")
    identity: float = opt(0.8, "share of equal letters in an alignment from which records are relatives")
    coverage: float = opt(0.8, "share of the shorter record that such an alignment spans")
    skip: tuple[str, ...] = opt(
        (),
        "a check to leave out: reading, classes, duplicates, relatives, pictures, shortcuts or mislabelled; repeatable",
        metavar="CHECK",
    )
    sample: int = opt(10_000, "records that the search for wrong labels looks at, drawn at random from more")

    def __post_init__(self) -> None:
        rule, _, value = self.split.partition(":")
        if self.split != "random" and not (rule in ("column", "chromosome") and value):
            raise OptionError(f"--split: expected random, column:NAME or chromosome:A,B, found {self.split!r}")
        within(self.identity, "--identity", 0.5, 1.0)
        within(self.coverage, "--coverage", 0.1, 1.0)
        for name in self.skip:
            one_of(name, names("check"), "--skip")
        whole(self.sample, "--sample", 100)
