"""The base of the checks: what each looks for, and in what kind of records."""

from abc import ABC, abstractmethod
from typing import ClassVar

from seqcnn.data.dataset import Dataset
from seqcnn.quality.findings import Outcome
from seqcnn.quality.subject import Subject


class Check(ABC):
    """One kind of check, registered by name; it edits nothing and says what it could not do."""

    kinds: ClassVar[tuple[str, ...]] = ("codes", "samples", "pixels")
    needs_targets: ClassVar[bool] = False

    def suits(self, data: Dataset) -> bool:
        """Return whether there is something to look at."""
        return data.kind in self.kinds and len(data) > 0 and (data.targets is not None or not self.needs_targets)

    @abstractmethod
    def look(self, subject: Subject) -> Outcome:
        """Return what was found."""
