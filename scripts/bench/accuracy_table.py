"""The table of accuracy: our default beside its k-mer baseline and a plain CNN, on every set, with paired intervals."""

from __future__ import annotations

import argparse
import datetime
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from accuracy_sets import SETS
from accuracy_units import PLANTED, Runner
from dividing import Frame, Set, near_aligned, near_words
from harness import in_lanes
from paired import drawn, figure, interval

RIVALS = {"kmer": "k-mers", "plain": "plain CNN"}
SYSTEMS = ("ours", *RIVALS)
NAMED = {"auroc": "AUROC", "mcc": "MCC", "ece": "ECE"}
#: What the page says of itself, a paragraph an entry.
EXPLAINED = (
    "Ours is `seqcnn train` with default options, as a process of its own: the minutes are the mean wall time of a "
    "training, k-mer baseline and figures included, the memory its peak. The k-mers are the baseline that this "
    "training fits on the same records; the plain CNN is `plain.py`, trained in the same run on the same records. "
    "Test records that recur in training on either strand, or overlap a training window, are left out for all. The "
    "dev files of GUE steer ours and the plain CNN; elsewhere each holds back a tenth of the training records "
    "itself.",
    "NFE2 has the folds of LS-GKM's predictions; splice_uci and CNNProm's promoters have 10 and 5 folds of whole "
    "families of relatives (80% identity over 80% of the shorter record), the same for every seed; predictions of "
    "the folds are pooled (of Arabidopsis, one fold is tested). A subset of 100, 300 or 1,000 positives is drawn by "
    "the seed, the smaller within the larger, with negatives in the ratio of the set. Expression is "
    "log2(max(x, .05)). What is planted is drawn by the seed, factors included (`planted.py`).",
    "Intervals: the test records (of folds, all) are resampled 1,000 times, within classes where there are any; on "
    "each draw the difference of the two figures is averaged over the seeds, whose models stay as they are; shown "
    "are the 2.5th and 97.5th percentile. The better rival is the one with the better mean over seeds. Pooled, the "
    "differences of a draw are averaged over the sets too, each set once.",
    "Every opening of a test file is logged in `test_openings.tsv`, with the code that opened it; of a set that was "
    "opened more than once the last stands here.",
)

#: The least figure asked for.
GOALS = {
    "CTCFL_K562": 0.992, "FOXA1_HepG2": 0.991, "GABPA_GM12878": 0.982, "REST_GM12878": 0.998, "USF1_HepG2": 0.998,
    "NFE2 folds": 0.987, "NANOG": 0.840, "tf_0": 0.910, "tf_1": 0.937, "tf_2": 0.957, "prom_300_tata": 0.90,
    "prom_core_tata": 0.88, "prom_core_notata": 0.93, "splice_uci": 0.967, "E. coli promoters": 0.84,
    "Arabidopsis TATA": 0.92, "Arabidopsis non-TATA": 0.89, "E. coli active": 0.88, "E. coli expression": 0.50,
    "PUM2": 0.962, "QKI": 0.970, "TDP43": 0.930, "amp_amplify": 0.93, "gb1 sampled": 0.92,
    "gb1 three_vs_rest": 0.87, "gb1 two_vs_rest": 0.62, "gb1 low_vs_high": 0.53,
}  # fmt: skip


