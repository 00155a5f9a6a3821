"""The base of the report's sections: what one shows, and when."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from seqcnn.reporting.material import Material

EVERY_TASK = ("binary", "multiclass", "multilabel", "regression", "circular")


class Section(ABC):
    """One section: its template is ``templates/<name>.j2`` and sees what `content` returns.

    Sections of one `group` stand under one heading. A task that is not listed in `tasks` gets a section by naming it
    in its own ``sections``.
    """

    name: ClassVar[str]
    group: ClassVar[str]
    title: ClassVar[str] = ""
    tasks: ClassVar[tuple[str, ...]] = EVERY_TASK
    kinds: ClassVar[tuple[str, ...]] = ("codes", "samples", "pixels")

    def suits(self, material: Material) -> bool:
        """Return whether the section has a place in a report on `material`."""
        declared = getattr(material.model.task, "sections", ())
        return (material.task in self.tasks or self.name in declared) and material.kind in self.kinds

    def half(self, material: Material) -> bool:
        """Return whether it is narrow, to stand beside its neighbor where there is room."""
        return False

    @abstractmethod
    def content(self, material: Material) -> dict[str, Any]:
        """Return what the template shows; ``missing``, a sentence, stands in its place where that is all there is."""
