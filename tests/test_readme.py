"""The README's examples, executed as they stand but for fewer epochs, records and filters."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import pytest

from seqcnn.cli import main

pytestmark = pytest.mark.usefixtures("few_filters")

TOP = Path(__file__).resolve().parent.parent
QUICK = "seqcnn train --epochs 5 --folds 2 "
README = (TOP / "README.md").read_text("utf-8")
#: A line that bash would hand to seqcnn word by word.
PLAIN = re.compile(r"seqcnn [\w ./=-]+")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the example data as a reader of the README has them, but a twentieth of the example's records."""
    shutil.copytree(TOP / "data", tmp_path / "data")
    for path in (tmp_path / "data" / "example").rglob("*.fa"):
        records = path.read_text().split(">")
        path.write_text(">".join(records[: 1 + len(records) // 20]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*command: str) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def walk(script: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the commands print, run one after the other: plain ones in this process, what needs a shell by bash."""
    printed = ""
    for line in script.replace("\\\n", " ").splitlines():
        if PLAIN.fullmatch(line):
            code = main(shlex.split(line)[1:])
            out, err = capsys.readouterr()
            assert code == 0, err
            printed += out
        else:
            printed += run("bash", "-euo", "pipefail", "-c", line)
    return printed


def test_shell_examples(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(blocks("sh")) >= 4
    script = "\n".join(blocks("sh")).replace("| head -n 3", "").replace("seqcnn train ", QUICK)
    printed = walk(script, capsys)
    assert "auroc" in printed
    for name in ("fox.safetensors", "figures.json", "scores.tsv", "motifs/motifs.meme", "sites.tsv", "report.html"):
        assert (desk / name).stat().st_size > 0
    for name in ("check.html", "genome.bedgraph", "called.narrowPeak", "effects.vcf", "variants.html"):
        assert (desk / name).stat().st_size > 0


def test_the_walk_to_an_honest_figure(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (TOP / "scripts" / "examples" / "honest.md").read_text("utf-8")
    script = "\n".join(blocks("sh", page)).replace("seqcnn train ", QUICK)
    printed = walk(script, capsys)
    assert "matched" in (desk / "honest.html").read_text("utf-8") and printed.count("auroc") >= 2
    assert "@" not in page


def test_notebook_examples(desk: Path) -> None:
    assert len(blocks("python")) >= 2
    script = "\n".join(blocks("python")).replace("seed=0)", "seed=0, epochs=2)").replace("epochs=5", "epochs=1")
    (desk / "notebook.py").write_text(script)
    run_path("notebook.py")
    assert (desk / "report.html").stat().st_size > 0


def test_the_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (TOP / picture).stat().st_size > 0


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"(?<!!)\[[^]]+\]\(([^)]+)\)", README):
        assert "://" in target or (TOP / target).exists(), target


def test_commands_of_the_set_up_exist() -> None:
    for script in ("scripts/demo", "scripts/test", "scripts/setup", ".ci/run"):
        assert os.access(TOP / script, os.X_OK)
