"""Convex fits of the baselines: composition and k-mers, their regularization chosen by cross-validation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.alphabet import Alphabet
from seqcnn.data.batches import rectangle
from seqcnn.data.dataset import Raw, lengths_of
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import OptionError
from seqcnn.kmers import default_ks, n_kmers, presence
from seqcnn.networks import Network, create
from seqcnn.networks.composition import Composition
from seqcnn.sequence import Sequences

Floats = npt.NDArray[np.float64]
Product = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

#: Inverse strengths of regularization that are tried: C as scikit-learn counts it, a loss weighed against ||w||^2 / 2.
STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
FOLDS = 5
#: Records that cross-validation looks at: the choice of C is settled by then, and their Gram matrix is 36 MB.
CV_RECORDS = 3000
#: Letters that the final fit of k-mers looks at: about 60 million entries of a sparse matrix, half a GB.
FIT_LETTERS = 15_000_000
#: Conjugate gradients stop when the gradient has shrunk to this share of the first, or is this small.
_STEPS, _TOLERANCE, _SMALLEST = 200, 2e-3, 1e-5
_BATCH_CELLS = 4_000_000


class TaskLike(Protocol):
    """What a fit needs to know of a learning task."""

    name: Any
    numeric: Any

    @property
    def outputs(self) -> int:
        """Number of logits."""
        ...

    def encode(self, targets: Floats) -> npt.NDArray[np.float32]:
        """Return the targets as the loss takes them."""
        ...

    def metrics(self, targets: Floats, logits: npt.ArrayLike) -> dict[str, Any]:
        """Return the figures of logits."""
        ...


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline: a network like any other, and how it was chosen.

    Parameters
    ----------
    network
        `Composition` or `Kmer` with its weights.
    choice
        ``C``, ``cv_loss`` (mean held-out loss by C), ``held_out`` (figures of the held-out logits), ``folds``,
        ``records`` (that cross-validation saw), and the features.
    notes
        Sentences that a reader should know.
    """

    network: Network
    choice: dict[str, Any]
    notes: tuple[str, ...]


def fit_kmer(
    raw: Sequences,
    targets: Floats,
    *,
    task: TaskLike,
    alphabet: Alphabet,
    strands: str = "both",
    groups: npt.ArrayLike | None = None,
    seed: int = 0,
) -> Baseline:
    """Fit presence of k-mers: L2 logistic (softmax) regression, or ridge for numbers.

    Parameters
    ----------
    raw, targets
        The training records and their targets ``(N, T)``.
    task
        Learning task; its name says which loss, its ``encode`` what the logits are in.
    alphabet
        Of the records.
    strands
        ``forward`` tells a k-mer from its reverse complement; otherwise DNA and RNA count them as one.
    groups
        ``(N,)``: records of one group share a fold.
    seed
        Of folds and subsamples.
    """
    ks = default_ks(alphabet)
    canonical = alphabet.has_complement and strands != "forward"
    rng = np.random.default_rng(seed)
    kept, notes = np.arange(len(raw)), []
    if raw.offsets[-1] > FIT_LETTERS:
        order = rng.permutation(len(raw))
        kept = np.sort(order[: max(1, int(np.searchsorted(np.cumsum(raw.lengths[order]), FIT_LETTERS)))])
        notes.append(f"The k-mer baseline was fitted on {len(kept):,} of {len(raw):,} records, drawn at random.")
        raw = raw.take(kept)
    indptr, columns = presence(raw, ks, alphabet, canonical=canonical)
    from scipy.sparse import csr_matrix

    shape = (len(raw), sum(n_kmers(k, alphabet, canonical) for k in ks))
    features = csr_matrix((np.ones(len(columns), np.float32), columns, indptr), shape=shape)
    weight, bias, choice, more = _fit(
        features, targets[kept], task, groups=None if groups is None else np.asarray(groups)[kept], rng=rng
    )
    network = create("kmer", in_channels=alphabet.size, outputs=task.outputs, ks=ks, canonical=canonical)
    _load(network, weight=weight, bias=bias)
    return Baseline(network, {**choice, "ks": list(ks), "canonical": canonical}, (*notes, *more))


