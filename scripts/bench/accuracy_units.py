"""Units of work of the table of accuracy: one training of ours and one of the plain CNN, kept, and logged."""

from __future__ import annotations

import ast
import datetime
import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from dividing import UNITS, Frame, Set
from harness import EXTRA, measured, shell
from paired import figure

HERE = Path(__file__).resolve().parent
#: Every opening of a test file, or of a fold of a set that has none: when, with which code, and what was found.
LOG = HERE / "test_openings.tsv"
COLUMNS = ("date", "commit", "tree", "row", "seed", "figures")
#: Files that decide what a unit finds; a change of any asks for a new run.
DATA_FILES = ("dividing.py", "accuracy_sets.py", "planted.py")
#: What trains and predicts; rooms that tell of it afterwards, on which figures of planted motifs alone depend; and
#: files that are reached but take no part: the public names, options of other verbs, sweeps over sequences.
ENTRIES = ("seqcnn.workflow.read", "seqcnn.workflow.train", "seqcnn.model.model", "seqcnn.registry")
TELLING = {"motifs", "plot", "quality", "reporting"}
ASIDE = (
    "seqcnn/__init__.py", "estimators.py", "options/__init__.py", "options/score.py", "options/motifs.py",
    "options/variants.py", "options/explain.py", "inference/courses.py", "inference/dense.py", "inference/edits.py",
    "inference/mutagenesis.py", "model/sweeps.py", "workflow/report.py", "workflow/explain.py", "workflow/export.py",
    "io/effects.py",
)  # fmt: skip
#: The set whose motifs are known.
PLANTED = "planted truth"
_LOGGING = Lock()


@dataclass
class Runner:
    """How units are run: from which data, whether as a rehearsal, and what of earlier runs is taken over.

    Parameters
    ----------
    data, folder
        Real data; where finished units are kept.
    rehearse
        Hold back a part of the training records, and open no test file.
    resume
        Take over units that were finished by the same code.
    arguments
        Further arguments to `seqcnn train`; only in a rehearsal.
    logged
        Whether openings of test files are logged.
    """

    data: Path
    folder: Path = UNITS
    rehearse: bool = False
    resume: bool = False
    arguments: str = ""
    logged: bool = True
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shared = [HERE / name for name in DATA_FILES]
        said = f"{self.arguments} {EXTRA} {self.data}".encode()
        told = [file for file in reached(ENTRIES) if not file.as_posix().endswith(ASIDE)]
        ours = [file for file in told if not TELLING.intersection(file.parts)]
        self.keys["ours"] = code_hash([*ours, *shared, HERE / "predicting.py"], said)
        found = [file for file in reached((*ENTRIES, "seqcnn.motifs.find")) if not file.as_posix().endswith(ASIDE)]
        found = [file for file in found if not (TELLING - {"motifs"}).intersection(file.parts)]
        self.keys["planted"] = code_hash(found, self.keys["ours"].encode())
        self.keys["plain"] = code_hash([*shared, HERE / "plain.py"], f"{EXTRA} {self.data}".encode())

    def place(self, system: str, some: Set, seed: int, fold: int) -> Path:
        """Return where a finished half of a unit lies, without suffix."""
        name = re.sub(r"\W+", "-", f"{some.name} seed {seed} fold {fold}{' rehearsed' * self.rehearse}")
        key = self.keys["planted" if (system, some.name) == ("ours", PLANTED) else system]
        return self.folder / f"{system}-{key}" / name

    def run(self, some: Set, seed: int, fold: int, cores: str) -> None:
        """Train ours and the plain CNN on one division of a set, and keep what they say of its test part."""
        halves = {"ours": self.ours, "plain": self.plain}
        places = {name: self.place(name, some, seed, fold) for name in halves}
        if not self.resume:
            for place in places.values():
                place.with_suffix(".json").unlink(missing_ok=True)
        todo = [name for name, place in places.items() if not place.with_suffix(".json").exists()]
        if not todo:
            return
        says = some.name + f", fold {fold}" * (fold > 0)
        try:
            frame = some.parted(self.data, seed, fold, rehearse=self.rehearse)
            with tempfile.TemporaryDirectory() as work:
                table = Path(work) / "records.tsv"
                frame[["id", "part", "sequence", "target"]].to_csv(table, sep="\t", index=False)
                for name in todo:
                    found = self.half(name, halves[name], (some, frame, table, seed, cores), places[name])
                    print(f"{says}, seed {seed}, {name}: {found}", flush=True)
        except (OSError, LookupError, TypeError, ValueError) as error:  # the other units go on
            print(f"{says}, seed {seed}: failed: {error}", flush=True)
        finally:
            if self.logged and not self.rehearse:
                log(says, seed, self.said(places))

    def half(self, name: str, work: Callable[..., dict[str, Any]], given: tuple[Any, ...], place: Path) -> str:
        """Run one half of a unit and keep what it found; return it in words."""
        some, frame, table, *_ = given
        try:
            facts = work(*given)
            with np.load(table.with_name(f"{name}.npz")) as arrays:
                held = {key: arrays[key] for key in arrays.files}
            truth = held.get("truth", coded_truth(frame, held["labels"]))
            facts["figure"] = figure(some.metric, truth, held[name])
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.with_suffix(".failed").write_text(str(error))
            return f"failed: {error}"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(place.with_suffix(".npz"), **{k: smaller(array) for k, array in held.items()})
        counts = {part: int(count) for part, count in frame.part.value_counts().items()}
        text = json.dumps(facts | {"records": counts})
        place.with_suffix(".json").write_text(text)  # last: it says that all is there
        return f"{some.metric} {facts['figure']:.4f} [{facts['seconds']:.0f} s]"

    def said(self, places: dict[str, Path]) -> str:
        """Return the figures of a unit for the log."""
        known = {n: json.loads(p.with_suffix(".json").read_text()) for n, p in places.items() if finished(p)}
        return "; ".join(f"{name} {facts['figure']:.4f}" for name, facts in known.items()) or "failed"

    def ours(self, some: Set, frame: Frame, table: Path, seed: int, cores: str) -> dict[str, Any]:
        """Train as a user would, with default options, and predict the test part."""
        model, out = table.with_name("model.safetensors"), table.with_name("ours.npz")
        command = ["train", table, "--target", "target", "--id", "id", "--split", "column:part", "-o", model]
        _, seconds, peak = measured(*command, "--seed", seed, "--quiet", *shlex.split(self.arguments), cores=cores)
        ask = [sys.executable, str(HERE / "predicting.py"), str(model), str(table), str(out)]
        if some.name == PLANTED:
            ask += ["--planted", str(seed + 1000 * self.rehearse)]
        facts: dict[str, Any] = json.loads(shell(ask, cores)[0].splitlines()[-1])
        return facts | {"seconds": seconds, "peak": peak}

    def plain(self, some: Set, frame: Frame, table: Path, seed: int, cores: str) -> dict[str, Any]:
        """Train the plain CNN on the same records."""
        command = [sys.executable, str(HERE / "plain.py"), str(table), str(table.with_name("plain.npz"))]
        command += ["--task", some.task, "--letters", some.letters, "--seed", str(seed), *EXTRA["train"]]
        facts: dict[str, Any] = json.loads(shell(command, cores)[0])
        return facts

    def results(
        self, some: Set, seed: int, folds: list[int] | None = None
    ) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """Return the truth and logits of every test record of a seed, folds joined, and the facts of each unit.

        None where a unit failed.
        """
        arrays: dict[str, list[Any]] = {"truth": [], "ours": [], "kmer": [], "plain": []}
        facts = []
        for _, fold in some.units([seed], rehearse=self.rehearse):
            if folds and fold not in (0, *folds):
                continue
            places = {name: self.place(name, some, seed, fold) for name in ("ours", "plain")}
            if not all(finished(place) for place in places.values()):
                return None
            ours, plain = (np.load(place.with_suffix(".npz")) for place in places.values())
            order = list(range(plain["plain"].shape[1]))
            if len(ours["labels"]):
                order = [list(plain["labels"]).index(label) for label in ours["labels"]]
            for name in ("truth", "ours", "kmer"):
                arrays[name].append(ours[name])
            arrays["plain"].append(plain["plain"][:, order])
            both = [json.loads(place.with_suffix(".json").read_text()) for place in places.values()]
            facts.append(both[0] | {"plain": both[1]})
        return {name: np.concatenate(parts) for name, parts in arrays.items()}, facts


