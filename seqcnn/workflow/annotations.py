"""Annotations of variants: their effects as INFO of a VCF, or as rows of a table."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.inference.effects import Effect
from seqcnn.io.opening import STDIN
from seqcnn.io.tsv import tsv_rows
from seqcnn.io.vcf import Header, vcf_lines, with_info
from seqcnn.runtime import versions
from seqcnn.workflow.alleles import SKIPPED, Chunk

#: What our INFO fields begin with.
PREFIX = "SEQCNN_"
#: Columns of a table before the scores.
_PLACE = ("chrom", "pos", "id", "ref", "alt", "kind", "status")
#: Reference scores, alternative scores, effects: of the alleles that are scored, in order, each (n, columns).
Scores = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]
Write = Callable[[Chunk, Scores], None]


@dataclass(frozen=True)
class Annotations:
    """How effects are written.

    Parameters
    ----------
    columns
        Names of the outputs compared.
    effect
        What was computed of them.
    numeric
        Whether the outputs are numbers, not probabilities of classes.
    phased
        Whether the number of neighbors is written.
    """

    columns: tuple[str, ...]
    effect: Effect
    numeric: bool
    phased: bool = False

    @property
    def unit(self) -> str:
        """What the scores are."""
        return "logit" if self.effect == "logit" else "prediction" if self.numeric else "probability"

    @property
    def meaning(self) -> str:
        """What an effect is, in words."""
        if self.effect == "log2fold":
            return f"log2 of the {self.unit} of the alternative over that of the reference allele"
        return f"{self.unit} of the alternative minus that of the reference allele"

    @contextmanager
    def writer(self, output: str, header: Header, contigs: Mapping[str, int], command: str = "") -> Iterator[Write]:
        """Yield the function that writes a chunk of records with the scores of their alleles.

        Parameters
        ----------
        output
            File, whose suffix tells what is written; ``-`` for a table on standard output.
        header
            Of the VCF that was read.
        contigs
            Lengths of the chromosomes, for a header that has none.
        command
            For the header.
        """
        if output == STDIN or output.lower().endswith(".tsv"):
            with tsv_rows(output, self.table_columns) as write_rows:
                yield lambda chunk, scores: write_rows(self.rows(chunk, scores))
            return
        added = self.declarations()
        if not header.declares("contig"):
            added += [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
        if command:
            added += [f"##seqcnnVersion={versions().get('seqcnn', '')}", f"##seqcnnCommand={' '.join(command.split())}"]
        drop = PREFIX.encode() if header.declares("INFO", PREFIX) else b""
        with vcf_lines(output, header.extended(added)) as write_lines:
            yield lambda chunk, scores: write_lines(self.lines(chunk, scores, drop=drop))

    @property
    def table_columns(self) -> list[str]:
        """Columns of a table."""
        parts = ("ref_score", "alt_score", "effect")
        single = len(self.columns) == 1
        scores = [part if single else f"{part}_{name}" for part in parts for name in self.columns]
        return [*_PLACE, *(("neighbors",) if self.phased else ()), *scores]

    @property
    def keys(self) -> list[str]:
        """What stands behind our INFO names for each output: letters that VCF allows, no two alike.

        >>> Annotations(("EI", "donor site", "donor-site"), "logit", False).keys
        ['_EI', '_donor_site', '_donor_site_3']
        """
        if len(self.columns) == 1:
            return [""]
        keys: list[str] = []
        for number, column in enumerate(self.columns, 1):
            key = "_" + "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in column)
            keys.append(f"{key}_{number}" if key in keys else key)
        return keys

    def declarations(self) -> list[str]:
        """Return the lines of a header that declare our INFO fields."""
        lines = []
        for part, text in (
            ("EFFECT", self.meaning),
            ("REF", f"{self.unit} of the reference allele's window"),
            ("ALT", f"{self.unit} of the alternative allele's window"),
        ):
            for key, column in zip(self.keys, self.columns, strict=True):
                of = "" if not key else " for " + column.replace("\\", " ").replace('"', "'")
                lines.append(_declared(part + key, "Float", text + of))
        why = "; ".join(f"{name}: {text}" for name, text in SKIPPED.items() if name != "no_alt")
        edge = "padded (scored, a window reaches over the edge of the chromosome)"
        lines.append(_declared("STATUS", "String", f"scored, {edge}, or why not: {why}"))
        if self.phased:
            lines.append(_declared("NEIGHBORS", "Integer", "variants of the same haplotype applied with the allele"))
        return lines

    def rows(self, chunk: Chunk, scores: Scores) -> Iterator[list[Any]]:
        """Yield the rows of a table: one an allele."""
        numbers, nothing = _numbers(scores), [""] * (3 * len(self.columns))
        for record, alleles in chunk.records:
            position, name, ref, alts = (cell.decode("utf-8", "replace") for cell in record.cells[1:5])
            for allele, alt in zip(alleles, alts.split(","), strict=True):
                kind = "" if allele.variant is None else allele.variant.kind
                row = [record.chromosome, position, name, ref, alt, kind, allele.status]
                if self.phased:
                    row.append("" if allele.variant is None else str(allele.neighbors))
                yield row + (nothing if allele.variant is None else next(numbers))

    def lines(self, chunk: Chunk, scores: Scores, *, drop: bytes = b"") -> Iterator[bytes]:
        """Yield the lines of a VCF; values whose names begin with `drop` go."""
        numbers, nothing = _numbers(scores), ["."] * (3 * len(self.columns))
        parts = [f"{PREFIX}{part}{key}=" for part in ("REF", "ALT", "EFFECT") for key in self.keys]
        effects_first = [*range(2 * len(self.columns), len(parts)), *range(2 * len(self.columns))]
        for record, alleles in chunk.records:
            values: list[str] = []
            if any(allele.variant is not None for allele in alleles):
                rows = [nothing if allele.variant is None else next(numbers) for allele in alleles]
                values = [parts[i] + ",".join([row[i] or "." for row in rows]) for i in effects_first]
                if self.phased:
                    said = ("." if allele.variant is None else str(allele.neighbors) for allele in alleles)
                    values.append(f"{PREFIX}NEIGHBORS=" + ",".join(said))
            if record.alts and any(allele.status != "scored" for allele in alleles):
                values.append(f"{PREFIX}STATUS=" + ",".join(allele.status for allele in alleles))
            yield with_info(record, values, drop=drop)


def _declared(name: str, kind: str, text: str) -> str:
    """Return the line that declares an INFO field with a value an allele."""
    return f'##INFO=<ID={PREFIX}{name},Number=A,Type={kind},Description="seqcnn: {text}">'


def _numbers(scores: Scores) -> Iterator[list[str]]:
    """Yield the scores of each allele as text: reference, alternative, effect, of each output; empty for NaN."""
    for row in np.concatenate(scores, 1).tolist():
        yield [f"{value:.7g}" if value == value else "" for value in row]
