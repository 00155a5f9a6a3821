"""scikit-learn's face: sequences and labels in, an estimator that clones, pipes, searches and pickles out."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_array, check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from seqcnn.data.dataset import Dataset
from seqcnn.errors import DataError
from seqcnn.model.inputs import encode_many
from seqcnn.model.model import Model
from seqcnn.options import TrainOptions
from seqcnn.registry import resolve
from seqcnn.sequence import tell_alphabet
from seqcnn.workflow.train import train as train_model

Floats = npt.NDArray[np.float64]


def as_letters(X: Any) -> list[bytes]:
    """Return sequences from a list, array, Series or one-column DataFrame of strings.

    Raises
    ------
    DataError
        If `X` is not a column of strings, or is empty.
    TypeError
        If `X` is sparse.

    Examples
    --------
    >>> as_letters(np.array([["ACGT"], ["GG"]]))
    [b'ACGT', b'GG']
    """
    if hasattr(X, "tocsr"):
        raise TypeError("X: expected sequences as strings, found a sparse matrix")
    if isinstance(X, str | bytes):
        raise DataError("X: expected a list of sequences, found one string; wrap it in a list")
    column = np.asarray(X, dtype=object)
    if column.ndim != 1 and column.shape[1:] != (1,):
        raise DataError(
            f"X: expected one column of sequences, found shape {column.shape}; name the column, as in X['sequence']"
        )
    values = column.reshape(-1)
    if len(values) == 0:
        raise DataError("X: found 0 sequences (shape=(0,)) while a minimum of 1 is required")
    letters = []
    for row, value in enumerate(values, 1):
        if not isinstance(value, str | bytes):
            raise DataError(
                f"X, row {row}: expected a sequence as a string, found {type(value).__name__} {value!r:.40}"
            )
        letters.append(value.encode("latin-1", "replace") if isinstance(value, str) else bytes(value))
    return letters


class _SequenceEstimator(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share; the parameters are those of `TrainOptions` that make sense here."""

    def __init__(
        self,
        *,
        network: str = "auto",
        strands: str = "auto",
        positions: str = "auto",
        epochs: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        valid: float = 0.1,
        alphabet: str | None = None,
        unknown: str = "error",
        device: str = "auto",
        precision: str = "auto",
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.network = network
        self.strands = strands
        self.positions = positions
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.valid = valid
        self.alphabet = alphabet
        self.unknown = unknown
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Tags:
        """Say that X is a column of strings, not numbers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.target_tags.multi_output = True
        return tags

    def _learn(self, letters: list[bytes], *, targets: Floats, task: str, labels: tuple[str, ...]) -> Self:
        """Train on encoded targets ``(N, T)``."""
        alphabet = tell_alphabet(letters) if self.alphabet is None else resolve("alphabet", self.alphabet)
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31)
        options = TrainOptions(
            valid=(str(self.valid),),
            test=("0",),
            network=self.network,
            strands=self.strands,  # type: ignore[arg-type]  # checked by the options themselves
            positions=self.positions,  # type: ignore[arg-type]
            epochs=self.epochs,
            batch_size=self.batch_size,
            lr=self.lr,
            folds=0,
            baselines=False,
            device=self.device,
            precision=self.precision,  # type: ignore[arg-type]
            seed=int(seed),
        )
        data = Dataset(
            kind="codes",
            raw=encode_many(letters, alphabet, unknown=self.unknown, where="X, "),
            ids=tuple(map(str, range(1, len(letters) + 1))),
            targets=targets,
            task=task,
            labels=labels,
            alphabet=alphabet,
        )
        self.model_: Model = train_model(data, options, progress=None if self.verbose else False)
        return self

    def _logits(self, X: Any) -> npt.NDArray[np.float32]:
        """Return calibrated logits ``(N, K)``."""
        check_is_fitted(self)
        raw = encode_many(as_letters(X), self.model_.alphabet, unknown=self.unknown, where="X, ")  # type: ignore[arg-type]
        return self.model_.logits(raw, device=self.device)


class SequenceClassifier(ClassifierMixin, _SequenceEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Classify sequences with a convolutional network, as scikit-learn's classifiers do.

    Two classes, several, or several labels at once (`y` of zeros and ones, ``(N, K)``). Each class needs 10 records.

    Parameters
    ----------
    network, strands, positions, epochs, batch_size, lr, alphabet, unknown, device, precision
        As `seqcnn.options.TrainOptions` and `seqcnn.options.DataOptions` say.
    valid
        Share of the records that steers early stopping and calibration.
    random_state
        Seed, `numpy.random.RandomState`, or None.
    verbose
        Whether to show a progress bar.

    Attributes
    ----------
    model_
        The trained `seqcnn.Model`: its card, `seqcnn.find_motifs` and `seqcnn.report` work on it.
    classes_
        Class labels ``(K,)``; column numbers where `y` had several labels a record.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = ["".join(rng.choice(list("ACGT"), 30)) for _ in range(80)]
    >>> X[:40] = [x[:10] + "TGACTCA" + x[17:] for x in X[:40]]
    >>> y = ["bound"] * 40 + ["free"] * 40
    >>> SequenceClassifier(network="deepbind", epochs=2, random_state=0).fit(X, y).classes_.tolist()
    ['bound', 'free']
    """

    def __sklearn_tags__(self) -> Tags:
        """Say that several labels a record are fine."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Train on sequences ``(N,)`` and their labels ``(N,)``, or ``(N, K)`` zeros and ones.

        Raises
        ------
        DataError, AlphabetError
            If there is one class only, a class has under 10 records, or a sequence cannot be read.
        ValueError
            If X and y differ in length, or y holds no classes.
        """
        letters = as_letters(X)
        if y is None:
            raise ValueError("SequenceClassifier requires y to be passed, but the target y is None")
        check_consistent_length(letters, y)
        check_classification_targets(y)
        if type_of_target(y, input_name="y") == "multilabel-indicator":
            table = check_array(y, accept_sparse=True)
            table = np.asarray(table.toarray() if hasattr(table, "toarray") else table, np.float64)
            self.classes_ = np.arange(table.shape[1])
            return self._learn(letters, targets=table, task="multilabel", labels=tuple(map(str, self.classes_)))
        self.classes_, codes = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError("y: one class only; a classifier can't train when only one class is present")
        task = "binary" if len(self.classes_) == 2 else "multiclass"
        targets = codes[:, None].astype(np.float64)
        return self._learn(letters, targets=targets, task=task, labels=tuple(map(str, self.classes_)))

    def decision_function(self, X: Any) -> npt.NDArray[np.float32]:
        """Return calibrated logits: ``(N,)`` of the second class where there are two, else ``(N, K)``."""
        logits = self._logits(X)
        return logits[:, 0] if self.model_.task.name == "binary" else logits

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class or label, ``(N, K)``."""
        logits = torch.from_numpy(self._logits(X)).double()  # so that sure records don't tie at 1
        output = self.model_.task.activation(logits).numpy()
        return np.hstack([1 - output, output]) if self.model_.task.name == "binary" else output

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the most probable class ``(N,)``, or zeros and ones ``(N, K)`` for several labels."""
        logits = self._logits(X)
        if self.model_.task.name == "multilabel":
            return (logits > 0).astype(np.int64)
        found: npt.NDArray[Any] = self.classes_[
            (logits[:, 0] > 0).astype(int) if self.model_.task.name == "binary" else logits.argmax(1)
        ]
        return found


class SequenceRegressor(RegressorMixin, _SequenceEstimator):  # type: ignore[misc]
    """Predict numbers from sequences with a convolutional network, as scikit-learn's regressors do.

    Heavy-tailed targets are transformed for training and back in the output; a missing target (NaN) of several is
    left out of the loss.

    Parameters
    ----------
    network, strands, positions, epochs, batch_size, lr, alphabet, unknown, device, precision
        As `seqcnn.options.TrainOptions` and `seqcnn.options.DataOptions` say.
    valid
        Share of the records that steers early stopping.
    random_state
        Seed, `numpy.random.RandomState`, or None.
    verbose
        Whether to show a progress bar.

    Attributes
    ----------
    model_
        The trained `seqcnn.Model`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = ["".join(rng.choice(list("ACGT"), 30)) for _ in range(60)]
    >>> y = [x.count("G") for x in X]
    >>> SequenceRegressor(network="composition", epochs=1, random_state=0).fit(X, y).predict(X[:5]).shape
    (5,)
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train on sequences ``(N,)`` and numbers ``(N,)`` or ``(N, T)``; NaN is missing.

        Raises
        ------
        DataError, AlphabetError
            If there are too few records, or a sequence cannot be read.
        ValueError
            If X and y differ in length, or y is not numbers.
        """
        letters = as_letters(X)
        if y is None:
            raise ValueError("SequenceRegressor requires y to be passed, but the target y is None")
        check_consistent_length(letters, y)
        table = check_array(
            y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y", ensure_min_samples=1
        )
        self._single = table.ndim == 1
        table = table.reshape(len(table), -1)
        names = getattr(y, "columns", range(1, table.shape[1] + 1))
        labels = ("target",) if self._single else tuple(map(str, names))
        return self._learn(letters, targets=table, task="regression", labels=labels)

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return predictions in the units of `y`, ``(N,)`` or ``(N, T)``."""
        logits = self._logits(X)
        output = self.model_.task.output(logits).astype(np.float64)
        return output[:, 0] if self._single else output
