"""A field of an options dataclass, with the help text that the shell shows."""

from dataclasses import field
from typing import Any, Literal

Unknown = Literal["error", "mask"]


def opt(default: Any, help: str, **extra: Any) -> Any:
    """Return a dataclass field whose metadata carries the help text that the shell shows."""
    return field(default=default, metadata={"help": help, **extra})
