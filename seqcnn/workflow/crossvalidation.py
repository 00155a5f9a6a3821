"""Cross-validation in the verb train: out-of-fold predictions, and the motifs that the folds' models find."""

from collections.abc import Callable, Sequence

import numpy as np

from seqcnn.data.dataset import Dataset
from seqcnn.data.hashes import Hashes
from seqcnn.model.model import Model
from seqcnn.model.record import OutOfFold
from seqcnn.motif import Motif
from seqcnn.motifs.stability import kept, motifs_of
from seqcnn.training.folding import Fold, Folded, out_of_fold
from seqcnn.training.learner import Plan
from seqcnn.training.progress import Progress
from seqcnn.workflow.parts import Division


def cross_validated(
    plan: Plan,
    division: Division,
    progress: Progress,
    *,
    hashes: Hashes,
    each: Sequence[Callable[[Fold], None]] = (),
    taught: bool = False,
) -> tuple[OutOfFold, Folded] | None:
    """Return out-of-fold predictions, with what motifs each fold's model found, and what they rest on.

    None where there are no folds.

    Parameters
    ----------
    plan
        How the model is made.
    division
        The records and their folds.
    hashes
        Canonical hash of each record.
    each
        What else is to be done with each fold while its model is at hand.
    taught
        Whether the models and the k-mers answer together.
    """
    if division.fold is None or division.data.targets is None:
        return None
    data, motifs = division.data, list[list[Motif]]()

    def look(fold: Fold) -> None:
        seen = np.concatenate([fold.train, fold.valid])
        motifs.append(
            motifs_of(model_of(fold, data), data, seen, device=plan.options.device, seed=fold.plan.options.seed)
        )
        for further in each:
            further(fold)

    found = out_of_fold(plan, data, division.fold, progress=progress, each=look, taught=taught)
    rows = found.records
    predictions = OutOfFold(
        hashes[rows],
        np.asarray(data.targets, np.float64)[rows],
        found.logits,
        found.baselines,
        tuple(data.ids[i] for i in rows.tolist()),
        found.near,
        found.fold,
        kept(motifs),
    )
    return predictions, found


def model_of(fold: Fold, data: Dataset) -> Model:
    """Return the model of one fold, which has no record of how it came to be."""
    plan, learned = fold.plan, fold.learned
    seen = np.concatenate([fold.train, fold.valid])
    return Model(
        plan.encoder, learned.network, plan.task, alphabet=data.alphabet, longest=int(data.lengths[seen].max()),
        strands=plan.strands, calibration=learned.calibration,
    )  # fmt: skip
