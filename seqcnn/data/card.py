"""The card of a Dataset, as text for a terminal and as HTML for a notebook."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from seqcnn.samples import Samples

if TYPE_CHECKING:
    from seqcnn.data.dataset import Dataset

#: What records of samples are called, by encoder.
_SAMPLES = {"trajectory": "trajectories", "bytes": "files"}
#: No color of its own but the bars': it takes the notebook's, light or dark.
_STYLE = (
    ".seqcnn-data{font:13px/1.5 system-ui,sans-serif;border:1px solid color-mix(in srgb,currentColor 22%,transparent);"
    "border-radius:8px;padding:14px 18px;max-width:680px;display:inline-block;text-align:left}"
    ".seqcnn-data h4{margin:0 0 8px;font-size:15px}.seqcnn-data ul{margin:10px 0 0;padding-left:18px;opacity:.75}"
    ".seqcnn-data table{border-collapse:collapse;background:none;font-variant-numeric:tabular-nums}"
    ".seqcnn-data td{padding:2px 14px 2px 0;text-align:left;border:0;background:none}"
    ".seqcnn-data i{display:block;height:9px;background:#0072b2;border-radius:2px}"
)


def description(data: "Dataset") -> str:
    """Return the records in a line: how many, alphabet or shape, lengths, task and classes."""
    counts = class_counts(data)
    if not counts:
        told = f"; {data.task}: {', '.join(data.labels)}" if data.targets is not None and data.task else ""
        return records(data) + told
    shown = [f"{label} {count:,}" for label, count in counts.items()]
    if data.task == "binary":
        return f"{records(data)}; binary: {shown[1]} (positive), {shown[0]}"
    return f"{records(data)}; multiclass: {', '.join(shown)}"


def records(data: "Dataset") -> str:
    """Return how many records of what kind and length there are."""
    if isinstance(data.raw, np.ndarray):
        channels, height, width = data.raw.shape[1:]
        return f"{len(data):,} pictures of {width} x {height} pixels, {channels} channel{'s' * (channels > 1)}"
    what = f"{len(data):,} {'' if data.alphabet is None else data.alphabet.name} records"
    if isinstance(data.raw, Samples):
        rate = data.settings.get("rate")
        what = f"{len(data):,} {_SAMPLES.get(data.encoder, 'recordings' if rate else 'series')}"
        if data.raw.variables > 1 and data.encoder != "trajectory":
            what += f" of {data.raw.variables} variables"
        if data.encoder not in ("series", "trajectory", "bytes"):
            what += f" as {data.encoder}"
        if rate and len(data):
            return f"{what} of {data.lengths.min() / rate:.3g} to {data.lengths.max() / rate:.3g} s at {rate:g} Hz"
    if len(data) == 0:
        return what
    shortest, longest = data.lengths.min(), data.lengths.max()
    return f"{what} of length {shortest:,}" + (f" to {longest:,}" if longest > shortest else "")


def class_counts(data: "Dataset") -> dict[str, int]:
    """Return the number of records of each class; empty where the targets are no classes."""
    if data.targets is None or data.task not in ("binary", "multiclass"):
        return {}
    return {label: int((data.targets[:, 0] == i).sum()) for i, label in enumerate(data.labels)}


def text_card(data: "Dataset") -> str:
    """Return the card as lines of text."""
    return "\n".join([f"seqcnn Dataset: {description(data)}", *(f"  {note}" for note in data.summary.notes[1:])])


def html_card(data: "Dataset") -> str:
    """Return the card as self-contained HTML, escaped."""
    rows = []
    if counts := class_counts(data):
        most = max(counts.values(), default=0) or 1
        for label, count in counts.items():
            bar = f"<i style='width:{160 * count / most:.0f}px'></i>"
            rows.append(f"<tr><td>{escape(label)}</td><td>{count:,}</td><td>{bar}</td></tr>")
    elif data.targets is not None:
        for label, column in zip(data.labels, data.targets.T, strict=True):
            known = column[np.isfinite(column)]
            span = f"{known.min():.4g} to {known.max():.4g}" if len(known) else "none known"
            rows.append(f"<tr><td>{escape(label)}</td><td>{len(known):,} known</td><td>{span}</td></tr>")
    for row in ((source.name, f"{source.records:,}", source.path) for source in data.summary.sources):
        rows += [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"]
    notes = "".join(f"<li>{escape(note)}</li>" for note in data.summary.notes[1:])
    return (
        f"<div class='seqcnn-data'><style>{_STYLE}</style><h4>{escape(records(data))}</h4>"
        f"<table><tbody>{''.join(rows)}</tbody></table>{f'<ul>{notes}</ul>' if notes else ''}</div>"
    )
