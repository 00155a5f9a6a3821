"""Mirror images: whether a picture means the same left to right, found on held-out training pictures."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.tasks.task import Task
from seqcnn.training.selection import Choice

Floats = npt.NDArray[np.float64]
#: Losses ``(N,)`` of held-out pictures and of their mirror images, by one model that saw neither kind mirrored.
MirrorTrial = Callable[[], tuple[Floats, Floats, Floats]]

#: Mirror images may cost so much of what the model explains, two standard errors included.
_TOLERATED = 0.1


def choose_mirror(trial: MirrorTrial) -> Choice:
    """Return ``mirrored`` if held-out pictures are understood as well left to right, else ``as given``.

    A network trained briefly, without mirror images, is shown held-out pictures and their mirror images. Where left
    and right mean nothing, as in photographs of animals, it loses nothing; digits and letters it no longer reads.

    Parameters
    ----------
    trial
        Returns the losses of the pictures, of their mirror images, and of a guess by the frequencies alone.
    """
    plain, mirrored, guess = trial()
    explained = float((guess - plain).mean())
    if explained <= 0:
        return Choice("as given", "compared", {"by": "a short training", "explained": explained, "records": len(plain)})
    rise = (mirrored - plain) / explained
    error = float(rise.std()) / max(1, len(rise)) ** 0.5
    figures = {
        "by": "a short training",
        "as given": float(plain.mean()),
        "mirrored": float(mirrored.mean()),
        "rise": float(rise.mean()),
        "error": error,
        "records": len(plain),
    }
    same = float(rise.mean()) + 2 * error < _TOLERATED
    return Choice("mirrored" if same else "as given", "compared", figures)


def guess_loss(task: Task, encoded: npt.NDArray[np.float32]) -> Floats:
    """Return the loss of each record, ``(N,)``, by a model that knows frequencies, or means, and nothing else.

    >>> from seqcnn.tasks.binary import Binary
    >>> truth = np.array([[0.0], [1.0], [1.0], [0.0]])
    >>> guess_loss(Binary.fit(("no", "yes"), truth), truth.astype(np.float32)).round(3).tolist()
    [0.693, 0.693, 0.693, 0.693]
    """
    truth = torch.from_numpy(encoded)
    if task.name == "multiclass":
        counts = np.bincount(encoded[np.isfinite(encoded[:, 0]), 0].astype(np.intp), minlength=task.outputs)
        logits = torch.from_numpy(np.log(np.maximum(counts, 0.5) / counts.sum())).float()
    else:
        mean = torch.nanmean(truth, 0)
        logits = mean if task.numeric else torch.logit(mean.clamp(1e-3, 1 - 1e-3))
    return task.record_loss(logits.expand(len(truth), -1), truth).double().numpy()