@dataclass
class Line:
    """One line of the table.

    Parameters
    ----------
    name, goal
        What it is called; the least (with `most`, the largest) figure asked for, None where rivals alone are the goal.
    some
        The set it is measured on.
    metric
        By default the set's own; "planted NAME" is a figure of the motifs found.
    far
        Which test records it leaves out, and how that is said.
    pooled
        Whether it counts in the pooled line: one line a set.
    """

    name: str
    goal: float | None
    some: Set
    metric: str = ""
    most: bool = False
    far: Callable[[Frame, str], Any] | None = None
    pooled: bool = True
    seeds: list[int] = field(default_factory=list)
    failed: bool = False
    per_seed: dict[str, list[float]] = field(default_factory=dict)
    beside: dict[str, list[str]] = field(default_factory=dict)
    draws: dict[str, Any] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.metric = self.metric or self.some.metric

    @property
    def planted(self) -> str:
        return self.metric.removeprefix("planted ") if self.metric.startswith("planted ") else ""

    @property
    def means(self) -> dict[str, float]:
        return {name: float(np.mean(values)) for name, values in self.per_seed.items()}

    @property
    def better(self) -> str:
        """The rival with the better mean over seeds."""
        return (min if self.most else max)(RIVALS, key=self.means.__getitem__)

    def read(self, runner: Runner, seeds: list[int], folds: list[int] | None = None) -> None:
        """Take the figures from the finished units; of all folds, or some."""
        results = {seed: runner.results(self.some, seed, folds) for seed in seeds}
        self.failed, self.seeds = any(found is None for found in results.values()), seeds
        if self.failed:
            return
        found = [result for result in results.values() if result is not None]
        self.facts = [fact for _, facts in found for fact in facts]
        if self.planted:
            self.per_seed = {"ours": [fact["planted"][self.planted] for fact in self.facts]}
            return
        arrays = [arrays for arrays, _ in found]
        if self.far is not None:
            kept = ~self.far(self.some.parted(runner.data, 0, 0, rehearse=runner.rehearse), self.some.letters)
            arrays = [{name: values[kept] for name, values in some.items()} for some in arrays]
        self.per_seed = {n: [figure(self.metric, some["truth"], some[n]) for some in arrays] for n in SYSTEMS}
        if self.some.task == "binary":
            for extra in ("auroc", "mcc", "ece"):
                self.beside[NAMED[extra]] = [
                    " / ".join(f"{figure(extra, some['truth'], some[n]):.4f}" for n in SYSTEMS) for some in arrays
                ]
        self.beside["records"] = [f"{len(some['truth']):,}" for some in arrays]
        self.draws = drawn(self.metric, arrays, SYSTEMS, classes=self.some.task != "regression")

    def difference(self, rival: str) -> str:
        """Return ours less a rival, with its interval, and in a word what that says."""
        low, high = interval(self.draws["ours"] - self.draws[rival])
        word = "level" if low <= 0 <= high else "better" if (low > 0) != self.most else "**worse**"
        return f"{self.means['ours'] - self.means[rival]:+.4f} ({low:+.4f} to {high:+.4f}) {word}"

    def markdown(self) -> str:
        """Return the line."""
        goal = "-" if self.goal is None else f"{'under' * self.most} {self.goal:g}".strip()
        if self.failed:
            return f"| {self.name} | {goal} | failed | | | | | | |"
        values, means = self.per_seed["ours"], self.means
        if self.goal is not None:
            reached = means["ours"] < self.goal if self.most else means["ours"] >= self.goal
            goal += "" if reached else " **missed**"
        ours = f"{means['ours']:.4f} ({min(values):.4f}-{max(values):.4f})"
        rivals = [f"{means[name]:.4f}" if name in means else "-" for name in RIVALS]
        difference = "-" if self.planted else f"{self.difference(self.better)}: {RIVALS[self.better]}"
        minutes = np.mean([fact["seconds"] for fact in self.facts]) / 60
        peak = max(fact["peak"] for fact in self.facts)
        sizes = [np.mean([fact[key] for fact in self.facts]) for key in ("megabytes", "parameters")]
        cells = [self.name, goal, ours, *rivals, difference, f"{minutes:.1f}", f"{peak:,.0f}"]
        return f"| {' | '.join(cells)} | {sizes[0]:.1f}, {sizes[1] / 1000:,.0f}k |"

    def every_seed(self) -> list[str]:
        """Return a line a seed, with all there is to say."""
        lines = []
        per = len(self.facts) // max(len(self.seeds), 1)
        for i, seed in enumerate(self.seeds if not self.failed else []):
            facts = self.facts[per * i : per * (i + 1)]
            known = [f"{RIVALS.get(name, name)} {values[i]:.4f}" for name, values in self.per_seed.items()]
            known += [f"{name} {values[i]}" for name, values in self.beside.items()]
            if self.planted:
                known += [", ".join(f"{k} {v:.3g}" for k, v in facts[0]["planted"].items())]
            known += [f"ours {told(facts, 'network', 'choices')}, {np.mean([f['seconds'] for f in facts]):.0f} s"]
            plains = [fact["plain"] for fact in facts]
            known += [f"plain {told(plains, 'head', 'strands')}, {np.mean([f['seconds'] for f in plains]):.0f} s"]
            name = self.name.replace("- ", f"{self.some.name}, ")
            lines.append(f"- {name}, seed {seed}: {'; '.join(known)}")
        return lines


def told(facts: list[dict[str, Any]], *names: str) -> str:
    """Return what was chosen in the trainings of a seed, each choice once."""
    said = []
    for name in names:
        values = [fact[name] for fact in facts]
        flat = [" ".join(f"{k} {v}" for k, v in x.items()) if isinstance(x, dict) else str(x) for x in values]
        said.append(" or ".join(dict.fromkeys(flat)))
    return ", ".join(part for part in said if part)


