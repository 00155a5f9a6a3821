"""Distilling: several networks, k-mers and likeness answer together, and one network learns to answer as they do.

What makes small sets hard is that a network learns its few records by heart. Its teacher, the blend of networks that
were trained on different folds, of k-mer regression and of a kernel machine, answers for any sequence; so the student
trains on tens of thousands of sequences that nobody measured, made of pieces of the known ones, and has nothing to
learn by heart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset
from seqcnn.data.recombination import recombined
from seqcnn.errors import DataError
from seqcnn.inference.predict import Logits, predict_logits
from seqcnn.networks import Network
from seqcnn.networks.motif import Motif
from seqcnn.runtime import pick_device, seeded
from seqcnn.sequence import Sequences
from seqcnn.tasks.imitation import Imitation
from seqcnn.training.calibrate import fit_calibration
from seqcnn.training.folding import Fold, Folded, answer
from seqcnn.training.inheritance import inherit
from seqcnn.training.kernel import Kernel
from seqcnn.training.learner import (
    HeldOut,
    Learned,
    Plan,
    augmentations,
    columns_read,
    described_fit,
    letter_cost,
    uncalibrated,
)
from seqcnn.training.loop import fit
from seqcnn.training.pooling import Blend
from seqcnn.training.precision import pick_precision
from seqcnn.training.progress import Progress
from seqcnn.training.schedule import recipe_for
from seqcnn.training.seeding import moved

Indices = npt.NDArray[np.int64]

#: Who answers, in the order of the blend's weights.
EXPERTS = ("networks", "kmer", "kernel")
#: Sequences made up for the student, and those that steer it.
MADE_UP, _STEERING = 20_000, 1000
#: How often the student sees each sequence, its most steps, and the letters that it reads: at least, and a record.
SEEN, STEPS, READ, READ_A_RECORD = 10, 4000, 64_000_000, 1500
#: Letters of the records and of what is made up, at least, and of what is made up at most: of short records more
#: sequences, of long ones fewer.
_LETTERS, _SHORT = (4_000_000, 12_000_000), 60_000
#: Spread of the logits that the student learns: of a very sure teacher only the order of its doubts is worth learning.
_SPREAD = 2.0
#: What a letter costs where every place counts.
_PLACE = 2
#: Decay of the student's weights: with so many records it needs less than its teachers.
_DECAY = 0.01


@dataclass(frozen=True)
class Teacher:
    """Networks of several folds, the k-mer baseline and a kernel machine, which answer together.

    Parameters
    ----------
    plan
        Of the student.
    members
        At least one.
    kmer, kernel
        Fitted on all records.
    blend
        What makes one answer of the three kinds.
    """

    plan: Plan
    members: Sequence[Fold]
    kmer: Network
    kernel: Kernel
    blend: Blend

    def __call__(self, raw: Sequences) -> Logits:
        """Return calibrated logits ``(N, K)``."""
        precision = pick_precision(self.plan.options.precision, pick_device(self.plan.options.device))
        networks = np.mean([answer(self.plan, one, raw, precision=precision) for one in self.members], axis=0)
        return self.blend([networks, predict_logits(self.plan.encoder, self.kmer, raw), self.kernel(raw)])


def distill(
    plan: Plan, data: Dataset, records: Indices, *, teacher: Teacher, folded: Folded, progress: Progress
) -> Learned:
    """Return one network that answers as the teacher does, on `records` and on sequences made of them.

    Parameters
    ----------
    records
        Rows of the data that the teacher learned from.
    folded
        The out-of-fold answers of the teacher, on which sets and intervals rest.

    References
    ----------
    Hinton, Vinyals, Dean. Distilling the knowledge in a neural network (2015). arXiv:1503.02531. For ensembles of
    genomic networks: Zhou, Rizzo, Tang, Koo. bioRxiv (2024). doi:10.1101/2024.11.13.623485
    """
    known = data.take(records)
    if not isinstance(known.raw, Sequences):
        raise DataError("distilling: sequences are made up; pictures and series have no letters")
    seed, task = plan.options.seed, plan.task
    rng = np.random.default_rng(seed)
    least, most = (letters / max(1.0, columns_read(plan, known.lengths)) for letters in _LETTERS)
    count = int(max(2 * _STEERING, min(max(MADE_UP, least - len(known)), most, _SHORT)))
    made = recombined(known.raw, count, rng)
    raw = Sequences(
        np.concatenate([known.raw.buffer, made.buffer]),
        np.concatenate([known.raw.offsets, known.raw.offsets[-1] + made.offsets[1:]]),
    )
    progress.start("asking the teacher", 1)
    logits = teacher(raw).astype(np.float64)
    spread = (logits - logits.mean(1, keepdims=True) if task.exclusive and task.outputs > 1 else logits).std()
    sure = 1.0 if task.numeric else max(1.0, float(spread) / _SPREAD)
    lessons = Dataset(
        "codes", raw, ("",) * len(raw), targets=logits / sure, task="imitation", labels=data.labels,
        alphabet=data.alphabet, encoder=data.encoder, settings=data.settings,
    )  # fmt: skip
    steering = np.arange(len(raw) - _STEERING, len(raw))
    train = np.arange(len(raw) - _STEERING)
    said = [answer(plan, one, raw.take(steering)).astype(np.float64) for one in teacher.members]
    best = int(np.argmin([np.square(one - logits[steering]).mean() for one in said]))
    with seeded(seed):
        network = inherit([cast(Motif, one.learned.network) for one in teacher.members], best, plan.encoder, known.raw)
    inherited = network.filters.weight.detach().clone()
    base = recipe_for("codes", len(train), plan.options, positions=plan.aware)
    cost = (_PLACE if plan.aware else 1) * letter_cost(plan)
    read = max(READ, READ_A_RECORD * len(known)) / columns_read(plan, lessons.lengths) / cost
    epochs = max(1, round(min(SEEN, STEPS * base.batch_size / len(train), read / len(train))))
    recipe = replace(base, weight_decay=_DECAY, epochs=epochs, latest=True)  # there is nothing to learn by heart
    found = fit(
        network, plan.encoder, Imitation(data.labels, of=task), lessons, train=train, valid=steering, recipe=recipe,
        strands=plan.strands, augmentations=augmentations(plan, network), device=plan.options.device,
        precision=plan.options.precision, seed=seed, progress=progress, title="distilling",
    )  # fmt: skip
    layer = fit_calibration(
        task, uncalibrated(plan, network, known.raw) * np.float32(sure), logits[: len(known)].astype(np.float32),
        weighted=False, taught=True,
    )  # fmt: skip
    layer.scale.mul_(sure)
    held = HeldOut(folded.records, (folded.logits - layer.bias.numpy()) / layer.scale.numpy())
    details = {
        **described_fit(found, None, network),
        "seeded_motifs": [int(one.learned.details.get("seeded_motifs", 0)) for one in teacher.members],
        "inherited_filters": network.filters.out_channels,
        "inherited_moved": moved(inherited, network.filters),
        "teacher": {
            "networks": len(teacher.members),
            "weights": dict(zip(EXPERTS, teacher.blend.weights, strict=True)),
            "made_up": count,
            "agreement": found.history[found.best_epoch - 1].get("agreement"),
        },
    }
    return Learned(network, layer, found.history, found.interrupted, found.notes, details, held)
