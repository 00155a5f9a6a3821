"""In-silico mutagenesis: what each letter of a stretch does for the logits, by replacing it with every other letter."""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from seqcnn.alphabet import SOFT_MASK
from seqcnn.encode.encoder import Encoder
from seqcnn.inference.predict import predict_logits
from seqcnn.sequence import Codes, Sequences


def substituted(codes: Codes, start: int, end: int, size: int) -> Codes:
    """Return a record with each letter of ``[start, end)`` replaced by each letter, ``((end - start) * size, L)``.

    >>> substituted(np.array([3, 2], np.uint8), 1, 2, 3).tolist()
    [[3, 0], [3, 1], [3, 2]]
    """
    count = max(0, end - start)
    many = np.repeat((codes & ~np.uint8(SOFT_MASK))[None], count * size, 0)
    rows = np.arange(count * size)
    many[rows, start + rows // size] = rows % size
    return many


def mutagenesis(
    encoder: Encoder,
    network: nn.Module,
    records: list[tuple[Codes, int, int]],
    *,
    size: int = 4,
    strands: str = "forward",
    device: str | torch.device | None = None,
) -> list[npt.NDArray[np.float32]]:
    """Return the logits of records with each letter of a stretch replaced by each letter in turn.

    Parameters
    ----------
    encoder, network, strands, device
        As for `seqcnn.inference.predict.predict_logits`.
    records
        Codes ``(L,)``, start and end of the stretch.
    size
        Letters of the alphabet.

    Returns
    -------
    list of numpy.ndarray
        ``(end - start, size, K)`` a record; where the letter is the record's own, its logits as it is.

    References
    ----------
    Zhou & Troyanskaya, Nature Methods 2015, doi:10.1038/nmeth.3547.
    """
    made = [substituted(codes, start, end, size) for codes, start, end in records]
    sequences = Sequences.from_codes(row for many in made for row in many)
    logits = predict_logits(encoder, network, sequences, strands=strands, device=device)
    bounds = np.cumsum([0, *(len(many) for many in made)])
    return [
        logits[low:high].reshape(max(0, end - start), size, logits.shape[1])
        for (_, start, end), low, high in zip(records, bounds[:-1], bounds[1:], strict=True)
    ]
