"""The card of a model, as text for a terminal and as HTML for a notebook."""

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqcnn.model.model import Model

#: The figure shown first for each task.
_FIRST = {"binary": "auroc", "multiclass": "accuracy", "multilabel": "auroc_macro", "regression": "spearman"}

#: No color of its own but the accent: it takes the notebook's, light or dark.
_STYLE = (
    ".seqcnn-card{font:13px/1.5 system-ui,sans-serif;border:1px solid color-mix(in srgb,currentColor 22%,transparent);"
    "border-radius:8px;padding:14px 18px;max-width:min(760px,100%);box-sizing:border-box;overflow-x:auto;"
    "display:inline-block;text-align:left}"
    ".seqcnn-card h4{margin:0 0 8px;font-size:15px}"
    ".seqcnn-card dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0}"
    ".seqcnn-card dt{opacity:.65}.seqcnn-card dd{margin:0;overflow-wrap:anywhere}"
    ".seqcnn-card table{border-collapse:collapse;margin:12px 0 0;background:none;font:inherit;color:inherit;"
    "font-variant-numeric:tabular-nums}.seqcnn-card th,.seqcnn-card td{padding:4px 14px 4px 0;text-align:left;border:0;"
    "border-top:1px solid color-mix(in srgb,currentColor 14%,transparent);background:none;font-weight:400;"
    "white-space:nowrap}.seqcnn-card caption{caption-side:bottom;text-align:left;opacity:.65;padding-top:4px}"
    ".seqcnn-card thead th{border-top:0;opacity:.65}.seqcnn-card small{opacity:.65;padding-left:4px;font-weight:400}"
    ".seqcnn-card svg{display:block}.seqcnn-card tr.seqcnn-own td,.seqcnn-card tr.seqcnn-own th{font-weight:600}"
)


def text_card(model: "Model") -> str:
    """Return the card as lines of text."""
    rows = facts(model)
    figures = figures_of(model)
    if figures is not None:
        rows[figures["source"]] = "; ".join(_sentence(name, *pair) for name, pair in _systems(figures).items())
    width = max(map(len, rows))
    return "\n".join([f"seqcnn model: {title(model)}", *(f"  {name:<{width}}  {text}" for name, text in rows.items())])


def html_card(model: "Model") -> str:
    """Return the card as self-contained HTML, escaped, that takes the colors of the page it stands in."""
    facts_html = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts(model).items())
    figures = figures_of(model)
    table = "" if figures is None else _table(figures)
    return (
        f"<div class='seqcnn-card'><style>{_STYLE}</style><h4>{escape(title(model))}</h4>"
        f"<dl>{facts_html}</dl>{table}</div>"
    )


def figures_card(figures: dict[str, Any]) -> str:
    """Return stored figures (`Evaluation.to_dict`) as HTML that takes the colors of the page it stands in."""
    left = ", ".join(f"{n:,} {why.replace('_', ' ')}" for why, n in figures["excluded"].items() if n)
    said = f"<dl><dt>left out</dt><dd>{escape(left)}</dd></dl>" if left else ""
    name = escape(f"{figures['task']}, {figures['source']}")
    return f"<div class='seqcnn-card'><style>{_STYLE}</style><h4>{name}</h4>{said}{_table(figures)}</div>"


def title(model: "Model") -> str:
    """Return the task and its labels in a line."""
    labels = list(model.labels)
    shown = ", ".join(labels[:6]) + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")
    if model.task.name == "binary":
        return f"binary, {labels[1]} against {labels[0]}"
    return f"{model.task.name}, {shown}"


