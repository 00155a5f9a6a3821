"""Files to take away, held inside the page."""

from typing import Any, ClassVar

from seqcnn.motifs.found import motif_row
from seqcnn.reporting.files import Held, hold, hold_rows
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section

MOST_ROWS = 20_000
SITE_COLUMNS = ("motif", "id", "start", "end", "strand", "sequence", "activation")
MATCH_COLUMNS = ("motif", "accession", "name", "family", "pvalue", "qvalue", "offset", "orientation", "significant")


class Downloads(Section):
    """Suits every task."""

    name: ClassVar[str] = "downloads"
    group: ClassVar[str] = "Downloads"

    def content(self, material: Material) -> dict[str, Any]:
        """Return the files: name, what is in it, size and data URI."""
        files: list[Held] = []
        if material.motifs is not None and material.motifs.motifs:
            files += motif_files(material)
        if material.has_records:
            files.append(prediction_file(material))
        if not files:
            absent = "no motifs and no predictions" if material.kind == "codes" else "no predictions for single records"
            return {"missing": f"There is nothing to download: {absent}."}
        return {"files": files}


def motif_files(material: Material) -> list[Held]:
    """Return the motifs as MEME and TSV, their matches and their sites."""
    found = material.motifs
    if found is None:
        return []
    rows = [motif_row(m) for m in found.motifs]
    matches = [
        (m.name, t.accession, t.name, t.family, t.pvalue, t.qvalue, t.offset, "-" if t.reverse else "+", t.significant)
        for m in found.motifs
        for t in m.matches
    ]
    sites = [(m.name, s.id, s.start, s.end, s.strand, s.sequence, s.activation) for m in found.motifs for s in m.sites]
    return [
        hold("motifs.meme", found.to_meme(), "The matrices, most important first, for the MEME suite and its kin."),
        hold_rows(
            "motifs.tsv",
            tuple(rows[0]),
            [tuple(r.values()) for r in rows],
            "One line a motif: consensus, shares, importance, best match.",
        ),
        hold_rows(
            "matches.tsv",
            MATCH_COLUMNS,
            matches,
            "The best matches of each motif in the database, up to ten, significant or not.",
        ),
        hold_rows(
            "sites.tsv",
            SITE_COLUMNS,
            sites,
            "The sites each matrix was counted from; 0-based, half-open.",
            most=MOST_ROWS,
        ),
    ]


def prediction_file(material: Material) -> Held:
    """Return truth and prediction of each evaluated record."""
    e = material.evaluation
    labels = ("truth",) if material.truth.shape[1] == 1 else tuple(f"truth_{t}" for t in material.targets)
    columns = ("id", *labels, *material.model.task.columns)
    ids = (
        e.ids
        if e is not None and len(e.ids) == len(material.truth)
        else tuple(map(str, range(1, len(material.truth) + 1)))
    )
    rows = [
        (i, *(material.classes[int(v)] if material.classes and v == v else v for v in t), *s)
        for i, t, s in zip(ids, material.truth.tolist(), material.scores.tolist(), strict=True)
    ]
    kind = "out-of-fold predictions" if material.out_of_fold else "predictions"
    return hold_rows(
        "predictions.tsv", columns, rows, f"Truth and {kind} of the records the figures rest on.", most=MOST_ROWS
    )
