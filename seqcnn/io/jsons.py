"""JSON files of results: whole or not at all, readable, without NaN."""

import json
import os
from collections.abc import Mapping
from typing import Any

from seqcnn.io.opening import STDIN
from seqcnn.io.tsv import standard_output
from seqcnn.io.writing import atomic


def write_json(values: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write values as JSON to a file, whole or not at all, or to standard output for ``-``."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if os.fspath(path) == STDIN:
        standard_output().write(text)
        return
    with atomic(path) as stream:
        stream.write(text)
