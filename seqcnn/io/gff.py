"""Features of genomes in GFF3 and GTF files, by type."""

import re
from pathlib import Path
from urllib.parse import unquote

from seqcnn.errors import FormatError
from seqcnn.interval import FARTHEST, Intervals
from seqcnn.io.features import Feature, chosen
from seqcnn.io.opening import open_bytes, shown

SUFFIXES = (".gff", ".gff3", ".gtf")
_STRANDS = {"+": 1, "-": -1, ".": 0, "?": 0}
#: Attributes that name a feature, the first that is there; of GFF3 and of GTF.
_NAME = re.compile(r'(?:^|;)\s*(Name|ID|locus_tag|gene_name|gene_id|transcript_id)[= ]"?([^";]+)"?')
_RANK = ("ID", "gene_id", "transcript_id", "locus_tag", "Name", "gene_name")


def is_gff(path: str | Path) -> bool:
    """Return whether a file name says GFF or GTF.

    >>> is_gff("genes.gtf.gz"), is_gff("genes.bed")
    (True, False)
    """
    return str(path).lower().removesuffix(".gz").endswith(SUFFIXES)


def read_gff(path: str | Path, feature: str) -> Intervals:
    r"""Return the features of one type, or of several between commas, in a GFF3 or GTF file.

    A FASTA section at the end is passed over.

    Parameters
    ----------
    path
        The file.
    feature
        What stands in the third column (gene, CDS, exon, ...), or ``promoter``: see `seqcnn.io.features.chosen`.

    Raises
    ------
    FormatError
        Naming file and line.
    DataError
        If there is no such feature; the message lists those there are.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.gff"
    >>> _ = path.write_text("chr1\t.\tgene\t11\t20\t.\t-\t.\tID=g1\n")
    >>> genes = read_gff(path, "promoter")
    >>> genes.starts.tolist(), genes.ends.tolist(), genes.summits.tolist(), genes.names
    ([10], [20], [19], ('g1',))
    """
    name = shown(path)
    features: list[Feature] = []
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if text.startswith(("##FASTA", ">")):
                break
            if not text.strip() or text.startswith("#"):
                continue
            cells = text.split("\t")
            if len(cells) < 8:
                raise FormatError(f"{name}, line {number}: expected 9 columns between tabs, found {len(cells)}")
            try:
                start, end = int(cells[3]), int(cells[4])
            except ValueError:
                found = f"{cells[3]!r} and {cells[4]!r}"
                raise FormatError(
                    f"{name}, line {number}: expected whole numbers as start and end, found {found}"
                ) from None
            if not 1 <= start <= end < FARTHEST:
                raise FormatError(
                    f"{name}, line {number}: start {start} and end {end}; GFF counts from 1, the end included"
                )
            strand = _STRANDS.get(cells[6])
            if strand is None:
                raise FormatError(f"{name}, line {number}, column 7: expected a strand, + - or ., found {cells[6]!r}")
            called = _called(cells[8]) if len(cells) > 8 else ""
            features.append(Feature(cells[2], unquote(cells[0]), start - 1, end, strand, called, line=number))
    return chosen(features, feature, name)[0]


def _called(attributes: str) -> str:
    """Return what a feature is called; empty where it has no name."""
    known = dict(reversed(_NAME.findall(attributes)))
    return next((unquote(known[key]) for key in _RANK if key in known), "")