def lines() -> list[Line]:
    """Return every line of the table."""
    found = []
    for some in SETS:
        found.append(Line(some.name, GOALS.get(some.name), some))
        add = partial(Line, some=some, pooled=False)
        if some.needs == "gue_tf_human":
            found.append(add(f"- MCC of {some.name}", None, metric="mcc"))
        if some.name == "subcell_multiloc":
            found.append(add("- without a relative (80% of 80%, aligned)", 0.72, far=near_aligned))
            found.append(add("- without a tenth of their 4-mers in common", 0.72, far=near_words))
        if some.name == PLANTED:
            found.append(add("- factors recovered of 12", 12, metric="planted recovered"))
            found.append(add("- live filters that match one", 0.95, metric="planted matching"))
            found.append(add("- motifs a factor", 1.3, metric="planted motifs a factor", most=True))
            found.append(add("- expected calibration error", 0.02, metric="ece", most=True))
    return found


def wanted(options: argparse.Namespace) -> list[Line]:
    """Return the lines asked for."""
    return [line for line in lines() if not options.only or line.some.name.startswith(tuple(options.only))]


def remake(runner: Runner, options: argparse.Namespace) -> tuple[list[Line], str]:
    """Run what the lines need, a unit of work a lane and the longest first; return the lines and the page."""
    chosen = wanted(options)
    seeds = options.seeds or [0, 1, 2]
    sets = {line.some.name: line.some for line in chosen}.values()
    units = [(some, *unit) for some in sets for unit in some.units(seeds, rehearse=runner.rehearse)]
    units = [unit for unit in units if not options.folds or unit[2] in (0, *options.folds)]
    units.sort(key=lambda unit: -unit[0].weight)
    in_lanes(lambda unit, cores: runner.run(*unit, cores), units, options.lanes, cores=options.cores)
    for line in chosen:
        line.read(runner, seeds, options.folds)
    words = ["scripts/bench/accuracy --table ACCURACY.md"] + ["--rehearse"] * runner.rehearse
    words += ["--train", repr(runner.arguments)] * bool(runner.arguments)
    return chosen, document(chosen, " ".join(words), options=options)


def pooled(done: list[Line]) -> list[str]:
    """Return the mean difference to each rival over the sets, with its interval, and where ours is below."""
    some = [line for line in done if line.pooled and line.draws]
    if not some:
        return []
    said = []
    for rival, called in RIVALS.items():
        mean = np.mean([line.means["ours"] - line.means[rival] for line in some])
        low, high = interval(np.mean([line.draws["ours"] - line.draws[rival] for line in some], axis=0))
        said.append(f"to the {called} {mean:+.4f} ({low:+.4f} to {high:+.4f})")
    below = [line.name for line in some if interval(line.draws["ours"] - line.draws[line.better])[1] < 0]
    return [
        f"Pooled over {len(some)} sets, the mean difference of the figures of ours {' and '.join(said)}. "
        f"Significantly below the better rival: {', '.join(below) or 'none'}."
    ]


def document(done: list[Line], command: str, *, options: argparse.Namespace) -> str:
    """Return the table as a page."""
    from seqcnn.runtime import versions

    known = ", ".join(f"{name} {version}" for name, version in versions().items())
    source = (
        "REHEARSAL: a fifth of each training file is held back, no test file is opened. " if options.rehearse else ""
    )
    rows = [line for some in done for line in some.every_seed()]
    facts = [fact for line in {line.some.name: line for line in done}.values() for fact in line.facts]
    hours = sum(fact["seconds"] for fact in facts) / 3600, sum(fact["plain"]["seconds"] for fact in facts) / 3600
    return "\n".join([
        "# Ours beside its rivals", "",
        f"{source}Remade by `{command}` on {datetime.date.today()}: {len(facts)} trainings of ours took "
        f"{hours[0]:.1f} h, those of the plain CNN {hours[1]:.1f} h; {known}; {platform.machine()}, {options.cores} "
        "cores a run.", "",
        "\n\n".join(EXPLAINED), "",
        "| what | must reach | ours: mean (range over seeds) | k-mers | plain CNN | ours less the better rival (95%) | "
        "minutes | peak MB | model: MB, parameters |",
        "|---|---|---|---|---|---|---|---|---|",
        *(line.markdown() for line in done), "",
        *pooled(done), "",
        "## Every seed", "",
        "MCC, AUROC and ECE are those of ours / k-mers / plain CNN.", "",
        *rows, "",
    ])  # fmt: skip
