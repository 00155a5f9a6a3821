"""Options from a mapping: a config file, or the keywords of a notebook."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from seqcnn.checks import did_you_mean
from seqcnn.errors import OptionError


def from_mapping(values: Mapping[str, Any], where: str, *classes: type) -> dict[str, Any]:
    """Return `values` with dashes turned to underscores, refusing names that no class has.

    An option that may be repeated takes one value or a list.

    Raises
    ------
    OptionError
        Naming the unknown key and the closest known one.

    Examples
    --------
    >>> from seqcnn.options import TrainOptions
    >>> from_mapping({"batch-size": 32, "valid": 0.2}, "seqcnn.toml", TrainOptions)
    {'batch_size': 32, 'valid': ('0.2',)}
    """
    defaults = {f.name: f.default for options in classes for f in fields(options)}
    clean = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in defaults:
            raise OptionError(f"{where}: unknown option {key!r}{did_you_mean(name, defaults)}")
        if isinstance(defaults[name], tuple):
            given = value if isinstance(value, list | tuple) else (value,)
            value = tuple(v if callable(v) else str(v) for v in given)
        clean[name] = value
    return clean
