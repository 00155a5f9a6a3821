"""The package as a whole: light to import, its public names there, its version and data files in order."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import seqcnn

TOP = Path(__file__).resolve().parent.parent


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_importing_loads_nothing_heavy_and_says_nothing() -> None:
    heavy = "{'torch', 'numpy', 'pandas', 'sklearn', 'matplotlib', 'typer', 'rich'}"
    assert python(f"import seqcnn, sys; print(sorted({heavy} & set(sys.modules)))") == "[]\n"


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from seqcnn.cli import main; code = main([{}]); print(code, sorted({} & set(sys.modules)))"
    for arguments in ("'--help'", "'train', '--help'"):
        printed = python(code.format(arguments, "{'torch', 'numpy', 'pandas', 'sklearn', 'matplotlib', 'rich'}"))
        assert printed.splitlines()[-1] == "0 []"


@pytest.mark.parametrize("name", seqcnn.__all__)
def test_public_names_are_there_and_documented(name: str) -> None:
    value = getattr(seqcnn, name)
    assert name in dir(seqcnn)
    if callable(value):
        assert value.__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'trian'"):
        seqcnn.trian  # noqa: B018


def test_version_is_that_of_the_project() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    assert seqcnn.__version__ == project["version"]
    assert f"## {seqcnn.__version__}" in (TOP / "CHANGELOG.md").read_text("utf-8")


def test_dependencies_cover_what_the_package_imports() -> None:
    """Each third party that a module of ours imports is a dependency, or an extra."""
    import ast

    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    declared = {line.split(">")[0].split("<")[0].lower() for line in [*project["dependencies"], *extras]}
    module_of = {"Bio": "biopython", "sklearn": "scikit-learn", "lightning": "lightning-fabric", "PIL": "pillow"}
    module_of |= {"lightning_fabric": "lightning-fabric"}
    for path in sorted((TOP / "seqcnn").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            for root in {module.split(".")[0] for module in modules}:
                if root not in sys.stdlib_module_names and root != "seqcnn":
                    assert module_of.get(root, root).lower() in declared, f"{path.name} imports {root}, not declared"


def test_each_package_folder_is_a_package() -> None:
    """A folder without __init__.py would be left out of the wheel."""
    for path in (TOP / "seqcnn").rglob("*.py"):
        assert (path.parent / "__init__.py").is_file(), f"{path.parent} has no __init__.py"


def test_data_files_are_declared() -> None:
    patterns = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]["*"]
    for path in (TOP / "seqcnn").rglob("*"):
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts:
            assert any(path.match(pattern) for pattern in patterns), f"{path} is no declared package data"
