"""The base of the learning tasks: target coding, loss, activation, figures and columns."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.checks import did_you_mean
from seqcnn.errors import DataError, OptionError
from seqcnn.metrics import bootstrap

Floats = npt.NDArray[np.float64]
Kind = Literal["probability", "logit"]
Figures = dict[str, Any]

#: A rare class weighs at most this many times a common one: more makes training noisy, and calibration mends the rest.
WEIGHT_CAP = 10.0


@dataclass(frozen=True)
class Task(ABC):
    """What is learned from the targets, immutable.

    Parameters
    ----------
    labels
        Class names (binary: negative, positive) or target names.
    """

    name: ClassVar[str]
    #: The figure that stands for the task where one must: larger is better.
    primary: ClassVar[str]
    #: The figure that says whether anything was learned, and its value by chance.
    evidence: ClassVar[tuple[str, float]]
    #: Report sections that suit the task.
    sections: ClassVar[tuple[str, ...]]
    #: Whether the targets are numbers, not classes.
    numeric: ClassVar[bool] = False
    #: Whether each record holds exactly one of the labels.
    exclusive: ClassVar[bool] = False

    labels: tuple[str, ...]

    @classmethod
    @abstractmethod
    def fit(cls, labels: tuple[str, ...], targets: Floats, **options: Any) -> Self:
        """Return the task for training targets ``(N, T)``; missing values are NaN, unknown `options` are ignored.

        Raises
        ------
        DataError
            For infinite or entirely missing targets, or values the task cannot have.
        """

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Number of logits."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of `output`."""

    @property
    def prior_shift(self) -> tuple[float, ...]:
        """What to add to each logit to undo the class weights of `loss`, ``(outputs,)``."""
        return (0.0,) * self.outputs

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences a reader should know, such as a transform of the targets."""
        return ()

    def config(self) -> dict[str, Any]:
        """Return what `from_config` needs, JSON-able, with the registered ``name``."""
        return {"name": self.name} | {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the task of a `config`, with or without its ``name``.

        Raises
        ------
        OptionError
            For an unknown or missing field.
        """
        known = [f.name for f in fields(cls)]
        for key in config:
            if key not in known and key != "name":
                raise OptionError(f"task {cls.name}: unknown field {key!r}{did_you_mean(str(key), known)}")
        missing = [key for key in known if key not in config]
        if missing:
            raise OptionError(f"task {cls.name}: field {missing[0]!r} is missing")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in config.items() if k != "name"})

    def encode(self, targets: Floats) -> npt.NDArray[np.float32]:
        """Return the targets as the loss takes them, ``(N, T)``; missing stays NaN."""
        return targets.astype(np.float32)

    @abstractmethod
    def loss(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        *,
        weights: torch.Tensor | None = None,
        progress: float = 1.0,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Return the training loss, a scalar: class weights inside, missing targets masked.

        Parameters
        ----------
        logits
            ``(N, outputs)``.
        targets
            As `encode` gives them, ``(N, T)``.
        weights
            Of the records, ``(N,)``; None for equal ones.
        progress
            Share of the training that is done, for losses that change on the way.
        smoothing
            Share of each label that is given to all classes; numbers have none.
        """

    @abstractmethod
    def record_loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the negative log-likelihood of each record in nats, ``(N,)``, unweighted, missing targets masked."""

    def divergence(self, logits: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        """Return how far logits ``(N, K)`` are from a teacher's, ``(N,)``, 0 where they are the same.

        The Kullback-Leibler divergence in nats; of numbers half the squared distance.
        """
        if self.numeric:
            return 0.5 * (logits - teacher).square().sum(1)
        share = torch.sigmoid(teacher)
        log = torch.nn.functional.logsigmoid
        each = share * (log(teacher) - log(logits)) + (1 - share) * (log(-teacher) - log(-logits))
        return each.sum(1)

    @abstractmethod
    def activation(self, logits: torch.Tensor) -> torch.Tensor:
        """Return what the logits stand for (probabilities; transformed values), same shape."""

    def output(self, logits: npt.ArrayLike, kind: Kind = "probability") -> npt.NDArray[np.float32]:
        """Return predictions in the units of the targets, or logits as they are, ``(N, len(columns))``."""
        raw = np.asarray(logits, np.float32)
        if kind == "logit":
            return raw
        return np.asarray(self.activation(torch.from_numpy(raw)).numpy(), np.float32)

    def oddness(self, logits: npt.ArrayLike) -> Floats:
        """Return how little each class or label suits each record, ``(N, labels)``: one minus its probability.

        Sets of the labels within a limit of it are the smallest on average of those that hold the true one as often
        (Sadinle, Lei & Wasserman 2019, JASA 114:223): at the same coverage, adaptive prediction sets (Romano 2020),
        regularized or not, held 4 to 11% more classes on the training files of four problems.
        """
        odd = 1 - self.activation(torch.from_numpy(np.asarray(logits, np.float64))).numpy()
        return np.asarray(np.hstack([1 - odd, odd]) if odd.shape[1] < len(self.labels) else odd)

    def nonconformity(self, targets: Floats, logits: npt.ArrayLike) -> Floats:
        """Return how odd the truth looks in the light of calibrated logits, ``(N, J)``; NaN where there is nothing.

        Of numbers a column a target; else a column a class or label, filled where the record holds it.
        """
        return np.where(self.holds(targets), self.oddness(logits), np.nan)

    def holds(self, targets: Floats) -> npt.NDArray[np.bool_]:
        """Return which classes or labels each record holds, ``(N, labels)``."""
        wanted = np.arange(len(self.labels)) if self.exclusive else 1
        held: npt.NDArray[np.bool_] = (targets[:, :1] if self.exclusive else targets) == wanted
        return held

    def sets(self, logits: npt.ArrayLike, limits: Floats) -> npt.NDArray[np.bool_]:
        """Return which classes or labels are within their limits ``(labels,)``: of classes the likeliest always is."""
        odd = self.oddness(logits)
        within = odd <= limits
        if self.exclusive:
            within[np.arange(len(odd)), odd.argmin(1)] = True
        return within

    def ranges(self, logits: npt.ArrayLike, limits: Floats) -> Floats:
        """Return the lowest and the highest number within the limits ``(T,)``, ``(N, T, 2)``, in the targets' units.

        On a circle the way from the first to the second may lead through the end of the scale.
        """
        raise OptionError(f"intervals belong to numbers; the task is {self.name}")

    @abstractmethod
    def metrics(self, targets: Floats, logits: npt.ArrayLike) -> Figures:
        """Return the figures of calibrated logits by DESIGN's names; undefined is None."""

    @abstractmethod
    def intervals(self, targets: Floats, logits: npt.ArrayLike, seed: int = 0) -> Figures:
        """Return ``{name: [low, high]}`` of the same figures: 95% bootstrap, within class; undefined is None."""


def weighted_mean(values: torch.Tensor, known: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """Return the mean of `values` ``(N, ...)`` where `known`, weighted by record; zero where nothing is known."""
    factor = known.to(values.dtype)
    if weights is not None:
        factor = factor * weights.reshape(-1, *[1] * (values.dim() - 1))
    return (values * factor).sum() / factor.sum().clamp(min=1e-12)


def balanced_weights(counts: npt.ArrayLike) -> tuple[float, ...]:
    """Return a weight a class, inverse to its number up to `WEIGHT_CAP`, of mean 1 over the records.

    >>> balanced_weights([30, 10])
    (0.6666666666666666, 2.0)
    >>> balanced_weights([5, 5])
    (1.0, 1.0)
    """
    n = np.asarray(counts, np.float64)
    raw = np.minimum(n.max() / np.maximum(n, 1), WEIGHT_CAP)
    return tuple(float(w) for w in raw * n.sum() / (raw * n).sum())


def check_targets(targets: Floats, name: str, *, whole_below: int | None = None) -> Floats:
    """Return `targets` as float64 ``(N, T)`` if they are numbers the task `name` can have.

    Parameters
    ----------
    whole_below
        Targets are whole numbers from 0 to below this; None for any number.

    Raises
    ------
    DataError
        For infinite, entirely missing or otherwise impossible values.
    """
    table = np.asarray(targets, np.float64)
    if table.ndim != 2:
        raise DataError(f"{name}: expected targets of shape (N, T), found {table.shape}")
    if np.isinf(table).any():
        row = int(np.isinf(table).any(1).argmax())
        raise DataError(
            f"{name}: record {row + 1} has an infinite target; expected numbers or missing values; correct or empty it"
        )
    for column in range(table.shape[1]):
        if np.isnan(table[:, column]).all():
            raise DataError(f"{name}: target {column + 1} of {table.shape[1]} is missing in every record")
    known = table[np.isfinite(table)]
    if whole_below is not None:
        wrong = known[(known != np.floor(known)) | (known < 0) | (known >= whole_below)]
        if len(wrong):
            raise DataError(
                f"{name}: expected targets that are whole numbers from 0 to {whole_below - 1}, found {wrong[0]:g}; "
                "choose another --task, or correct the targets"
            )
    return table


def or_none(value: float) -> float | None:
    """Return `value`, or None where it is not defined."""
    return float(value) if np.isfinite(value) else None


def as_intervals(found: dict[str, tuple[float, float]]) -> Figures:
    """Return bootstrap intervals as lists, None where undefined."""
    return {name: [low, high] if np.isfinite(low) else None for name, (low, high) in found.items()}


def figures_with_intervals(
    truth: Floats, score: npt.NDArray[Any], names: Sequence[str], *, seed: int, within: Floats | None
) -> Figures:
    """Return `bootstrap` intervals of the figures `names`, JSON-able."""
    return as_intervals(bootstrap(truth, score, names, seed=seed, within=within))
