"""The report as one self-contained HTML document."""

import base64
import hashlib
import html
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any

import jinja2
from markupsafe import Markup, escape

from seqcnn.data.dataset import Dataset
from seqcnn.io.writing import atomic
from seqcnn.model.evaluation import Evaluation
from seqcnn.model.model import Model
from seqcnn.motifs.found import MotifSet
from seqcnn.plot.palette import THEMED
from seqcnn.registry import names, resolve
from seqcnn.reporting import words
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.runtime import versions


@dataclass(frozen=True)
class HTMLReport:
    """A report that shows itself in a notebook and saves itself as a file.

    Parameters
    ----------
    html
        The whole document.
    """

    html: str

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the document, whole or not at all."""
        with atomic(path) as stream:
            stream.write(self.html)

    def __repr__(self) -> str:
        return f"HTMLReport({len(self.html) / 1e6:.1f} MB); .save(path) writes it"

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" title="seqcnn report" '
            'style="width:100%;height:80vh;border:1px solid #8886" sandbox="allow-scripts allow-downloads"></iframe>'
        )


@dataclass(frozen=True)
class Part:
    """What stands under one heading, made already."""

    name: str
    title: str
    html: Markup


@dataclass(frozen=True)
class Run:
    """Parts one below the other, or, narrow ones, beside each other."""

    half: bool
    parts: list[Part]


@dataclass(frozen=True)
class Group:
    """A chapter of the page, with a link in its contents."""

    title: str
    id: str
    first: bool
    runs: list[Run]


def build_report(
    model: Model,
    evaluation: Evaluation | None,
    motifs: MotifSet | None,
    data: Dataset,
    *,
    command: str = "",
    missing: dict[str, str] | None = None,
) -> str:
    """Return the report on a model as one HTML document that loads nothing from anywhere.

    Parameters
    ----------
    model
        The model.
    evaluation
        Its figures on `data`; None where there is nothing to evaluate on.
    motifs
        What its filters learned; None for pictures, and for networks without such filters.
    data
        The records the report is about; the model's training records are left out of figures, not of the motifs.
    command
        The shell command that makes the report again.
    missing
        Why something is None: ``{"motifs": "..."}``.

    Returns
    -------
    str
        The document. What cannot be shown is said in its place.
    """
    material = Material(model, evaluation, motifs, data, command, dict(missing or {}))
    templates = environment()
    sections = [section for name in names("section") if (section := resolve("section", name)()).suits(material)]
    groups: list[Group] = []
    for title, members in groupby(sections, key=lambda section: section.group):
        runs = [
            Run(half, [_part(section, material, templates) for section in run])
            for half, run in groupby(members, key=lambda section: section.half(material))
        ]
        groups.append(Group(title, title.lower().replace(" ", "-"), not groups, runs))
    network = f"{type(model.network).__name__} network"
    made = [f"model of {model.record.created[:10]}"] if model.record.created else []
    return page(groups, title=material.title, facts=[material.nouns.count(len(data)), network, *made])


def page(groups: Sequence[Group], *, title: str, facts: Sequence[str], kind: str = "report") -> str:
    """Return a page of groups as one HTML document that loads nothing from anywhere.

    Parameters
    ----------
    groups
        The chapters.
    title
        Of the page.
    facts
        What stands below the title, before the date.
    kind
        What the page is called.
    """
    script = _asset("script.js")
    return (
        environment()
        .get_template("page.j2")
        .render(
            title=title,
            kind=kind,
            facts=[*facts, f"{kind} of {datetime.now(UTC).date().isoformat()}"],
            groups=groups,
            version=versions().get("seqcnn", ""),
            style=Markup(_asset("style.css").replace("/*DARK*/", _dark(_asset("dark.css")))),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _part(section: Section, material: Material, templates: jinja2.Environment) -> Part:
    content = section.content(material)
    template = "missing.j2" if content.get("missing") else f"{section.name}.j2"
    text = templates.get_template(template).render(m=material, **content)
    return Part(section.name, section.title, Markup(text.strip()))


@cache
def _asset(name: str) -> str:
    return (files("seqcnn.reporting") / name).read_text("utf-8")


def _dark(colors: str) -> str:
    """Return the dark colors for readers whose system is dark, and for those who press the button."""
    block = " ".join(colors.split())
    return (
        f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {block} }} }}\n"
        f"@media screen {{ :root[data-theme=dark] {{ {block} }} }}"
    )


def _soft(name: str) -> Markup:
    """Return a name that may break after its punctuation."""
    return Markup(re.sub(r"([_./-]+)", r"\1<wbr>", str(escape(name))))


@cache
def environment() -> jinja2.Environment:
    """Return the templates of the reports."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _asset(f"templates/{name}")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    filters: dict[str, Callable[..., Any]] = {
        "number": words.number,
        "interval": words.interval,
        "percent": words.percent,
        "tiny": words.tiny,
        "count": words.count,
        "plural": words.plural,
        "spoken": words.spoken,
        "first_upper": words.first_upper,
        "duration": words.duration,
        "bytes": words.size,
        "soft": _soft,
        "themed": lambda color: THEMED.get(color, color),
    }
    made.filters.update(filters)
    return made
