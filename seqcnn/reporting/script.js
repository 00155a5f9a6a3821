// Conveniences of the report: theme, sorting, and where the reader is. Everything can be read without them.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  // light and dark, remembered where the browser lets us
  const store = { get() { try { return localStorage.getItem("seqcnn-theme"); } catch { return null; } },
                  set(v) { try { localStorage.setItem("seqcnn-theme", v); } catch { /* a sandboxed frame */ } } };
  const wanted = store.get();
  if (wanted === "light" || wanted === "dark") root.dataset.theme = wanted;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    store.set(root.dataset.theme);
  });

  // sortable tables: numbers by size, empty values last; the cards that a table lists follow its order
  const value = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const compare = (a, b, sign) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const x = Number(a), y = Number(b);
    return sign * (Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    for (const button of table.querySelectorAll("button.sort")) {
      button.addEventListener("click", () => {
        const head = button.closest("th");
        const first = head.dataset.first || (head.classList.contains("r") ? "descending" : "ascending");
        const other = first === "ascending" ? "descending" : "ascending";
        const order = head.getAttribute("aria-sort") === first ? other : first;
        for (const th of head.parentElement.cells) if (th.hasAttribute("aria-sort")) th.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", order);
        const body = table.tBodies[0], sign = order === "ascending" ? 1 : -1;
        const rows = [...body.rows].sort((a, b) => compare(value(a, head.cellIndex), value(b, head.cellIndex), sign));
        body.append(...rows);
        for (const row of rows) {
          const card = row.dataset.card && document.getElementById(row.dataset.card);
          if (card) card.parentElement.append(card);
        }
      });
    }
  }

  // mark the section being read
  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const mark = () => {
    const line = innerHeight * 0.3;
    let [here] = links.keys();
    for (const id of links.keys()) if (document.getElementById(id).getBoundingClientRect().top <= line) here = id;
    if (innerHeight + scrollY >= document.body.scrollHeight - 2) here = [...links.keys()].pop();
    for (const [id, a] of links) {
      const current = a.hasAttribute("aria-current");
      if (id !== here) a.removeAttribute("aria-current");
      else if (!current) {
        a.setAttribute("aria-current", "true");
        const list = a.closest("ol");
        list.scrollLeft = a.parentElement.offsetLeft - list.offsetLeft - 16;
      }
    }
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (!waiting) requestAnimationFrame(() => { waiting = false; mark(); });
    waiting = true;
  }, { passive: true });
  mark();

  // print everything that is folded, but the reading helps
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not(.how, .lesser, [open])")];
    for (const d of folded) d.open = true;
  });
  addEventListener("afterprint", () => { for (const d of folded) d.open = false; });
})();
