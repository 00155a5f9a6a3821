"""Which records train, steer and test, and the folds in which they are cross-validated."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seqcnn.data.crossvalidation import cross_folds, together
from seqcnn.data.dataset import Dataset
from seqcnn.data.joining import join
from seqcnn.data.splits import Parts, split
from seqcnn.errors import OptionError
from seqcnn.options import TrainOptions

Indices = npt.NDArray[np.int64]

#: Under so many records, figures come from folds, this many: a tenth of the records would say little.
FEW_RECORDS, FOLDS = 2000, 5
#: Share of the records that steer, and that test, where nothing else is asked for.
DEFAULT_SHARE = 0.1


@dataclass(frozen=True)
class Division:
    """Records divided for a training.

    Parameters
    ----------
    data
        The records, those given for validation at the end.
    parts
        Rows that train, steer and test.
    fold
        Fold of each record from 0, -1 for those of the test part, ``(N,)``; None where there are no folds.
    notes
        What the user should know.
    given
        Whether somebody said which records validate.
    """

    data: Dataset
    parts: Parts
    fold: Indices | None = None
    notes: tuple[str, ...] = ()
    given: bool = False

    @property
    def folds(self) -> int:
        """How many folds there are."""
        return 0 if self.fold is None else int(self.fold.max()) + 1


def divide(data: Dataset, options: TrainOptions, *, valid: Dataset | None = None, tested: bool = False) -> Division:
    """Return the data (with the validation records given), divided as the options ask.

    Folds are made where they are asked for, of all records but the test part, if that is asked for too; else under
    2,000 records without a test part. Where those would not do, they are left out, which is noted.

    Parameters
    ----------
    tested
        Whether test records are given apart.

    Raises
    ------
    OptionError
        If the options ask for parts or folds that these records cannot fill.
    """
    share = _share(options.test, "test") if not tested else 0.0
    if options.split.startswith(("column:", "chromosome:")) and share:
        raise OptionError(f"--test {share:g}: --split {options.split} says what is tested on; leave one out")
    named = data.parts is not None and bool((data.parts == "test").any())
    if options.folds is not None:
        return _checked(data, options, options.folds, test=share, valid=valid)
    if len(data) < FEW_RECORDS and not (tested or named or share):
        try:
            return _checked(data, options, FOLDS, test=share, valid=valid)
        except OptionError as error:
            try:
                division = _checked(data, options, 0, test=share, valid=valid)
            except OptionError:
                raise error from None
            return replace(division, notes=(f"no out-of-fold figures; {error}", *division.notes))
    return _checked(data, options, 0, test=share, valid=valid)


def _checked(data: Dataset, options: TrainOptions, k: int, *, test: float | None, valid: Dataset | None) -> Division:
    """Return the division into `k` folds, or into none; a test part is drawn if `test` says so, or there are none."""
    if test is None:
        test = 0.0 if k else DEFAULT_SHARE
    share = _share(options.valid, "valid") if valid is None else 0.0
    share = DEFAULT_SHARE if share is None else share
    if share + test >= 1:
        raise OptionError(f"--valid {share:g} --test {test:g}: no record would be left to train on")
    given = valid is not None or (data.parts is not None and bool((data.parts == "valid").any()))
    whole, notes = together(data, k) if k else (data, [])
    parts = split(whole, valid=share, test=test, seed=options.seed)
    if valid is not None:
        n = len(data)
        whole = join(data, valid, "--valid")
        parts = replace(parts, valid=np.concatenate([parts.valid, np.arange(n, len(whole))]))
        whole, notes = together(whole, k) if k else (whole, [])
    if not k:
        return Division(whole, parts, given=given)
    fold = np.full(len(whole), -1, np.int64)
    pool = np.setdiff1d(np.arange(len(whole)), parts.test)
    fold[pool] = cross_folds(whole.take(pool), k, seed=options.seed)
    return Division(whole, parts, fold, tuple(notes), given)


def _share(values: tuple[str, ...], name: str) -> float | None:
    """Return the fraction an option gives; None where it gives none.

    Raises
    ------
    OptionError
        For a file: the caller reads files.
    """
    if not values:
        return None
    try:
        return float(values[0])
    except ValueError:
        raise OptionError(f"--{name}: expected a fraction, or a data set that was read from {values[0]!r}") from None
