"""Pointer trajectories: tables of time, x, y and clicks, one file a trajectory."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from seqcnn.errors import FormatError
from seqcnn.io.opening import shown
from seqcnn.io.table import is_table, read_table

#: Column names that are known, of each variable; time and clicks may be absent.
COLUMNS = {
    "time": ("time", "t", "timestamp", "ms", "seconds"),
    "x": ("x", "pos_x", "client_x", "screen_x"),
    "y": ("y", "pos_y", "client_y", "screen_y"),
    "click": ("click", "clicked", "button", "pressed", "state", "pen"),
}
#: Cells that say that no button is down.
_UP = frozenset({"", "0", "0.0", "false", "no", "none", "nobutton", "move", "up", "released"})


def is_trajectory(path: str | Path) -> bool:
    """Return whether a file name says table."""
    return is_table(path)


def read_trajectory(path: str | Path) -> npt.NDArray[np.float32]:
    r"""Return time, x, y and click (0 or 1) of a trajectory, ``(4, T)``.

    Without a time column the points are taken to be equally spaced; without one for clicks there is none. Time starts
    at 0.

    Raises
    ------
    InputFileError, FormatError
        Naming file, row and column.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("t,x,y,button\n5,0,0,none\n6,3,4,left\n")
    >>> read_trajectory(path).tolist()
    [[0.0, 1.0], [0.0, 3.0], [0.0, 4.0], [0.0, 1.0]]
    """
    name = shown(path)
    frame = read_table(path)
    found = {str(column).lower(): [str(cell) for cell in frame[column]] for column in frame.columns}
    cells = {
        variable: next((found[known] for known in names if known in found), None) for variable, names in COLUMNS.items()
    }
    for needed in ("x", "y"):
        if cells[needed] is None:
            raise FormatError(
                f"{name}: no column {needed!r}; expected columns t, x, y and click, found {', '.join(found)}"
            )
    out = np.zeros((4, len(frame)), np.float64)
    out[0] = np.arange(len(frame))
    for row, variable in enumerate(("time", "x", "y")):
        values = cells[variable]
        if values is not None:
            out[row] = [_number(cell, name, i, variable) for i, cell in enumerate(values, 1)]
    if np.isnan(out[1:3]).all(1).any():
        raise FormatError(f"{name}: no value in column x or y; delete the file")
    if cells["click"] is not None:
        out[3] = [cell.lower() not in _UP for cell in cells["click"]]
    out[0] -= np.nanmin(out[0]) if np.isfinite(out[0]).any() else 0
    return out.astype(np.float32)


def _number(cell: str, name: str, row: int, column: str) -> float:
    if not cell or cell.lower() in ("na", "nan"):
        return np.nan
    try:
        number = float(cell)
    except ValueError:
        number = np.inf
    if abs(number) > float(np.finfo(np.float32).max):
        raise FormatError(f"{name}, row {row}, column {column!r}: expected a number, found {cell!r}")
    return number
