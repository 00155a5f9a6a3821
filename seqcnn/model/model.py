"""The Model: encoder, network and task together, with the record of how they came to be."""

import warnings
from copy import deepcopy
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from seqcnn.alphabet import Alphabet
from seqcnn.checks import one_of
from seqcnn.data.dataset import Dataset, Negatives, Raw, lengths_of
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import DataError, OptionError, SeqcnnWarning
from seqcnn.inference.predict import Logits, predict_logits, still
from seqcnn.io.writing import atomic
from seqcnn.model.card import html_card, text_card
from seqcnn.model.container import pack, unpack
from seqcnn.model.coverage import limits_of
from seqcnn.model.inputs import as_raw
from seqcnn.model.predictions import out_of_fold_columns
from seqcnn.model.record import TrainingRecord
from seqcnn.model.state import describe, restore
from seqcnn.model.sweeps import Scan, mutagenesis, scan
from seqcnn.nn.calibration import Calibration
from seqcnn.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd

#: A record may be this many times as long as the longest that was trained on.
LONGER = 1.5


class Model:
    """What training returns: everything needed to predict, and the record of how it came to be.

    Parameters
    ----------
    encoder
        Raw batches to images.
    network
        Images to logits ``(N, K)``: a plain ``nn.Module`` taking ``(N, C, L)`` or ``(N, C, H, W)``, fit for captum
        and tangermeme. One of your own works too; it is saved and loaded only under a registered name.
    task
        What the logits mean.
    alphabet
        Of sequences; None for series and pictures.
    longest
        Length of the longest training record.
    strands
        ``both`` averages the logits of a record and its reverse complement; ``forward`` reads it as given.
    calibration
        Layer from the network's logits to calibrated ones; None leaves them as they are.
    baselines
        Name to a network fitted on the same records: ``gc`` or ``composition``, and ``kmer``.
    record
        How the model came to be.

    Examples
    --------
    >>> model = seqcnn.load("ctcf.safetensors")              # doctest: +SKIP
    >>> model.predict(["ACGTTGCATGCC", "ttgacann"])          # doctest: +SKIP
    array([0.97, 0.02], dtype=float32)
    """

    def __init__(
        self,
        encoder: Encoder,
        network: nn.Module,
        task: Task,
        *,
        alphabet: Alphabet | None,
        longest: int,
        strands: str = "forward",
        calibration: nn.Module | None = None,
        baselines: dict[str, nn.Module] | None = None,
        record: TrainingRecord | None = None,
    ) -> None:
        self.encoder = encoder
        self.network = network
        self.task = task
        self.alphabet = alphabet
        self.longest = int(longest)
        self.strands = one_of(strands, ("both", "forward"), "strands")
        if strands == "both" and (alphabet is None or not alphabet.has_complement):
            raise OptionError("strands: both needs DNA or RNA; pass forward")
        self.calibration = Calibration(task.outputs).eval() if calibration is None else calibration
        self.baselines = dict(baselines or {})
        self.record = TrainingRecord() if record is None else record

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names (binary: negative, positive) or target names."""
        return self.task.labels

    @property
    def kind(self) -> str:
        """Raw kind of the records it reads: ``codes``, ``samples`` or ``pixels``."""
        return self.encoder.raw_kind

    @property
    def negatives(self) -> str | None:
        """Recorded kind of negatives: "shuffle", "matched", "flank", "file" or None."""
        return self.record.negatives

    @property
    def made(self) -> Negatives | None:
        """How the negatives trained on were made; None where they were not, or where only their kind is recorded."""
        told = self.record.data.get("made")
        return None if told is None else Negatives(**{**told, "match": tuple(told["match"])})

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table whose rows were the series trained on; none where a file held them."""
        return tuple(self.record.data.get("columns", ()))

    @property
    def fixed_width(self) -> int | None:
        """The window of a network that flattens; None where any length goes."""
        return getattr(self.network, "fixed_width", None)

    @property
    def n_parameters(self) -> int:
        """Number of trainable weights."""
        return sum(p.numel() for p in self.network.parameters() if p.requires_grad)

    def raw(self, values: Any, *, unknown: str = "error") -> Raw:
        """Return strings, sequences, series, pixels or a Dataset as raw records that `logits` takes."""
        return as_raw(values, encoder=self.encoder, alphabet=self.alphabet, unknown=unknown)

    def logits(self, values: Any, *, device: str | torch.device = "auto", precision: str = "32") -> Logits:
        """Return calibrated logits ``(N, K)``, one row a record in the order given.

        They do not depend on batch size or order. `values`: as for `predict`.
        """
        raw = self.raw(values)
        self.check_lengths(raw)
        logits = predict_logits(
            self.encoder, self.network, raw, strands=self.strands, device=device, precision=precision
        )
        return self.calibrated(logits)

    def calibrated(self, logits: Logits) -> Logits:
        """Return the network's logits ``(N, K)`` as calibrated ones."""
        calibration = still(self.calibration, torch.device("cpu"))
        with torch.inference_mode():
            return np.asarray(calibration(torch.from_numpy(logits)).numpy(), np.float32)

    def check_lengths(self, raw: Raw) -> None:
        """Refuse records longer than the window of a network that flattens, naming the first; warn of long ones."""
        width, lengths = self.fixed_width, lengths_of(raw)
        columns = self.encoder.columns(torch.from_numpy(lengths))
        if columns is None:
            return
        if width is not None and len(lengths) and int(columns.max()) > width:
            first = int((columns > width).int().argmax())
            raise DataError(
                f"record {first + 1}: length {lengths[first]:,}; this network reads at most {width:,} "
                f"{'positions' if self.kind == 'codes' else 'columns'}; cut the record, or score it in windows"
            )
        if self.longest:
            long = int((lengths > LONGER * self.longest).sum())
            if long:
                text = (
                    f"{long:,} of {len(raw):,} records are longer than {LONGER:g} times the longest training record "
                    f"({self.longest:,}); their scores may mean little"
                )
                warnings.warn(text, SeqcnnWarning, stacklevel=4)

    def predict(
        self, values: Dataset | Any, *, device: str | torch.device = "auto", precision: str = "32"
    ) -> npt.NDArray[np.float32]:
        """Return predictions in the task's own units: probabilities, or numbers.

        Parameters
        ----------
        values
            A list of strings (lower case is fine), `Sequences`; series ``(N, V, T)`` or a list of series; pixels
            ``(N, C, H, W)``; or a `Dataset`.
        device
            ``auto``, ``cpu``, ``cuda`` or a GPU's number.
        precision
            ``32`` or ``bf16``.

        Returns
        -------
        ``(N,)`` for a binary task (probability of the positive class) or a single target, else ``(N, columns)``.

        Raises
        ------
        AlphabetError, DataError
            If a record cannot be read by this model; the message names it.
        """
        output = self.task.output(self.logits(values, device=device, precision=precision), "probability")
        return np.asarray(output[:, 0] if len(self.task.columns) == 1 else output, np.float32)

    def predict_interval(
        self, values: Dataset | Any, *, coverage: float = 0.9, device: str | torch.device = "auto"
    ) -> npt.NDArray[np.float64]:
        """Return the lowest and highest number to expect of each record, ``(N, 2)``, or ``(N, T, 2)`` of T targets.

        Of new records like those trained on, the truth lies within for the share `coverage`: by split-conformal
        prediction, from records that were held out of training. Of angles the way from the first to the second
        number may lead through the end of the scale.

        Parameters
        ----------
        values, device
            As for `predict`.
        coverage
            Between 0 and 1.

        Raises
        ------
        OptionError
            If the task has classes: `predict_set` suits those.
        DataError
            If too few records were held out for the coverage, or the model file keeps no errors of any.
        """
        if not self.task.numeric:
            raise OptionError(f"predict_interval: belongs to numbers, the task is {self.task.name}; call predict_set")
        limits = limits_of(self.task, self.record.conformity, coverage)
        found = self.task.ranges(self.logits(values, device=device), limits)
        return found[:, 0] if found.shape[1] == 1 else found

    def predict_set(
        self, values: Dataset | Any, *, coverage: float = 0.9, device: str | torch.device = "auto"
    ) -> list[tuple[str, ...]]:
        """Return the classes to expect of each record, or the labels that it may hold, N of them, the likeliest first.

        Of new records like those trained on, the share `coverage` has its class in the set (of several labels: of
        those that hold a label, the share has it in the set); see `predict_interval`.

        Raises
        ------
        OptionError, DataError
            As `predict_interval`.
        """
        if self.task.numeric:
            raise OptionError(f"predict_set: belongs to classes, the task is {self.task.name}; call predict_interval")
        return self.named_sets(
            self.logits(values, device=device), limits_of(self.task, self.record.conformity, coverage)
        )

    def named_sets(self, logits: Logits, limits: npt.NDArray[np.float64]) -> list[tuple[str, ...]]:
        """Return the labels within their limits ``(labels,)`` of calibrated logits ``(N, K)``, the likeliest first."""
        order = np.argsort(self.task.oddness(logits), axis=1, kind="stable")
        within = self.task.sets(logits, limits)
        return [tuple(self.labels[k] for k in row if held[k]) for row, held in zip(order, within, strict=True)]

    def scan(
        self,
        sequence: Any,
        *,
        window: int | None = None,
        step: int | None = None,
        device: str | torch.device = "auto",
        precision: str = "32",
    ) -> Scan:
        """Return predictions for windows all along a sequence.

        Windows that overlap share their work where the network allows it, which gives each exactly the prediction that
        it has by itself; a warning says why where it does not.

        Parameters
        ----------
        sequence
            Of any length: a string, or one record.
        window, step
            Letters of a window (default: what the network was trained on) and from one to the next (default: half a
            window). The last window ends where the sequence ends; a shorter sequence is one window.
        device, precision
            As for `predict`.

        Returns
        -------
        Scan
            ``starts`` ``(n,)`` and ``scores``, as `predict` gives them, ``(n,)`` or ``(n, columns)``.

        Raises
        ------
        OptionError
            If the model reads something else than sequences, or the window or step is not its kind.
        AlphabetError, DataError
            If the sequence cannot be read by this model.
        """
        return scan(self, sequence, window=window, step=step, device=device, precision=precision)

    def mutagenesis(
        self, values: Any, *, output: int = 0, device: str | torch.device = "auto"
    ) -> npt.NDArray[np.float32]:
        """Return what each letter at each place would do to the output, ``(N, A, L)``; 0 for the letter that is there.

        The change of the calibrated logit, or of a number in its own units. Of a network made of local steps only what
        a letter changes is computed.

        Parameters
        ----------
        values
            As for `predict`; where lengths differ, NaN follows the end of a record.
        output
            Which of the logits, or of the numbers.
        device
            As for `predict`.

        Raises
        ------
        OptionError
            If the model reads something else than sequences.

        References
        ----------
        Zhou, Troyanskaya. Nature Methods 12:931 (2015). doi:10.1038/nmeth.3547
        """
        return mutagenesis(self, values, output=output, device=device)

    @property
    def out_of_fold(self) -> "pd.DataFrame":
        """Predictions for each record that was cross-validated, by a model that had seen neither it nor its relatives.

        The columns are ``id``, ``fold`` (from 1), ``truth`` (or one a target) and the scores, as ``--predictions`` of
        the verb train writes them.

        Raises
        ------
        DataError
            If the model holds none.
        """
        import pandas as pd

        return pd.DataFrame(out_of_fold_columns(self))

    def baseline_logits(self, name: str, values: Any, *, device: str | torch.device = "auto") -> Logits:
        """Return the logits ``(N, K)`` of a stored baseline."""
        network = self.baselines[one_of(name, list(self.baselines), "baseline")]
        return predict_logits(self.encoder, network, self.raw(values), device=device)

    def to_bytes(self) -> bytes:
        """Return the bytes of the model file: the same for the same model."""
        return pack(*describe(self))

    @classmethod
    def from_bytes(cls, data: bytes, where: str = "model") -> "Model":
        """Return the model whose file has these bytes; `ModelFileError` naming `where` if they are not sound."""
        header, arrays = unpack(data, where)
        return cls(**restore(header, arrays, where))

    def save(self, path: str | PathLike[str]) -> None:
        """Write one ``.safetensors`` file, whole or not at all."""
        data = self.to_bytes()
        with atomic(path, "wb") as stream:
            stream.write(data)

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return Model.from_bytes, (self.to_bytes(),)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Model":
        copy = object.__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update({name: deepcopy(value, memo) for name, value in self.__dict__.items()})
        return copy

    def __repr__(self) -> str:
        return text_card(self)

    def _repr_html_(self) -> str:
        return html_card(self)
