"""What a run of scoring must have in common with one that was cut off, to go on with what it wrote."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from seqcnn.io.opening import STDIN
from seqcnn.model.inputs import KINDS
from seqcnn.model.model import Model
from seqcnn.options import ScoreOptions
from seqcnn.runtime import pick_device, versions

#: Formats whose rows stand alone, so that they can be cut anywhere.
RESUMABLE = ("tsv", "bed")


def why_anew(model: Model, files: Sequence[str], options: ScoreOptions, *, place: str, kind: str) -> str | None:
    """Return why an output cannot be gone on with, and what to do; None where it can."""
    if place == STDIN:
        return "standard output cannot be gone on with; name a file with -o"
    if kind not in RESUMABLE:
        return f"{kind} cannot be gone on with; write {' or '.join(RESUMABLE)}"
    if place.lower().endswith(".gz"):
        return f"{place} is packed, and cannot be gone on with; name it without .gz"
    if Path(place).exists() and not Path(place).is_file():
        return f"{place} is no file, and cannot be gone on with; name a file"
    if STDIN in files:
        return "standard input cannot be read again; pass files"
    if model.alphabet is None:
        return f"this model reads {KINDS[model.kind]}; only sequences can be gone on with"
    for name in ("peaks", "neighbours"):
        if getattr(options, name) is not None:
            return f"the output of --{name} cannot be gone on with; leave it out"
    return None


def terms_of(model: Model, files: Sequence[str], options: ScoreOptions, *, kind: str, letters: int) -> dict[str, Any]:
    """Return what decides the bytes that are written: model, inputs, options, versions; `letters` are those of a chunk.

    Files are the same where place, size and time of the last change are.
    """
    found = versions()
    terms: dict[str, Any] = {
        "model": hashlib.sha256(model.to_bytes()).hexdigest()[:16],
        "seqcnn": f"{found.get('seqcnn')}, torch {found.get('torch')}, {pick_device(options.device).type}",
        "chunks": letters,
        "inputs": [_state(file) for file in files],
        "format": kind,
    }
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name == "genome":
            value = value and _state(os.fspath(value))
        if field.name not in ("resume", "format", "device", "cache"):
            terms["--" + field.name.replace("_", "-")] = value
    return terms


def _state(file: str) -> str:
    found = os.stat(file)
    return f"{os.path.realpath(file)} ({found.st_size:,} bytes, changed at {found.st_mtime_ns / 1e9:.6f})"