def fit_composition(
    raw: Raw,
    targets: Floats,
    *,
    task: TaskLike,
    encoder: Encoder,
    groups: npt.ArrayLike | None = None,
    seed: int = 0,
) -> Baseline:
    """Fit GC content, amino acids and length, or channel means, whichever the encoder's images call for.

    Parameters
    ----------
    raw, targets
        The training records and their targets ``(N, T)``.
    task, groups, seed
        As for `fit_kmer`.
    encoder
        Of the model that the baseline stands beside.
    """
    network = create(
        "composition", in_channels=encoder.channels, outputs=task.outputs, height=encoder.height, width=encoder.width
    )
    if not isinstance(network, Composition):
        raise OptionError(f"fit_composition: 'composition' is registered as {type(network).__name__}")
    features = _compositions(network, encoder, raw)
    center, scale = features.mean(0), features.std(0)
    scale = np.where(scale > 1e-6, scale, 1)
    standard = ((features - center) / scale).astype(np.float32)
    rng = np.random.default_rng(seed)
    weight, bias, choice, notes = _fit(
        standard, targets, task, groups=None if groups is None else np.asarray(groups), rng=rng
    )
    _load(network, **{"center": center, "scale": scale, "out.weight": weight.T, "out.bias": bias})
    return Baseline(network, {**choice, "features": network.kind}, notes)


def _compositions(network: Composition, encoder: Encoder, raw: Raw) -> Floats:
    """Return the plain features of every record ``(N, F)``, as the network itself computes them."""
    lengths = lengths_of(raw)
    cells = np.array([max(encoder.cells(int(n)) * network.in_channels, int(n)) for n in lengths])
    order = np.argsort(lengths, kind="stable")
    found, first = np.zeros((len(raw), len(network.center))), 0
    with torch.inference_mode():
        while first < len(order):
            padded = np.maximum.accumulate(cells[order[first:]]) * np.arange(1, len(order) - first + 1)
            last = first + max(1, int(np.searchsorted(padded, _BATCH_CELLS)))
            batch = order[first:last]
            image, columns = encoder.image(*rectangle(raw, batch))
            found[batch] = network.composition(*network.prepare(image, columns)).numpy()
            first = last
    return found


def _load(network: Network, **arrays: npt.NDArray[Any]) -> None:
    """Write arrays into a network's parameters and buffers, by name."""
    state = {name: torch.from_numpy(np.ascontiguousarray(a, np.float32)) for name, a in arrays.items()}
    network.load_state_dict(state)
    network.eval()


def _fit(
    features: Any, targets: Floats, task: TaskLike, *, groups: npt.NDArray[Any] | None, rng: np.random.Generator
) -> tuple[Floats, Floats, dict[str, Any], tuple[str, ...]]:
    """Return weights ``(F, K)``, bias ``(K,)``, the choice and notes; `features` ``(N, F)`` is dense or sparse."""
    y, known, loss, unit = _coded(task, targets)  # (N, K), (N, K)
    n = len(y)
    sample = np.arange(n)
    notes: tuple[str, ...] = ()
    if n > CV_RECORDS:
        sample = np.sort(rng.permutation(n)[:CV_RECORDS])
        notes = (f"C was chosen by {FOLDS}-fold cross-validation on {CV_RECORDS:,} of {n:,} records.",)
    fold = _folds(y[sample], None if groups is None else groups[sample], loss, rng)
    held = fold[:, None] == np.arange(FOLDS)  # (n, folds)
    gram = _gram(features[sample])
    problems = np.repeat(~held, len(STRENGTHS), 1)[:, :, None] & known[sample][:, None]  # (n, folds * C, K)
    strengths = np.tile(STRENGTHS, FOLDS)
    *_, logits = _minimize(lambda a: gram @ a, y[sample], problems, loss, strengths)
    losses = _losses(loss, logits, y[sample][:, None], known[sample][:, None]).sum(2)  # (n, folds * C)
    by_strength = (losses * np.repeat(held, len(STRENGTHS), 1)).sum(0).reshape(FOLDS, -1).sum(0) / len(sample)
    best = int(by_strength.argmin())
    held_out = logits.reshape(len(sample), FOLDS, len(STRENGTHS), -1)[np.arange(len(sample)), fold, best]
    mean = np.asarray(features.mean(0), np.float32).ravel()  # (F,)
    a, bias, _ = _minimize(_operator(features, mean), y, known[:, None], loss, np.array([STRENGTHS[best]]))
    weight = np.asarray(features.T @ a[:, 0].astype(np.float32), np.float64) - np.outer(mean, a[:, 0].sum(0))
    bias = bias[0] - mean @ weight
    choice = {
        "C": STRENGTHS[best],
        "cv_loss": {str(c): float(v) for c, v in zip(STRENGTHS, by_strength, strict=True)},
        "held_out": task.metrics(targets[sample], held_out * unit[1] + unit[0]),
        "folds": FOLDS,
        "records": len(sample),
    }
    return weight * unit[1], bias * unit[1] + unit[0], choice, notes


