"""Averaging: the networks of several folds side by side as one network, none of them changed."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch

from seqcnn.networks import create
from seqcnn.networks.average import Average
from seqcnn.nn.calibration import Calibration
from seqcnn.runtime import seeded
from seqcnn.training.folding import Fold, Folded
from seqcnn.training.learner import HeldOut, Learned, Plan


def average(plan: Plan, members: Sequence[Fold], folded: Folded) -> Learned:
    """Return one network that answers with the mean of the members' logits, each brought to the common scale.

    What is said of the first layer and of the steps is said of the first of them, and so is the history.

    Parameters
    ----------
    plan
        Of the final model; where targets are numbers, all members have its task, and so its units.
    members
        At least one.
    folded
        Their answers for records that they had not seen, and the calibration of these.
    """
    first = members[0].learned
    shape = ("in_channels", "outputs", "height", "width")
    config = first.network.config
    with seeded(plan.options.seed):
        made = create(
            "average",
            **{name: config[name] for name in shape},
            member=plan.network,
            member_options={name: value for name, value in config.items() if name not in shape},
            count=len(members),
        )
    network = cast(Average, made).eval()
    for i, one in enumerate(members):
        network.members[i].load_state_dict(one.learned.network.state_dict())
        layer = one.learned.calibration if one.scale is None else one.scale
        network.scale[i], network.bias[i] = layer.scale, layer.bias
    layer = Calibration(plan.task.outputs) if folded.calibration is None else folded.calibration
    held = (torch.from_numpy(folded.logits) - layer.bias) / layer.scale  # calibrated by the other folds
    notes = dict.fromkeys(note for one in members for note in one.learned.notes)
    details = first.details | {"combined": {"networks": len(members), "how": "average"}}
    return Learned(
        network, layer, first.history, notes=tuple(notes), details=details,
        held_out=HeldOut(folded.records, np.asarray(held.numpy(), np.float32)),
    )  # fmt: skip
