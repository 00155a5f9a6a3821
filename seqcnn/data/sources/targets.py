"""Target columns of text to a task: what is learned, from which numbers or classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.checks import did_you_mean
from seqcnn.data.dataset import Expected
from seqcnn.errors import DataError, OptionError
from seqcnn.registry import resolve

#: Cells that say that a value is missing.
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none"})
#: Of a column of classes: "none" may well be a class.
MISSING_CLASS = frozenset({"", "na", "n/a", "#n/a", "nan"})
#: Spellings of the positive one of two classes.
POSITIVE = ("1", "1.0", "true", "yes", "pos", "positive", "active")
#: Whole numbers of at most so many values are classes.
MOST_CLASSES = 20

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Targets:
    """Targets ``(N, T)``, missing ones NaN, with the task they were found to be."""

    task: str
    labels: tuple[str, ...]
    values: Floats
    notes: tuple[str, ...] = ()


def read_targets(
    columns: dict[str, list[str]],
    rows: Sequence[int],
    name: str,
    *,
    task: str | None = None,
    positive: str | None = None,
    expected: Expected | None = None,
    unit: str = "row",
) -> Targets:
    """Return the targets that columns of text hold.

    One column of two values is binary, of text or at most 20 whole numbers multiclass, else regression; several columns
    are multilabel if all is 0 or 1, else regression. `task` overrides this; `expected` says task and labels.

    Parameters
    ----------
    columns
        Column name to its N cells.
    rows
        Row number of each, for messages.
    name
        How messages call the table.
    task, positive
        As in the options.
    expected
        Of a trained model, or None.
    unit
        How messages call a row: ``line`` in BED files.

    Raises
    ------
    DataError
        Naming row and column of a cell that is no number where one is needed, infinite, or NaN in the only target; of
        values that are one class only, or no class of the model.
    OptionError
        If the positive one of two values can't be told, or is none of them.

    Examples
    --------
    >>> t = read_targets({"y": ["active", "inactive", "NA"]}, [1, 2, 3], "x.csv")
    >>> t.task, t.labels, t.values.ravel().tolist()
    ('binary', ('inactive', 'active'), [1.0, 0.0, nan])
    """
    where = _Where(name, rows, unit)
    if expected is not None:
        if task is not None and task != expected.task:
            raise OptionError(f"--task {task}: the model's task is {expected.task}; leave the option out")
        task = expected.task
    several = len(columns) > 1
    if task == "multilabel" or (task is not None and resolve("task", task).numeric) or (task is None and several):
        if not several:
            _refuse_nan(*next(iter(columns.items())), where)
        return _numbers(columns, where, task, positive, expected)
    if several:
        raise OptionError(f"--task {task}: expected one --target column, found {len(columns)}")
    (column, cells), *_ = columns.items()
    numbers = _as_numbers(cells)
    if numbers is not None:
        _refuse_nan(column, cells, where)
    if task is None and numbers is not None and not _are_classes(numbers):
        return _numbers(columns, where, "regression", positive, expected)
    if task is None and numbers is None:
        _refuse_strays(column, cells, where)
    return _classes(column, cells, where, task=task, positive=positive, expected=expected)


@dataclass(frozen=True)
class _Where:
    """The words for a place in the table."""

    name: str
    rows: Sequence[int]
    unit: str

    def __call__(self, at: int, column: str) -> str:
        return f"{self.name}, {self.unit} {self.rows[at]}, column {column!r}"


def _number(cell: str) -> float | None:
    """Return a cell's number, NaN where missing, None where it is text."""
    if cell.lower() in MISSING:
        return np.nan
    try:
        return float(cell) if "_" not in cell else None
    except ValueError:
        return {"true": 1.0, "false": 0.0}.get(cell.lower())


def _as_numbers(cells: Sequence[str]) -> Floats | None:
    """Return cells as numbers; None if any is text (true and false included, which are classes)."""
    numbers = np.empty(len(cells))
    for i, cell in enumerate(cells):
        value = None if cell.lower() in ("true", "false") else _number(cell)
        if value is None:
            return None
        numbers[i] = value
    return numbers


def _refuse_nan(column: str, cells: Sequence[str], where: _Where) -> None:
    """Raise where the only target of a row is a failed computation; beside other targets it counts as missing."""
    for i, cell in enumerate(cells):
        if cell.lower() == "nan":
            raise DataError(f"{where(i, column)}: {cell!r} is not a number; expected a number, or an empty cell")


def _are_classes(numbers: Floats) -> bool:
    """Return whether numbers are two values, or at most 20 whole ones."""
    values = np.unique(numbers[~np.isnan(numbers)])
    return len(values) <= 2 or (len(values) <= MOST_CLASSES and bool(np.all(values == np.round(values))))


