"""Sweeps over sequences: predictions for windows all along one, and for every letter at every place."""

import warnings
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.alphabet import SOFT_MASK
from seqcnn.errors import OptionError, SeqcnnWarning
from seqcnn.inference.dense import why_apart
from seqcnn.inference.local import locals_of
from seqcnn.inference.mutagenesis import mutagenesis as mutants_of
from seqcnn.inference.predict import predict_logits, stream_logits
from seqcnn.sequence import Sequences
from seqcnn.tiling import Overlapping, stretches

if TYPE_CHECKING:
    from seqcnn.model.model import Model

#: Letters of a long sequence that are scanned at a time.
CHUNK = 1 << 19


class Scan(NamedTuple):
    """Predictions of windows along a sequence: where each begins, and what was predicted."""

    starts: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


def scan(
    model: "Model",
    sequence: Any,
    *,
    window: int | None,
    step: int | None,
    device: str | torch.device,
    precision: str,
) -> Scan:
    """Return predictions for windows all along a sequence; see `Model.scan`."""
    raw = model.raw([sequence] if isinstance(sequence, str | bytes) else sequence)
    if not isinstance(raw, Sequences) or len(raw) != 1:
        raise OptionError(f"scan: expected one sequence, found {len(raw)} records")
    codes, width = raw[0], model.fixed_width
    window = (width or model.longest or len(codes)) if window is None else window
    step = max(1, window // 2) if step is None else step
    if width is not None and window > width:
        raise OptionError(f"window {window}: this network reads at most {width} positions; pass {width}")
    runs = list(stretches(len(codes), window, step, letters=CHUNK))
    why = why_apart(locals_of(model.encoder, model.network), window, step, getattr(model.network, "minimum_width", 1))
    if why is not None and step < window < len(codes):
        warnings.warn(f"scan: windows are computed one by one: {why}", SeqcnnWarning, stacklevel=3)
    chunks = (Overlapping.joined([codes[run[0] : run[-1] + window]], window, step) for run in runs)
    found = stream_logits(
        model.encoder, model.network, chunks, strands=model.strands, device=device, precision=precision
    )
    outputs = [model.task.output(model.calibrated(logits), "probability") for logits in found]
    scores = np.concatenate(outputs).astype(np.float32)
    return Scan(np.concatenate(runs), scores[:, 0] if len(model.task.columns) == 1 else scores)


def mutagenesis(model: "Model", values: Any, *, output: int, device: str | torch.device) -> npt.NDArray[np.float32]:
    """Return what each letter at each place would do to the output; see `Model.mutagenesis`."""
    raw = model.raw(values)
    if model.alphabet is None or not isinstance(raw, Sequences):
        raise OptionError(f"mutagenesis: belongs to sequences; this model reads {model.kind}")
    model.check_lengths(raw)
    size = model.alphabet.size
    records = [(codes, 0, len(codes)) for codes in raw]
    mutants = mutants_of(model.encoder, model.network, records, size=size, strands=model.strands, device=device)
    asked = predict_logits(model.encoder, model.network, raw, strands=model.strands, device=device)
    kind: Literal["probability", "logit"] = "probability" if model.task.numeric else "logit"
    as_is = model.task.output(model.calibrated(asked), kind)[:, output]
    found = np.full((len(raw), size, int(raw.lengths.max(initial=0))), np.nan, np.float32)
    for row, (codes, logits) in enumerate(zip(raw, mutants, strict=True)):
        changed = model.task.output(model.calibrated(logits.reshape(-1, logits.shape[2])), kind)[:, output]
        found[row, :, : len(codes)] = changed.reshape(-1, size).T - as_is[row]
        known = np.flatnonzero((codes & ~np.uint8(SOFT_MASK)) < size)
        found[row, codes[known] & ~np.uint8(SOFT_MASK), known] = 0
    return found
