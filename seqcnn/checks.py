"""Argument checks that phrase every error the same way, with a did-you-mean."""

import difflib
from collections.abc import Collection, Iterable
from numbers import Integral, Real

from seqcnn.errors import OptionError


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the closest of `choices`, or an empty string.

    >>> did_you_mean("motifs", ["motif", "basset"])
    " (did you mean 'motif'?)"
    """
    close = difflib.get_close_matches(word, list(choices), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def one_of(value: str, choices: Collection[str], name: str) -> str:
    """Return `value` if it is one of `choices`, else raise `OptionError` naming the closest.

    >>> one_of("cpu", ["cpu", "cuda"], "--device")
    'cpu'
    """
    if value not in choices:
        raise OptionError(
            f"{name}: {value!r} is not one of {', '.join(map(str, choices))}"
            f"{did_you_mean(str(value), [str(c) for c in choices])}"
        )
    return value


def within(
    value: float,
    name: str,
    low: float | None = None,
    high: float | None = None,
) -> float:
    """Return `value` if ``low <= value <= high`` (a bound of None is open), else raise `OptionError`.

    >>> within(0.1, "--valid", 0, 1)
    0.1
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise OptionError(f"{name}: expected a number, found {value!r}")
    if value != value or (low is not None and value < low) or (high is not None and value > high):
        if high is None:
            wanted = f"{low} or more"
        elif low is None:
            wanted = f"{high} or less"
        else:
            wanted = f"from {low} to {high}"
        raise OptionError(f"{name}: expected {wanted}, found {value}")
    return value


def between(value: float, name: str, low: float, high: float) -> float:
    """Return `value` if ``low < value < high``, else raise `OptionError`.

    >>> between(0.9, "--coverage", 0, 1)
    0.9
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not low < value < high:
        raise OptionError(f"{name}: expected a number above {low} and below {high}, found {value!r}")
    return value


def whole(value: int, name: str, low: int | None = None, high: int | None = None) -> int:
    """Return `value` if it is a whole number and ``low <= value <= high``, else raise `OptionError`.

    >>> whole(5, "--epochs", 1)
    5
    """
    if isinstance(value, Real) and not isinstance(value, bool | Integral):
        raise OptionError(f"{name}: expected a whole number, found {value!r}")
    within(value, name, low, high)
    return value
