"""Kernels that are compiled when first called, so that only who calls one waits for numba."""

from collections.abc import Callable
from threading import RLock
from types import FunctionType
from typing import Any

_LOCK = RLock()


class Kernel:
    """A function in the subset of Python that numba compiles; it may call others of its kind.

    What numba makes of it is kept on disk, once a machine. It runs without the GIL and on the calling thread (numba's
    own pool upsets OpenMP's).

    Examples
    --------
    >>> @compiled
    ... def total(numbers):
    ...     found = 0
    ...     for number in numbers:
    ...         found += number
    ...     return found
    >>> total.plain((1, 2))
    3
    """

    def __init__(self, plain: Callable[..., Any]) -> None:
        self.plain, self.__doc__ = plain, plain.__doc__
        self._made: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        """Return what the compiled function does."""
        return (self._made or self.made())(*arguments)

    def made(self) -> Callable[..., Any]:
        """Return the compiled function, the same one to all threads."""
        with _LOCK:
            if self._made is None:
                self._made = self._compiled()
        return self._made

    def _compiled(self) -> Callable[..., Any]:
        import numba

        code, known = self.plain.__code__, dict(self.plain.__globals__)
        for name in code.co_names:  # numba can call what it made, but no Kernel
            if isinstance(known.get(name), Kernel):
                known[name] = known[name].made()
        make = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"nnan", "nsz"})
        made: Callable[..., Any] = make(FunctionType(code, known))
        return made


#: As a decorator.
compiled = Kernel
