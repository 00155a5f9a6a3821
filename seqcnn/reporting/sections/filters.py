"""The first layer: what its filters look like, and where in a record they respond."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from seqcnn.plot.lines import taps_svg
from seqcnn.plot.pictures import MOST_PIXELS, filter_uri, heat_uri, thinned
from seqcnn.reporting.feature_maps import has_filters, responses
from seqcnn.reporting.material import Material
from seqcnn.reporting.portraits import Portrait, portrait
from seqcnn.reporting.records import at_hand, said
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import count

MOST_FILTERS = 64
#: Records whose feature maps are drawn, and maps of each.
MOST_RECORDS, MOST_MAPS = 3, 8
#: Columns that are kept of a map that is as wide as its record is long.
_WIDEST = 240


@dataclass(frozen=True)
class Mapped:
    """One record with its feature maps: filter and data URI of each."""

    id: str
    portrait: Portrait
    said: list[tuple[str, str]]
    maps: list[tuple[int, str]]


class Filters(Section):
    """Suits every task on pictures and on samples."""

    name: ClassVar[str] = "filters"
    group: ClassVar[str] = "First layer"
    kinds: ClassVar[tuple[str, ...]] = ("samples", "pixels")

    def content(self, material: Material) -> dict[str, Any]:
        """Return the filters of the first layer, and the feature maps of a few records."""
        network: Any = material.model.network
        if not has_filters(material.model):
            return {"missing": _absent(material)}
        layer = network.filters
        weights = np.asarray(layer.weight.detach().cpu().numpy(), np.float32)
        flat = weights.shape[2] == 1
        return {
            "filters": [_drawn(w, i) for i, w in enumerate(weights[:MOST_FILTERS])],
            "count": len(weights),
            "flat": flat,
            "channels": weights.shape[1],
            "fixed": int(material.model.record.options.get("fixed_filters") or 0),
            "frozen": bool(material.model.record.options.get("frozen")),
            "records": [mapped(material, row, at) for row, at in examples(material)],
            "square": material.model.encoder.width is not None,
            "flat_map": material.model.encoder.height == 1,
        }


def _absent(material: Material) -> str:
    network = material.model.network
    if getattr(network, "closed_form", False):
        learned = material.model.record.options.get("fit", {}).get("features")
        features = f" of its {count(learned)} features" if isinstance(learned, int) else ""
        return (
            f"The {type(network).__name__} network has no first layer that was learned: its filters are random, drawn "
            f"once and left as they are, and only the weights{features} were fitted. So there are no filters and no "
            "feature maps to look at; a network trained in steps (--network residual) has both."
        )
    return f"The {type(network).__name__} network has no first layer of filters, so there are no feature maps to show."


def _drawn(weights: npt.NDArray[np.float32], number: int) -> Markup:
    """Return a filter ``(C, h, w)``: bars where it is one row, else a picture."""
    if weights.shape[:2] == (1, 1):
        return Markup(taps_svg(weights[0, 0], title=f"Filter {number}"))
    channels, height, width = weights.shape
    rows, columns = (channels, width) if height == 1 else (height, width * (1 if channels == 3 else channels))
    across = 52 if rows == columns else min(160, max(52, round(52 * columns / rows)))
    down = 52 if rows == columns else max(14, round(across * rows / columns))
    return Markup('<img src="{}" alt="Filter {}" width="{}" height="{}">').format(
        filter_uri(weights), number, across, down
    )


def examples(material: Material) -> list[tuple[int, int | None]]:
    """Return row in the data and place among the evaluated of a few records: the best predicted of each class.

    Without predictions for single records at hand, rows of each class, or the first ones.
    """
    rows = at_hand(material)
    found: list[tuple[int, int | None]] = []
    if len(rows):
        order = rows[np.argsort(material.losses[rows], kind="stable")]
        if material.classes:
            truth = material.truth[order, 0]
            first = [order[truth == i][0] for i in range(len(material.classes)) if (truth == i).any()]
        else:
            first = list(order[np.linspace(0, max(len(order) // 2 - 1, 0), MOST_RECORDS).astype(int)])
        return [(int(material.rows[at]), int(at)) for at in dict.fromkeys(first[:MOST_RECORDS])]
    targets = material.data.targets
    if material.classes and targets is not None:
        firsts = [np.flatnonzero(targets[:, 0] == i)[:1] for i in range(len(material.classes))]
        found += [(int(row[0]), None) for row in firsts if len(row)]
    else:
        found += [(row, None) for row in range(len(material.data))[:MOST_RECORDS]]
    return found[:MOST_RECORDS]


def mapped(material: Material, row: int, at: int | None) -> Mapped:
    """Return a record with the maps of the filters that respond to it most."""
    model, raw = material.model, material.data.raw
    name = material.data.ids[row]
    found = responses(model, raw, row, most=MOST_MAPS)
    shown = found.maps[found.strongest]
    top = float(shown.max(initial=0)) or 1.0
    maps = []
    for number, values in zip(found.strongest, shown, strict=True):
        if model.encoder.width is None and model.kind == "samples":  # as wide as the record is long
            small = thinned(values[::-1], rows=48, columns=_WIDEST)
        else:
            side = -(-max(values.shape) // MOST_PIXELS)
            small = thinned(values, rows=-(-values.shape[0] // side), columns=-(-values.shape[1] // side))
        maps.append((int(number), heat_uri(small, low=0, high=top)))
    drawn = portrait(model, raw, row, name=name)
    return Mapped(name, drawn, [] if at is None else said(material, at), maps)
