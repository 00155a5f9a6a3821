"""Numbers and lists as a reader expects them in running text."""

import math
from collections.abc import Sequence

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
DASH = "–"

#: Baseline and metric names as they stand in files, and as people say them.
SPOKEN = {
    "gc": "GC content",
    "composition": "composition",
    "kmer": "k-mers",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "accuracy": "accuracy",
    "mcc": "MCC",
    "f1": "F1",
    "ece": "calibration error",
    "macro_f1": "macro F1",
    "auroc_ovr": "AUROC, one against rest",
    "auroc_macro": "mean AUROC",
    "auprc_macro": "mean AUPRC",
    "pearson": "Pearson r",
    "spearman": "Spearman ρ",
    "r2": "R²",
    "rmse": "RMSE",
    "median_error": "median error",
    "mean_error": "mean error",
    "mean_cosine": "mean cosine",
    "log_likelihood": "log-likelihood",
    "loss": "loss",
}

#: What each metric means, in a line.
MEANING = {
    "auroc": "how often a random positive scores above a random negative; 0.5 is a coin flip",
    "auprc": "mean precision over all recalls; chance is the share of positives",
    "accuracy": "share of records whose predicted class is the true one",
    "mcc": "correlation of predicted and true class; 0 is chance",
    "f1": "harmonic mean of precision and recall at the threshold",
    "ece": "mean gap between stated probability and observed share; 0 is perfect",
    "macro_f1": "F1, each class counting the same",
    "auroc_ovr": "AUROC of each class against all others, averaged; 0.5 is chance",
    "auroc_macro": "AUROC of each label, averaged; 0.5 is chance",
    "auprc_macro": "AUPRC of each label, averaged",
    "pearson": "linear correlation of predicted and true values; 0 is chance",
    "spearman": "rank correlation of predicted and true values; 0 is chance",
    "r2": "share of the variance explained; 0 is what predicting the mean reaches",
    "rmse": "typical size of an error, in the units of the target",
    "median_error": "half of the errors along the circle are smaller; guessing reaches a quarter of the period",
    "mean_error": "mean error along the circle, the shorter way; guessing reaches a quarter of the period",
    "mean_cosine": "mean cosine of the error as an angle: 1 is perfect, 0 is chance, −1 is always opposite",
}


def spoken(name: str) -> str:
    """Return a metric's or a baseline's name as people say it.

    >>> spoken("auroc_ovr"), spoken("log_loss")
    ('AUROC, one against rest', 'log loss')
    """
    return SPOKEN.get(name, name.replace("_", " "))


def named(label: str) -> str:
    """Return a class name that can stand in a sentence: a bare number needs the noun.

    >>> named("cats"), named("1")
    ('cats', 'class 1')
    """
    return label if any(letter.isalpha() for letter in label) else f"class {label}"


def number(value: float | None, digits: int = 3) -> str:
    """Return `value` with `digits` decimals, more sparingly where it is large; a dash where it is undefined.

    >>> number(0.98765), number(1234.5), number(None), number(-0.0001)
    ('0.988', '1,234', '–', '0.000')
    """
    if value is None or not math.isfinite(value):
        return DASH
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        digits = min(digits, 1)
    text = f"{value:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def interval(pair: Sequence[float | None] | None, digits: int = 3) -> str:
    """Return ``low–high``, or a dash.

    >>> interval([0.98, 0.9951]), interval([-0.1, 0.2], 1), interval(None)
    ('0.980–0.995', '−0.1 to 0.2', '–')
    """
    if pair is None or any(v is None or not math.isfinite(v) for v in pair):
        return DASH
    low, high = (number(v, digits) for v in pair)
    return f"{low} to {high}" if "−" in low + high else f"{low}–{high}"


def percent(share: float | None) -> str:
    """Return a share as a percentage, never rounded to a false 0 or 100.

    >>> percent(0.784), percent(0.0042), percent(0), percent(0.9999), percent(None)
    ('78%', '0.4%', '0%', '>99.9%', '–')
    """
    if share is None or not math.isfinite(share):
        return DASH
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 < share < 1:
        return ">99.9%"
    return f"{100 * share:.1f}%" if 0 < share < 0.0995 or 0.9905 < share < 1 else f"{100 * share:.0f}%"


def tiny(value: float | None) -> str:
    """Return a p- or q-value: plain down to 0.001, then as a power of ten.

    >>> tiny(0.0312), tiny(2.14e-9), tiny(0.0)
    ('0.031', '2.1 × 10⁻⁹', '<10⁻³⁰⁰')
    """
    if value is None or not math.isfinite(value):
        return DASH
    if value >= 0.001:
        return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"
    if value < 1e-300:
        return "<10⁻³⁰⁰"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def count(value: float) -> str:
    """Return a whole number with thousands set off.

    >>> count(12132)
    '12,132'
    """
    return f"{int(value):,}"


def plural(value: float, one: str, many: str = "") -> str:
    """Return the number with its noun.

    >>> plural(1, "record"), plural(1200, "record"), plural(2, "class", "classes")
    ('1 record', '1,200 records', '2 classes')
    """
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """Return items as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def first_upper(text: str) -> str:
    """Return `text` with its first letter in upper case, the rest as it is.

    >>> first_upper("k-mers reach 0.98")
    'K-mers reach 0.98'
    """
    return text[:1].upper() + text[1:]


def duration(seconds: float) -> str:
    """Return a time span in its natural units.

    >>> duration(8.4), duration(95), duration(7300)
    ('8 s', '1 min 35 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(number_of_bytes: float) -> str:
    """Return a file size.

    >>> size(512), size(51_200), size(2_500_000)
    ('512 B', '51 kB', '2.5 MB')
    """
    if number_of_bytes < 1000:
        return f"{number_of_bytes:.0f} B"
    if number_of_bytes < 1e6:
        return f"{number_of_bytes / 1e3:.0f} kB"
    return f"{number_of_bytes / 1e6:.1f} MB"