def facts(model: "Model") -> dict[str, str]:
    """Return what the card says of a model, name to text."""
    record = model.record
    rows = {"network": f"{type(model.network).__name__.lower()}, {model.n_parameters:,} parameters"}
    if model.alphabet is None:
        shape = [str(getattr(model.encoder, side, "?")) for side in ("channels", "height", "width")]
        rows["reads"] = f"pictures of {' x '.join(shape)}"
    else:
        strands = "; both strands averaged" if model.strands == "both" else ""
        if model.strands == "forward" and model.alphabet.has_complement:
            strands = "; the strand as given"
        at_most = f"; at most {model.fixed_width:,} long" if model.fixed_width is not None else ""
        letters = "protein" if model.alphabet.name == "protein" else model.alphabet.name.upper()
        rows["reads"] = f"{letters}, trained on records up to {model.longest:,} long{at_most}{strands}"
    if record.counts:
        words = {"train": "training", "valid": "validation", "test": "test"}
        counts = ", ".join(f"{count:,} {words.get(part, part)}" for part, count in record.counts.items() if count)
        classes = ", ".join(f"{name} {count:,}" for name, count in list(record.n_per_class.items())[:6])
        rows["records"] = counts + (f" ({classes})" if classes else "")
    if record.created:
        seconds = f", {record.seconds:,.0f} s" if record.seconds else ""
        version = f", seqcnn {record.versions['seqcnn']}" if "seqcnn" in record.versions else ""
        zone = " UTC" if record.created.endswith(("+00:00", "Z")) else ""
        rows["trained"] = f"{record.created.replace('T', ' ')[:16]}{zone}, seed {record.seed}{seconds}{version}"
    return rows


def figures_of(model: "Model") -> dict[str, Any] | None:
    """Return the stored test figures, else the out-of-fold ones, else None."""
    return model.record.figures or model.record.out_of_fold


def _systems(figures: dict[str, Any]) -> dict[str, tuple[dict[str, Any], dict[str, Any], str]]:
    """Return metrics, intervals and the first metric's name of the model and of each baseline."""
    first = _FIRST.get(figures["task"], next(iter(figures["metrics"]), ""))
    systems = {"model": (figures["metrics"], figures.get("ci95") or {}, first)}
    for name, metrics in figures["baselines"].items():
        systems[name] = (metrics, figures.get("baselines_ci95", {}).get(name) or {}, first)
    return systems


def _number(value: Any) -> str:
    return "undefined" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:.4g}"


def _interval(pair: Any) -> str:
    return "" if not pair or pair[0] is None else f"{_number(pair[0])} to {_number(pair[1])}"


def _sentence(name: str, metrics: dict[str, Any], ci95: dict[str, Any], first: str) -> str:
    interval = _interval(ci95.get(first))
    value = _number(metrics.get(first))
    return f"{first} {value}{f' ({interval})' if interval else ''}" if name == "model" else f"{name} {value}"


def _table(figures: dict[str, Any]) -> str:
    """Return a table of figures: the model above its baselines, the first figure with its interval drawn."""
    systems = _systems(figures)
    metrics, _, first = systems["model"]
    names = [first, *(n for n, v in metrics.items() if n != first and not isinstance(v, dict))]
    known = [m[first] for m, _, _ in systems.values() if m.get(first) is not None]
    bounds = [b for _, c, _ in systems.values() for b in (c.get(first) or ()) if b is not None]
    low, high = min([*known, *bounds], default=0.0), max([*known, *bounds], default=1.0)
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
    rows = []
    for name, (values, ci95, _) in systems.items():
        cells = [f"<td>{_number(values.get(first))} <small>{_interval(ci95.get(first))}</small></td>"]
        cells += [f"<td>{_number(values.get(metric))}</td>" for metric in names[1:]]
        drawn = _whisker(values.get(first), ci95.get(first), low, high)
        own = " class='seqcnn-own'" if name == "model" else ""
        rows.append(f"<tr{own}><th scope='row'>{escape(name)}</th><td>{drawn}</td>{''.join(cells)}</tr>")
    caption = f"{figures['source']}, {figures['n']:,} records, 95% intervals"
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr><th></th><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _whisker(value: Any, pair: Any, low: float, high: float) -> str:
    """Return a small drawing of a figure and its interval between the extremes of the table."""
    if value is None:
        return ""
    width, span = 100, (high - low) or 1.0
    ends = pair if pair and pair[0] is not None else (value, value)
    at = [6 + (width - 12) * (x - low) / span for x in (value, *ends)]
    return (
        f"<svg width='{width}' height='14' role='img' aria-label='{_number(value)}'>"
        f"<line x1='{at[1]:.1f}' x2='{at[2]:.1f}' y1='7' y2='7' stroke='currentColor' stroke-width='2' opacity='.5'/>"
        f"<circle cx='{at[0]:.1f}' cy='7' r='4' fill='#0072b2' stroke='currentColor' stroke-opacity='.4'/></svg>"
    )
