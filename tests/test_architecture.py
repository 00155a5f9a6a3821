"""The architecture of DESIGN, enforced: rows of rooms, first lines, file sizes, names, the 2-D rule."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
PACKAGE = TOP / "seqcnn"

#: Imports go only down this list; rooms in one row don't import each other.
ROWS = (
    ("errors", "checks", "options", "registry"),
    (
        "compiling",
        "names",
        "alphabet",
        "sequence",
        "samples",
        "kmers",
        "chromosome",
        "interval",
        "record",
        "tiling",
        "variant",
        "motif",
        "reliability",
        "metrics",
        "conformal",
    ),
    ("io", "plot", "runtime"),
    ("encode", "nn"),
    ("data", "networks"),
    ("tasks",),
    ("inference",),
    ("training", "attribution"),
    ("model",),
    ("motifs", "quality"),
    ("reporting",),
    ("workflow",),
    ("cli", "estimators", "__init__", "__main__"),
    ("reference",),  # stands apart: it imports nothing of the package, and nothing imports it
)
ROW = {room: row for row, rooms in enumerate(ROWS) for room in rooms}
#: In rows 0 and 1 the rooms are single nouns, each built on those before it in this order; row 12 is three faces.
LADDER_ROWS = (0, 1, 12)

FILES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((TOP / "tests").rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(TOP))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def own_imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted module of each import of the package itself; ``from seqcnn import x`` gives ``seqcnn.x``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "seqcnn":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import; write 'from seqcnn. ...'"
            module = node.module or ""
            if module == "seqcnn":
                for alias in node.names:
                    yield node.lineno, f"seqcnn.{alias.name}"
            elif module.startswith("seqcnn."):
                yield node.lineno, module


def room_imported(module: str) -> str:
    parts = module.split(".")
    room = parts[1] if len(parts) > 1 else "__init__"
    return room if room in ROW else "__init__"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_room_has_a_row(path: Path) -> None:
    assert room_of(path) in ROW, f"{name_of(path)}: no row of DESIGN names the room {room_of(path)!r}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_down(path: Path) -> None:
    here = room_of(path)
    for line, module in own_imports(tree_of(path)):
        there = room_imported(module)
        if there == here:
            continue
        same_ladder = ROW[there] == ROW[here] and ROW[here] in LADDER_ROWS
        assert ROW[there] < ROW[here] or same_ladder, (
            f"{name_of(path)}:{line} imports {module}: {there!r} (row {ROW[there]}) is not below row {ROW[here]}"
        )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_own_imports_stand_at_the_top(path: Path) -> None:
    if room_of(path) in ("cli", "__init__"):
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "_repr_html_":
            found = list(own_imports(node))
            assert not found, f"{name_of(path)}: {node.name}() imports {found[0][1]} inside; import at the top"


def test_nouns_import_without_cycles() -> None:
    """Within a ladder row the imports make no circle."""
    graph = {
        room_of(path): {room_imported(module) for _, module in own_imports(tree_of(path))} - {room_of(path)}
        for path in FILES
        if path.parent == PACKAGE and path.stem not in ("__init__", "__main__")
    }
    done: set[str] = set()

    def visit(room: str, trail: tuple[str, ...]) -> None:
        assert room not in trail, f"import circle: {' -> '.join([*trail, room])}"
        if room not in done:
            for other in graph.get(room, ()):
                visit(other, (*trail, room))
            done.add(room)

    for room in graph:
        visit(room, ())


@pytest.mark.parametrize("path", FILES + TESTS, ids=name_of)
def test_first_line_says_what_the_file_is(path: Path) -> None:
    first = path.read_text("utf-8").split("\n", 1)[0]
    assert re.match(r'"""\S.*[.]("""|$)', first), (
        f"{name_of(path)}: the first line is no one-sentence docstring: {first!r}"
    )
    assert len(first) <= 120


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file_stays_under_400_lines(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= 400, f"{name_of(path)} has {lines} lines; is it one room, or several?"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_attic(path: Path) -> None:
    attics = {"utils", "util", "misc", "common", "helpers", "helper", "tools", "lib", "shared"}
    assert not attics & {part.removesuffix(".py").strip("_") for part in path.relative_to(PACKAGE).parts}


def test_no_room_bears_the_name_of_a_public_function() -> None:
    import seqcnn

    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert not rooms & set(seqcnn.__all__)


LAYER = re.compile(
    r"(Conv(Transpose)?[123]d|(Lazy)?\w*(Max|Avg|LP)(Un)?[pP]ool\w*|(Batch|Layer|Group|Instance|RMS)Norm\w*"
    r"|ReLU6?|P?ReLU|LeakyReLU|ELU|GELU|SELU|CELU|SiLU|Mish|Sigmoid|Tanh|Softplus|Softmax|Hardswish|Linear)$"
)
FUNCTIONAL = re.compile(
    r"(conv(_transpose)?[123]d|(adaptive_)?(max|avg|lp)_(un)?pool\w*|\w*_norm|relu6?|leaky_relu|elu|gelu|selu|celu|silu"
    r"|mish|hardswish|linear)$"
)


#: Files of layers; stages are arithmetic on the weights of a network in use, where no tool looks for layers.
LAYERED = [p for p in FILES if room_of(p) in ("nn", "networks") and p.name != "stages.py"]


@pytest.mark.parametrize("path", LAYERED, ids=name_of)
def test_two_dimensional_rule(path: Path) -> None:
    """Layers are torch's own classes: no subclass of one, no functional twin of one."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
                assert not LAYER.match(name), f"{name_of(path)}:{node.lineno}: {node.name} subclasses torch's {name}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if owner in ("F", "torch", "functional", "nn.functional", "torch.nn.functional"):
                assert not FUNCTIONAL.match(node.func.attr), (
                    f"{name_of(path)}:{node.lineno}: {owner}.{node.func.attr} is the functional twin of a layer"
                )
            # The global maximum is amax under export alone, where a pool as wide as the map would fix the length; the
            # features of rocket are step functions, which no attribution by gradients explains.
            if path.name not in ("pooling.py", "rocket.py"):
                assert node.func.attr != "amax", f"{name_of(path)}:{node.lineno}: amax breaks DeepLIFT; use a MaxPool2d"


def is_kernel(node: ast.FunctionDef) -> bool:
    """Whether numba compiles it: kernels take no keywords."""
    return any(isinstance(by, ast.Name) and by.id == "compiled" for by in node.decorator_list)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_house_rules_of_statements(path: Path) -> None:
    """No assert, no bare except, no mutable default; few positional parameters."""
    for node in ast.walk(tree_of(path)):
        where = f"{name_of(path)}:{getattr(node, 'lineno', 0)}"
        assert not isinstance(node, ast.Assert), f"{where}: assert in the package; raise an error"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{where}: bare except"
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not is_kernel(node):
            named = [a.arg for a in node.args.posonlyargs + node.args.args if a.arg not in ("self", "cls")]
            assert len(named) <= 4, f"{where}: {node.name}{tuple(named)}: make the later ones keyword-only"
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                assert not isinstance(default, ast.List | ast.Dict | ast.Set), f"{where}: mutable default"


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_each_raises_has_a_match(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.raises":
            keys = {keyword.arg for keyword in node.keywords}
            assert "match" in keys or "check" in keys, f"{name_of(path)}:{node.lineno}: pytest.raises without match="


def test_package_and_its_reference_know_nothing_of_each_other() -> None:
    for path in FILES:
        for line, module in own_imports(tree_of(path)):
            apart = (room_of(path) == "reference") == (room_imported(module) == "reference")
            assert apart, f"{name_of(path)}:{line} imports {module}: the reference stands apart"


def test_light_rooms_import_no_heavy_parts() -> None:
    """Rows 0 to 2, and the shell's help, do without torch, scikit-learn, matplotlib and lightning at import."""
    heavy = {"torch", "sklearn", "matplotlib", "lightning", "memelite", "numba", "captum", "tangermeme"}
    for path in FILES:
        if ROW.get(room_of(path), 0) > 2 and room_of(path) != "cli":
            continue
        for node in tree_of(path).body:
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found = {name.split(".")[0] for name in names} & heavy
            assert not found, f"{name_of(path)}:{node.lineno} imports {found} when it is imported"


def test_nothing_names_the_machine() -> None:
    """No path of the machine a file was written on."""
    pattern = re.compile(r"(?<![\w.])/(home|root|work|Users|mnt|opt)/\w")
    for folder in ("seqcnn", "scripts", "tests", ".ci", ".github"):
        for path in sorted((TOP / folder).rglob("*")):
            if path.is_file() and path.suffix in (".py", ".md", ".txt", ".toml", ".j2", ".html", ".css", ".js", ""):
                text = path.read_text("utf-8", "replace")
                assert not pattern.search(text), f"{name_of(path)}: {pattern.search(text)}"
