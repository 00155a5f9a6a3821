"""Tests of the report in a real browser: widths, keyboard, sorting, theme; skipped where there is no Chromium."""

import html
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from report_examples import binary, labelled, pixels, report_of, samples, untrained

from seqcnn.workflow.report import report

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

#: Runs inside the outer page, which may look into the frame because srcdoc is of its own origin.
PROBE = """
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
addEventListener("load", async () => {
  const seen = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, root = page.documentElement, told = {};
    told.width = root.scrollWidth;
    told.scripts = page.scripts.length;
    told.wide = [...page.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > frame.width
      && !e.closest(".scroll, svg, .vh")).map((e) => e.outerHTML.slice(0, 80));
    const table = page.querySelector("table.overview");
    const ranks = () => [...table.tBodies[0].rows].map((r) => r.dataset.card);
    const cards = () => [...page.querySelectorAll(".cards > .motif")].map((c) => c.id);
    told.before = [ranks(), cards()];
    const head = [...table.querySelectorAll("th[aria-sort]")].find((t) => t.textContent.includes("Importance"));
    head.querySelector("button").click();
    told.down = [head.getAttribute("aria-sort"), ranks(), cards()];
    head.querySelector("button").click();
    told.up = [head.getAttribute("aria-sort"), ranks(), cards()];
    const paper = () => frame.contentWindow.getComputedStyle(page.body).backgroundColor;
    told.papers = [paper()];
    for (let i = 0; i < 2; i++) { page.getElementById("theme").click(); await wait(50); told.papers.push(paper()); }
    told.first = page.querySelector("a, button").className;
    const focusable = [...page.querySelectorAll("a[href], button, summary, [tabindex='0']")];
    told.unreachable = focusable.filter((e) => e.tabIndex < 0).length;
    told.named = focusable.every((e) => (e.getAttribute("aria-label") || e.textContent).trim());
    told.current = page.querySelectorAll(".contents [aria-current]").length;
    seen[frame.width] = told;
  }
  document.getElementById("seen").textContent = JSON.stringify(seen);
});
"""


#: What the pages on pictures and samples are asked: whether anything sticks out, and whether every picture is drawn.
LOOK = """
addEventListener("load", () => {
  const seen = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, told = {};
    told.width = page.documentElement.scrollWidth;
    told.wide = [...page.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > frame.width
      && !e.closest(".scroll, svg, .vh")).map((e) => e.outerHTML.slice(0, 80));
    told.small = [...page.querySelectorAll("main img, .drawn svg, .filters svg")].filter((e) => {
      const box = e.getBoundingClientRect(); return box.width < 30 || box.height < 14;
    }).map((e) => e.outerHTML.slice(0, 80));
    seen[frame.title + frame.width] = told;
  }
  document.getElementById("seen").textContent = JSON.stringify(seen);
});
"""


def looked(folder: Path, pages: dict[str, str], probe: str) -> dict[str, Any]:
    """Return what a probe finds in pages in frames of 390 and of 1440 pixels."""
    frames = "".join(
        f'<iframe title="{name}" width="{w}" height="900" srcdoc="{html.escape(page)}"></iframe>'
        for name, page in pages.items()
        for w in (390, 1440)
    )
    outer = folder / "outer.html"
    outer.write_text(f"<!doctype html><body>{frames}<pre id=seen></pre><script>{probe}</script>", "utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder / 'profile'}", "--window-size=1500,900", "--virtual-time-budget=8000", "--dump-dom",
        outer.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = done.stdout.rpartition('<pre id="seen">')[2].partition("</pre>")[0]
    assert found, f"the browser said nothing: {done.stderr[-400:]}"
    return dict(json.loads(html.unescape(found)))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser finds in the report at 390 and at 1440 pixels."""
    return looked(tmp_path_factory.mktemp("browser"), {"": report_of(*binary())}, PROBE)


def test_pictures_and_samples_fit_the_page(tmp_path: Path) -> None:
    made = {"pixels": labelled(pixels(3)), "turned": labelled(pixels(2), "circular")}
    for encoder, variables in (("series", 5), ("gadf", 5), ("spectrogram", 1), ("trajectory", 4), ("bytes", 1)):
        made[encoder] = labelled(samples(variables, kind=encoder), encoder=encoder)
    pages = {name: report(untrained(data), data).html for name, data in made.items()}
    for name, told in looked(tmp_path, pages, LOOK).items():
        assert told["wide"] == [], name
        assert told["width"] <= int(name[-4:].lstrip("abcdefghijklmnopqrstuvwxyz")), name
        assert told["small"] == [], name


@pytest.mark.parametrize("width", ["390", "1440"])
def test_no_sideways_scrolling(seen: dict[str, Any], width: str) -> None:
    assert seen[width]["wide"] == []
    assert seen[width]["width"] <= int(width)


@pytest.mark.parametrize("width", ["390", "1440"])
def test_hostile_names_run_nothing(seen: dict[str, Any], width: str) -> None:
    assert seen[width]["scripts"] == 1


def test_headings_sort_table_and_cards(seen: dict[str, Any]) -> None:
    told = seen["1440"]
    assert told["before"] == [["motif-1", "motif-2"]] * 2
    assert told["down"] == ["descending", ["motif-1", "motif-2"], ["motif-1", "motif-2"]]
    assert told["up"] == ["ascending", ["motif-2", "motif-1"], ["motif-2", "motif-1"]]


def test_theme_turns_dark_and_back(seen: dict[str, Any]) -> None:
    light, dark, again = seen["1440"]["papers"]
    assert light == again != dark


def test_keyboard_reaches_everything(seen: dict[str, Any]) -> None:
    told = seen["390"]
    assert told["first"] == "skip"
    assert told["unreachable"] == 0
    assert told["named"]
    assert told["current"] == 1
