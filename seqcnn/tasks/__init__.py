"""What is learned: one learning task a file, made by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.registry import resolve
from seqcnn.tasks.task import Task

__all__ = ["Task", "fit_task", "task_from_config"]


def fit_task(
    name: str, labels: tuple[str, ...], targets: npt.NDArray[np.float64], options: Mapping[str, Any] | None = None
) -> Task:
    """Return the registered task `name`, fitted to training targets ``(N, T)``; `options` are the task's own.

    Raises
    ------
    OptionError
        For an unknown task.
    DataError
        For targets the task cannot have.
    """
    kind: type[Task] = resolve("task", name)
    return kind.fit(labels, targets, **(options or {}))


def task_from_config(config: Mapping[str, Any]) -> Task:
    """Return the task that `Task.config` described.

    Raises
    ------
    OptionError
        For an unknown task or an unknown or missing field.
    """
    kind: type[Task] = resolve("task", str(config.get("name", "")))
    return kind.from_config(config)
