"""The bundled JASPAR CORE collection, release 2026 (CC BY 4.0; see jaspar2026.NOTICE beside this file)."""

import csv
import gzip
import io
from dataclasses import replace
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Final

from seqcnn.checks import one_of
from seqcnn.io.meme import read_meme
from seqcnn.motif import Motif

RELEASE: Final = "JASPAR CORE 2026"
TAXA: Final = ("vertebrates", "plants", "insects", "fungi", "nematodes", "urochordates", "diatoms")


@lru_cache(maxsize=1)
def _all() -> tuple[Motif, ...]:
    """Read the package data once."""
    folder = files("seqcnn.motifs")
    with gzip.open(io.BytesIO(folder.joinpath("jaspar2026.tsv.gz").read_bytes()), "rt", encoding="utf-8") as stream:
        facts = {row["accession"]: row for row in csv.DictReader(stream, delimiter="\t")}
    with as_file(folder.joinpath("jaspar2026.meme.gz")) as path:
        motifs = read_meme(path)
    return tuple(
        replace(m, family=facts[m.name]["family"], tf_class=facts[m.name]["class"], taxon=facts[m.name]["taxon"])
        for m in motifs
    )


def jaspar(taxon: str | None = None) -> tuple[Motif, ...]:
    """Return the latest version of each JASPAR CORE matrix, with TF family, class and taxonomic group.

    Parameters
    ----------
    taxon
        Keep one taxonomic group: vertebrates, plants, insects, fungi, nematodes, urochordates or diatoms.

    Raises
    ------
    OptionError
        If there is no such group.

    Examples
    --------
    >>> ctcf = next(m for m in jaspar("vertebrates") if m.alt == "CTCF")
    >>> ctcf.name, len(jaspar())
    ('MA0139.2', 2633)
    """
    if taxon is None:
        return _all()
    one_of(taxon, TAXA, "--taxon")
    return tuple(m for m in _all() if m.taxon == taxon)