def _refuse_strays(column: str, cells: Sequence[str], where: _Where) -> None:
    """Raise where a column is numbers but for a few cells of text, or text without two records a class."""
    texts = [i for i, cell in enumerate(cells) if _number(cell) is None]
    present = sum(cell.lower() not in MISSING for cell in cells)
    if texts and len(texts) < 0.2 * present:
        raise DataError(
            f"{where(texts[0], column)}: {cells[texts[0]]!r} is not a number, as {present - len(texts):,} other cells "
            "are; correct it, or pass --task multiclass if these are classes"
        )
    values = {cell for cell in cells if cell.lower() not in MISSING_CLASS}
    if len(values) > 20 and len(values) > 0.5 * present:
        raise DataError(
            f"{where.name}, column {column!r}: {len(values):,} different texts in {present:,} rows are neither numbers "
            "nor classes; name another --target"
        )


def _numbers(
    columns: dict[str, list[str]], where: _Where, task: str | None, positive: str | None, expected: Expected | None
) -> Targets:
    """Return the targets of multilabel and regression."""
    if positive is not None:
        raise OptionError("--positive: belongs to two classes; these targets are numbers or several columns")
    values = np.empty((len(where.rows), len(columns)))
    for j, (column, cells) in enumerate(columns.items()):
        for i, cell in enumerate(cells):
            number = _number(cell)
            if number is None or np.isinf(number):
                fault = "not a number" if number is None else "infinite"
                raise DataError(f"{where(i, column)}: {cell!r} is {fault}; expected a number, or an empty cell")
            if task == "multilabel" and number not in (0, 1) and number == number:
                raise DataError(f"{where(i, column)}: {cell!r} is neither 0 nor 1, as multilabel needs")
            values[i, j] = number
        if np.isnan(values[:, j]).all():
            raise DataError(f"{where.name}, column {column!r}: every value is missing; name another --target")
    labels = tuple(columns)
    if expected is not None and len(labels) != len(expected.labels):
        raise DataError(
            f"{where.name}: {len(labels)} target columns for a model of {len(expected.labels)} "
            f"({', '.join(expected.labels)}); name as many with --target"
        )
    if task is None:
        known = values[~np.isnan(values)]
        task = "multilabel" if np.isin(known, (0, 1)).all() else "regression"
    if expected is not None and set(labels) == set(expected.labels):
        values = values[:, [labels.index(label) for label in expected.labels]]
    return Targets(task, labels if expected is None else expected.labels, values)


def _spelled(cell: str, numeric: bool) -> str:
    """Return the class a cell names: 1.0 and 1 are one class in a column of numbers."""
    return f"{float(cell):g}" if numeric else cell


def _classes(
    column: str,
    cells: Sequence[str],
    where: _Where,
    *,
    task: str | None,
    positive: str | None,
    expected: Expected | None,
) -> Targets:
    """Return the targets of binary and multiclass."""
    numbers = _as_numbers(cells)
    numeric = numbers is not None
    if numbers is not None and np.isinf(numbers).any():
        at = int(np.isinf(numbers).argmax())
        raise DataError(f"{where(at, column)}: {cells[at]!r} is infinite; expected a class, or an empty cell")
    missing = MISSING if numeric else MISSING_CLASS
    names = [None if cell.lower() in missing else _spelled(cell, numeric) for cell in cells]
    found = sorted({name for name in names if name is not None}, key=float if numeric else str)
    if not found:
        raise DataError(f"{where.name}, column {column!r}: every value is missing; name another --target")
    if expected is not None:
        labels = expected.labels
        foreign = [i for i, name in enumerate(names) if name is not None and name not in labels]
        for at in foreign[:1]:
            raise DataError(
                f"{where(at, column)}: {cells[at]!r} is no class of the model; expected {', '.join(labels)}"
                f"{did_you_mean(cells[at], labels)}"
            )
        task = expected.task
    elif len(found) == 1:
        raise DataError(f"{where.name}, column {column!r}: one class only, {found[0]!r}; expected two or more")
    else:
        task = task or ("binary" if len(found) == 2 else "multiclass")
        if task == "binary":
            labels = _two(found, f"{where.name}, column {column!r}", positive, numeric)
        else:
            labels = tuple(found)
            if positive is not None:
                raise OptionError(f"--positive: column {column!r} has {len(found)} classes, not two")
    index = {label: float(i) for i, label in enumerate(labels)}
    values = np.array([[np.nan if name is None else index[name]] for name in names])
    notes = (f"positive class: {labels[1]!r} of column {column!r}",) if task == "binary" else ()
    return Targets(str(task), labels, values, notes)


def _two(found: Sequence[str], what: str, positive: str | None, numeric: bool) -> tuple[str, ...]:
    """Return the negative and the positive one of two classes."""
    if len(found) != 2:
        raise DataError(f"{what}: {len(found)} classes ({', '.join(found[:10])}); binary needs two")
    if positive is not None:
        wanted = _spelled(positive, True) if numeric and _number(positive) is not None else positive
        if wanted not in found:
            raise OptionError(f"--positive {positive}: {what} holds {found[0]!r} and {found[1]!r}")
        right = wanted
    else:
        likely = [name for name in found if name.lower() in POSITIVE]
        if len(likely) != 1:
            raise OptionError(
                f"{what} holds {found[0]!r} and {found[1]!r}; say which is positive with --positive"
                f"{', or pass --task regression' * numeric}"
            )
        right = likely[0]
    return tuple(sorted(found, key=lambda name: name == right))