def smaller(array: Any) -> Any:
    """Return an array with numbers of half as many bytes."""
    return array.astype(np.float32) if array.dtype == np.float64 else array


def finished(place: Path) -> bool:
    """Return whether a half of a unit is there."""
    return place.with_suffix(".json").exists()


def coded_truth(frame: Frame, labels: Any) -> Any:
    """Return the targets of the test part as numbers."""
    target = frame.target[frame.part == "test"]
    return target.map({name: i for i, name in enumerate(labels)} if len(labels) else float).to_numpy(float)


def reached(modules: Sequence[str]) -> list[Path]:
    """Return the files of the package that modules import, or name in the registry, directly or not."""
    top, found, waiting = HERE.parents[1], set[Path](), list(modules)
    while waiting:
        place = top / waiting.pop().replace(".", "/")
        file = place.with_suffix(".py") if place.with_suffix(".py").exists() else place / "__init__.py"
        if file in found or not file.exists():
            continue
        found.add(file)
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                waiting += [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
            elif isinstance(node, ast.Constant) and re.fullmatch(r"seqcnn[\w.]*:\w+", str(node.value)):
                waiting.append(str(node.value).partition(":")[0])
    return sorted(found)


def code_hash(files: list[Path], said: bytes) -> str:
    """Return a hash of what the code of files does: comments and docstrings do not count."""
    digest = sha256(said)
    for file in files:
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
                del node.body[0]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:12]


def log(row: str, seed: int, found: str) -> None:
    """Add a line to the log of test files opened."""
    git = ["git", "-C", str(HERE)]
    commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    watched = ["--", "../../seqcnn", "*.py", "accuracy"]
    changed = subprocess.run([*git, "status", "--porcelain", *watched], capture_output=True, text=True).stdout.strip()
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with _LOGGING, open(LOG, "a") as out:
        if not out.tell():
            out.write("\t".join(COLUMNS) + "\n")
        out.write("\t".join([now, commit, "dirty" if changed else "clean", row, str(seed), found]) + "\n")