def _coded(task: TaskLike, targets: Floats) -> tuple[Floats, npt.NDArray[np.bool_], str, tuple[Floats, Floats]]:
    """Return targets ``(N, K)`` with missing ones 0, which are known, the loss, and offset and scale of the logits."""
    encoded = np.asarray(task.encode(targets), np.float64)
    known = np.isfinite(encoded)
    unit = np.zeros(task.outputs), np.ones(task.outputs)
    if task.name == "multiclass":
        y = (np.nan_to_num(encoded) == np.arange(task.outputs)).astype(np.float64)
        return y, np.repeat(known, task.outputs, 1), "softmax", unit
    if task.numeric:
        counted = np.maximum(known.sum(0), 1)
        center = np.where(known, encoded, 0).sum(0) / counted
        scale = np.sqrt((np.where(known, encoded - center, 0) ** 2).sum(0) / counted)
        scale = np.where(scale > 0, scale, 1)
        return np.where(known, (encoded - center) / scale, 0), known, "squared", (center, scale)
    if task.name in ("binary", "multilabel"):
        return np.nan_to_num(encoded), known, "logistic", unit
    raise OptionError(f"no convex fit is known for task {task.name!r}; train without baselines")


def _folds(y: Floats, groups: npt.NDArray[Any] | None, loss: str, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return a fold ``(N,)`` a record: a group on one side, classes spread evenly."""
    _, first, owner = np.unique(np.arange(len(y)) if groups is None else groups, return_index=True, return_inverse=True)
    order = rng.permutation(len(first))
    if loss != "squared":
        order = order[np.lexsort(y[first[order]].T)]
    fold = np.empty(len(first), np.int64)
    fold[order] = np.arange(len(first)) % FOLDS
    return fold[owner]


def _gram(features: Any) -> npt.NDArray[np.float32]:
    """Return the inner products ``(N, N)`` of the records' features, centered."""
    if isinstance(features, np.ndarray):
        gram = features @ features.T
    else:
        frequent = np.asarray(features.sum(0)).ravel() > features.shape[0] / 20
        dense, sparse = features[:, frequent].toarray(), features[:, ~frequent]  # common columns are faster as BLAS
        gram = dense @ dense.T + (sparse @ sparse.T).toarray()
    gram -= gram.mean(0)
    gram -= gram.mean(1, keepdims=True)
    centered: npt.NDArray[np.float32] = gram.astype(np.float32, copy=False)
    return centered


def _operator(features: Any, mean: npt.NDArray[np.float32]) -> Product:
    """Return the product with the centered Gram matrix, without forming it."""
    transposed = features.T

    def product(a: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        weight = transposed @ a - np.outer(mean, a.sum(0))  # (F, columns)
        return np.asarray(features @ weight - mean @ weight, np.float32)

    return product


def _losses(loss: str, z: Floats, y: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Return the loss of each logit, summed over classes of a softmax in the first; 0 where unknown."""
    if loss == "squared":
        return np.where(known, (z - y) ** 2 / 2, 0)
    if loss == "logistic":
        return np.where(known, np.logaddexp(0, z) - y * z, 0)
    top = z.max(-1, keepdims=True)
    every = top + np.log(np.exp(z - top).sum(-1, keepdims=True))
    return np.where(known, y * (every - z), 0)


def _slopes(loss: str, z: Floats, y: Floats) -> Floats:
    """Return the derivative of the loss by each logit."""
    if loss == "squared":
        expected = z
    elif loss == "logistic":
        expected = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
    else:
        expected = np.exp(z - z.max(-1, keepdims=True))
        expected /= expected.sum(-1, keepdims=True)
    slope: Floats = expected - y
    return slope


def _minimize(
    product: Product, y: Floats, known: npt.NDArray[np.bool_], loss: str, strengths: Floats
) -> tuple[Floats, Floats, Floats]:
    """Minimize P regularized losses side by side.

    Each is ``mean loss over its known targets + |w|^2 / (2 C n)`` with an unregularized bias. By the representer
    theorem ``w = X^T a``; conjugate gradients (Polak-Ribiere) run on w while only a and ``X X^T a`` are stored, so one
    product serves every fold and strength at once, and a line search costs no product at all.

    Returns
    -------
    The dual weights a ``(N, P, K)``, bias ``(P, K)`` and logits ``(N, P, K)``.
    """
    n, problems, k = len(y), known.shape[1], y.shape[1]
    share = known / np.maximum(known.any(2).sum(0), 1)[None, :, None]  # (N, P, K): weight of each loss
    penalty = 1 / (strengths * np.maximum(known.any(2).sum(0), 1))  # (P,)
    target = y[:, None]

    def dot(u: Floats, v: Floats) -> Floats:
        result: Floats = np.einsum("npk,npk->p", u, v)
        return result

    a = np.zeros((n, problems, k))
    ka, bias = np.zeros_like(a), np.zeros((problems, k))
    step_a, step_ka, step_bias = np.zeros_like(a), np.zeros_like(a), np.zeros_like(bias)
    before_ka, before_bias = np.zeros_like(a), np.zeros_like(bias)
    squared_before, enough = np.ones(problems), np.zeros(problems)
    slope = share * _slopes(loss, ka + bias, target)
    for iteration in range(_STEPS):
        # The gradient by w is X^T g; its inner products are those of g through the Gram matrix.
        g, g_bias = slope + penalty[:, None] * a, slope.sum(0)
        kg = product(slope.reshape(n, -1).astype(np.float32)).reshape(n, problems, k) + penalty[:, None] * ka
        squared = dot(g, kg) + (g_bias**2).sum(1)
        if iteration == 0:
            enough = np.maximum(_TOLERANCE**2 * squared, _SMALLEST**2)
        going = squared > enough
        if not going.any():
            break
        along = dot(g, before_ka) + (g_bias * before_bias).sum(1)
        beta = np.maximum(0, (squared - along) / squared_before) if iteration else np.zeros(problems)
        downhill = beta * (dot(g, step_ka) + (g_bias * step_bias).sum(1)) < squared
        beta = np.where(downhill, beta, 0)[:, None]
        step_a, step_ka = beta * step_a - g, beta * step_ka - kg
        step_bias = beta * step_bias - g_bias
        before_ka, before_bias, squared_before = kg, g_bias, np.maximum(squared, enough)
        move = step_ka + step_bias  # (N, P, K): change of the logits along the step
        bend, tilt = penalty * dot(step_a, step_ka), penalty * dot(a, step_ka)
        low, at_low = np.zeros(problems), dot(slope, move) + tilt
        t = np.ones(problems)
        for _ in range(4):  # secant search for the root of the slope along the step
            slope = share * _slopes(loss, ka + bias + t[:, None] * move, target)
            at = dot(slope, move) + tilt + t * bend
            rise = (at - at_low) / np.where(t == low, 1, t - low)
            better = np.where(rise > 0, t - at / np.where(rise > 0, rise, 1), 4 * t)
            low, at_low = t, at
            t = np.clip(better, t / 16, t * 16)
            if (np.abs(t - low)[going] <= 0.02 * t[going]).all():
                break
        t[~going] = 0  # a problem that is done stays where it is
        a, ka, bias = a + t[:, None] * step_a, ka + t[:, None] * step_ka, bias + t[:, None] * step_bias
        slope = share * _slopes(loss, ka + bias, target)
    return a, bias, ka + bias
