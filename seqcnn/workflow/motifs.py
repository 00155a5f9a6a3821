"""The verb motifs: a model and data in; motifs, sites, matches and logos out."""

import os
from pathlib import Path

from seqcnn.data.dataset import Dataset
from seqcnn.io.meme import write_meme
from seqcnn.io.tsv import tsv_rows
from seqcnn.io.writing import atomic_folder
from seqcnn.model.model import Model
from seqcnn.motifs.find import find_motifs
from seqcnn.motifs.found import MotifSet, motif_row
from seqcnn.options import MotifOptions
from seqcnn.plot.logo import logo_svg

SITE_COLUMNS = ("motif", "id", "start", "end", "strand", "sequence", "activation")
MATCH_COLUMNS = (
    "motif", "rank", "target", "accession", "family", "class", "taxon", "pvalue", "qvalue", "null", "significant",
    "offset", "overlap", "orientation",
)  # fmt: skip
ROW_COLUMNS = (
    "motif", "consensus", "width", "information", "nsites", "importance", "importance_low", "importance_high",
    "significant", "folds_found", "folds",
)  # fmt: skip


def motifs(
    model: Model, data: Dataset, folder: str | os.PathLike[str] | None = None, *, options: MotifOptions | None = None
) -> MotifSet:
    """Return the motifs of a model, most important first; write them if a folder is given.

    Parameters
    ----------
    model
        Of sequences, with a network that has first-layer filters.
    data
        Records with targets.
    folder
        See `write`.
    options
        Threshold, database, taxon, q-value, device, seed.

    Raises
    ------
    DataError
        If the model has no motifs to find, or the data no targets.
    """
    found = find_motifs(model, data, options=options)
    if folder is not None:
        write(found, folder)
    return found


def write(found: MotifSet, folder: str | os.PathLike[str]) -> None:
    """Write motifs.meme, motifs.tsv, matches.tsv, sites.tsv and logos/*.svg into a folder, all or nothing.

    Where no motif was found, the tables hold their header only and there is no motifs.meme. Starts are 0-based, ends
    exclusive; the activation of a site is a share of its filter's maximum.

    Raises
    ------
    OutputFileError
        If the folder cannot be made or written.
    """
    ours = ("motifs.meme", "motifs.tsv", "matches.tsv", "sites.tsv", "logos/*.svg")
    logos = {m.name: logo_svg(m.motif) for m in found}  # before, so that the folder is not half-written for long
    with atomic_folder(Path(folder), ours=ours) as place:
        (place / "logos").mkdir()
        if len(found):
            write_meme(place / "motifs.meme", [m.motif for m in found], found.background)
        rows = [motif_row(m) for m in found]
        with tsv_rows(place / "motifs.tsv", list(rows[0]) if rows else list(ROW_COLUMNS)) as add:
            add([tuple(row.values()) for row in rows])
        with tsv_rows(place / "matches.tsv", MATCH_COLUMNS) as add:
            for m in found:
                add(
                    (
                        m.name, rank, x.name, x.accession, x.target.family, x.target.tf_class, x.target.taxon, x.pvalue,
                        x.qvalue, x.null, x.significant, x.offset, x.overlap, "-" if x.reverse else "+",
                    )
                    for rank, x in enumerate(m.matches, 1)
                )  # fmt: skip
        with tsv_rows(place / "sites.tsv", SITE_COLUMNS) as add:
            for m in found:
                add((m.name, s.id, s.start, s.end, s.strand, s.sequence, s.activation) for s in m.sites)
        for name, logo in logos.items():
            (place / "logos" / f"{name}.svg").write_text(logo, "utf-8")
