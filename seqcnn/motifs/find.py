"""From a trained model to its motifs: sites, matrices, clusters, importance, matches."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.data.dataset import Dataset, check_dataset
from seqcnn.errors import DataError
from seqcnn.model.evaluation import Evaluation, evaluate
from seqcnn.model.model import Model
from seqcnn.motif import Motif, from_counts
from seqcnn.motifs.activations import KEPT_SITES, FirstLayer, strongest_sites
from seqcnn.motifs.background import letter_frequencies
from seqcnn.motifs.cluster import Cluster, clusters
from seqcnn.motifs.compare import NULL_LEVEL, SHUFFLES, Database, Match, compare, open_database
from seqcnn.motifs.found import FoundMotif, MotifSet, Sites
from seqcnn.motifs.importance import GLANCED, WEIGHED, sample, weigh
from seqcnn.motifs.stability import LEVEL, found_in
from seqcnn.options import MotifOptions
from seqcnn.sequence import Sequences

#: Most motifs listed; the rest, less important, is counted.
LISTED: Final = 30
#: A figure is beyond chance if it is more than so many standard errors away: a bar for all motifs at once.
BEYOND: Final = 3.0
#: A motif that fewer of the records hold, in every class, is no finding.
SELDOM: Final = 0.01
#: Fewest weighed records that must hold a motif for it to be significant: below, it is the filter's hum that counts.
FEW: Final = 10
#: On records that were trained on, a motif worth less than this share of the most important one may be memory.
MEMORY: Final = 0.01

#: What "found in k of N folds" means.
STABLE: Final = (
    "A motif is found in a fold of the cross-validation if TOMTOM matches it, on either strand, with one that the "
    f"fold's own model learned: p-value times their number at most {LEVEL:g}, and at most {NULL_LEVEL:.0%} of its "
    f"{SHUFFLES} column shuffles match as well. With shuffled labels that happens in fewer than one of ten folds."
)


def find_motifs(
    model: Model, data: Dataset, *, options: MotifOptions | None = None, evaluation: Evaluation | None = None
) -> MotifSet:
    """Return the motifs that the first layer of a model has learned, most important first.

    One pass over the data keeps the strongest sites of each filter (one a record, both strands if the model reads
    both). A site counts if its activation is above ``options.threshold`` of the filter's maximum; sites are aligned on
    the filter's window and counted with flanks, so that half a motif in the filter still gives the whole one. Filters
    that hold the same motif, on either strand, are merged and silenced together, which means that they output their
    mean activation: the importance, on held-out records where there are enough, is the mean of what the loss rises
    without them and of what it falls with them alone (`seqcnn.motifs.importance.weigh`). Where the model was
    cross-validated, each motif says how many folds found it too.

    Parameters
    ----------
    model
        Of sequences, with a network that has first-layer filters.
    data
        Records with targets, of the model's alphabet.
    options
        Threshold, database, q-value, device, seed.
    evaluation
        Figures that say whether the model learned anything; by default those stored with the model.

    Raises
    ------
    DataError
        If the model has no motifs to find (pictures, baselines) or the data no targets.
    """
    options = MotifOptions() if options is None else options
    check_dataset(data, "find_motifs")
    layer = FirstLayer.of(model, options.device)
    if not isinstance(data.raw, Sequences) or model.alphabet is None:
        raise DataError("motifs are found in sequences; the data are pictures")
    alphabet, raw = model.alphabet, data.raw
    model.check_lengths(raw)
    database = _database(options, alphabet)  # first, so that a wrong file or taxon is said before the work
    background = letter_frequencies(raw, alphabet, both=layer.both)
    strongest = strongest_sites(layer, raw, np.arange(len(raw)))
    groups, dead, flat = clusters(
        strongest, raw, alphabet, background=background, threshold=options.threshold, both=layer.both
    )
    learned = has_learned(model, data, evaluation)
    cutoff = options.threshold * strongest.maximum.astype(np.float64)
    total = len(groups)
    for size in (GLANCED, WEIGHED):  # a glance at all of them, then the best in earnest
        chosen = sample(model, data, seed=options.seed, size=size)
        sets = [group.filters for group in groups]
        weights = weigh(layer, model, raw, chosen=chosen, motifs=sets, mean=strongest.mean, cutoff=cutoff)
        order = np.argsort(-weights.importance, kind="stable")
        if size == GLANCED:
            groups = [groups[i] for i in order[:LISTED]]
    motifs = [_motif(groups[i], alphabet, background, f"motif_{rank}") for rank, i in enumerate(order, 1)]
    matches = compare(motifs, database, qvalue=options.qvalue, seed=options.seed) if database else [()] * len(motifs)
    bar = 0.0 if chosen.held_out else MEMORY * float(weights.importance.max(initial=0.0))
    oof = model.record.oof
    stored = None if oof is None else oof.motifs
    again = [None] * len(motifs) if stored is None else found_in(motifs, stored, seed=options.seed)
    folds = 0 if oof is None or stored is None or oof.fold is None else len(np.unique(oof.fold))
    outputs = model.labels if len(model.labels) == model.task.outputs else model.labels[-1:]
    found = []
    for motif, i, matched, count in zip(motifs, order, matches, again, strict=True):
        motif, cluster, matched = _oriented(motif, groups[i], matched, both=layer.both)
        best = next((match for match in matched if match.significant), None)
        importance, error = float(weights.importance[i]), float(weights.error[i])
        found.append(
            FoundMotif(
                motif=replace(motif, alt=best.name if best else ""),
                filters=tuple(sorted(cluster.filters)),
                sites=_sites(cluster, data, alphabet),
                shares={label: float(s) for label, s in zip(chosen.groups, weights.shares[i], strict=True)},
                positions=weights.positions[i],
                importance=importance,
                importance_se=error,
                effects={label: float(e) for label, e in zip(outputs, weights.effects[i], strict=True)},
                matches=matched,
                significant=learned
                and importance > max(BEYOND * error, bar)
                and float(np.nanmax(weights.shares[i])) >= SELDOM
                and weights.holders[i] >= FEW,
                folds_found=count,
                folds=folds,
            )
        )
    found.sort(key=lambda m: not m.significant)  # by importance, the significant ones first
    found = [replace(m, motif=replace(m.motif, name=f"motif_{rank}")) for rank, m in enumerate(found, 1)]
    notes = _notes(options, layer, total, dead=dead, flat=flat, weighed=len(chosen.indices), held_out=chosen.held_out)
    return MotifSet(
        motifs=tuple(found),
        alphabet=alphabet,
        background=background,
        dead=tuple(dead),
        flat=tuple(flat),
        learned=learned,
        database=database.name if database else "",
        threshold=options.threshold,
        qvalue=options.qvalue,
        notes=(*notes, *([STABLE] if folds else [])),
        folds=folds,
    )


def has_learned(model: Model, data: Dataset, evaluation: Evaluation | None = None) -> bool:
    """Return whether the model's main figure, on records it was not trained on, is clearly beyond chance.

    The figure comes from `evaluation`, else from the test part or the folds stored with the model, else from those
    records of `data` that were not trained on. With several targets, one is enough.
    """
    figures: dict[str, Any] | None = evaluation.to_dict() if evaluation is not None else None
    figures = figures or model.record.figures or model.record.out_of_fold
    if figures is None:
        try:
            figures = evaluate(model, data).to_dict()
        except DataError:
            return False
    name, chance = model.task.evidence
    metrics, intervals = figures.get("metrics", {}), figures.get("ci95", {})
    if name in metrics:
        pairs = [(metrics[name], intervals.get(name))]
    else:
        several = intervals.get("per_target", {})
        pairs = [(m.get(name), several.get(label, {}).get(name)) for label, m in metrics.get("per_target", {}).items()]
    return any(_beyond(value, interval, chance) for value, interval in pairs)


def _beyond(value: float | None, interval: Any, chance: float) -> bool:
    if value is None or interval is None or interval[0] is None or interval[1] is None:
        return False
    error = (interval[1] - interval[0]) / (2 * 1.96)
    return bool(value - chance > BEYOND * error and interval[0] > chance)


def _database(options: MotifOptions, alphabet: Alphabet) -> Database | None:
    """Return the motifs to compare with; None for proteins without a database."""
    if options.database is not None:
        return open_database(options.database, taxon=options.taxon)
    return open_database("jaspar", taxon=options.taxon) if alphabet.has_complement else None


def _motif(cluster: Cluster, alphabet: Alphabet, background: npt.NDArray[np.float64], name: str) -> Motif:
    return Motif(name, from_counts(cluster.counts, background), alphabet, nsites=len(cluster.hits))


def _oriented(
    motif: Motif, cluster: Cluster, matches: tuple[Match, ...], *, both: bool
) -> tuple[Motif, Cluster, tuple[Match, ...]]:
    """Turn a motif of both strands so that its best match, else most of its sites, reads forward."""
    best = next((match for match in matches if match.significant), None)
    turn = best.reverse if best is not None else float(cluster.hits.reverse.mean()) > 0.5
    if not both or not turn:
        return motif, cluster, matches
    complement = motif.alphabet.complement[: motif.alphabet.size]
    turned = Cluster(cluster.filters, cluster.hits.flipped(), cluster.counts[::-1, complement])
    flipped = [replace(m, reverse=not m.reverse, offset=len(motif) - m.offset - len(m.target)) for m in matches]
    return motif.reverse_complement(), turned, tuple(flipped)


def _sites(cluster: Cluster, data: Dataset, alphabet: Alphabet) -> Sites:
    """Return the sites of a cluster with ids and letters; what reaches beyond a record is cut off."""
    hits = cluster.hits
    if not isinstance(data.raw, Sequences):
        raise DataError("motifs are found in sequences; the data are pictures")
    spelled = [row.tobytes().translate(alphabet.spelling).decode("ascii") for row in hits.codes(data.raw, alphabet)]
    return Sites(
        ids=tuple(data.ids[int(r)] for r in hits.records),
        records=hits.records,
        starts=np.maximum(hits.starts, 0),
        ends=np.minimum(hits.starts + hits.width, data.raw.lengths[hits.records]),
        strands=tuple("-" if reverse else "+" for reverse in hits.reverse),
        sequences=tuple(letters.replace(".", "") for letters in spelled),
        activations=hits.strength,
    )


def _notes(
    options: MotifOptions,
    layer: FirstLayer,
    count: int,
    *,
    dead: list[int],
    flat: list[int],
    weighed: int,
    held_out: bool,
) -> list[str]:
    """Return sentences that say how the motifs were found."""
    strands = "both strands" if layer.both else "the given strand"
    notes = [
        f"A site is an activation above {options.threshold:g} of its filter's maximum, the strongest of each record on "
        f"{strands}, and among the {KEPT_SITES:,} strongest of the filter.",
        f"Importance, in nats, on {weighed:,} records that were {'not ' if held_out else ''}trained on, is the mean of "
        "two: what the loss rises if a motif's filters are silenced (they output their mean), and what it falls, all "
        "being silenced, if they are not; the model is calibrated anew each time, and classes weigh the same.",
        f"A motif is significant if the model is better than chance on records it had not seen, the importance is more "
        f"than {BEYOND:g} standard errors above 0{'' if held_out else f' and {MEMORY:.0%} of the largest'}, and "
        f"{SELDOM:.0%} of a class, and {FEW} of these records, hold the motif.",
    ]
    if dead:
        notes.append(f"Dead filters, never active: {len(dead)} of {layer.count} ({', '.join(map(str, dead))}).")
    if flat:
        notes.append(f"Filters whose sites share no motif, or are too few: {len(flat)} of {layer.count}.")
    if count > LISTED:
        notes.append(f"The {LISTED} most important of {count} motifs are listed.")
    return notes
