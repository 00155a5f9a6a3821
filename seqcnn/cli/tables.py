"""Small tables of figures for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from seqcnn.model.coverage import coverage_sentence


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, the first to the left and the others to the right.

    >>> print(columns([["", "auroc"], ["model", "0.9"]]))
           auroc
    model    0.9
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def figure(value: Any) -> str:
    """Return a figure to three decimals, a large one to four digits; undefined is a dash.

    >>> figure(0.98765), figure(1234.5), figure(None)
    ('0.988', '1234', '-')
    """
    return "-" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:.4g}"


def interval(pair: Any) -> str:
    """Return a 95% interval, or a dash where there is none."""
    return "-" if not pair or pair[0] is None else f"{figure(pair[0])}..{figure(pair[1])}"


def figures_table(figures: Mapping[str, Any]) -> str:
    """Return stored figures (`Evaluation.to_dict`) as a table: the model, its intervals, its baselines.

    >>> print(figures_table({"source": "test data", "n": 9, "metrics": {"auroc": 0.95}, "ci95": {"auroc": [0.9, 1.0]},
    ...                      "baselines": {"gc": {"auroc": 0.6}}}))
    test data: 9 records
                  auroc
    model         0.950
      95%  0.900..1.000
    gc            0.600
    """
    names = [name for name, value in figures["metrics"].items() if not isinstance(value, Mapping)]
    rows = [
        ["", *names],
        ["model", *(figure(figures["metrics"].get(name)) for name in names)],
        ["  95%", *(interval(figures["ci95"].get(name)) for name in names)],
    ]
    kin = figures.get("relatives") or {"near": 0, "n": 0}
    if kin["near"] and kin["metrics_far"]:
        rows.append(["  unrelated", *(figure(kin["metrics_far"].get(name)) for name in names)])
    for baseline, metrics in figures["baselines"].items():
        rows.append([baseline, *(figure(metrics.get(name)) for name in names)])
    left = ", ".join(
        f"{count:,} {why.replace('_', ' ')}" for why, count in figures.get("excluded", {}).items() if count
    )
    title = f"{figures['source']}: {figures['n']:,} records" + (f"; left out: {left}" if left else "")
    if kin["n"]:
        least = "" if kin["aligned"] or not kin["near"] else "at least "
        title += f"; with a near relative in training: {least}{kin['near'] or 'none'}"
    from seqcnn.model.folds import folds_sentence

    held = coverage_sentence(figures.get("coverage"), figures.get("task", ""))
    return "\n".join([title, columns(rows), *filter(None, [folds_sentence(figures), held])])
