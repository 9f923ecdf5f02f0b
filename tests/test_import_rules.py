"""The rules that hold the packages apart (docs/ARCHITECTURE.md, section 1), checked on the source and at run time."""
from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

# What each package may import besides itself. Packages under "roots" are programs: nothing imports them except where
# it is written here.
LAYERS: dict[str, frozenset[str]] = {
    "util": frozenset(),
    "storage": frozenset({"util"}),
    "model": frozenset({"util"}),
    "inference_core": frozenset({"util", "storage", "model"}),
    "interact": frozenset({"util", "storage", "inference_core"}),
    "gui": frozenset({"util", "storage", "inference_core", "interact"}),
}
LIBRARY = frozenset(LAYERS) - {"gui"}
ROOTS: dict[str, frozenset[str]] = {
    "evaluation": LIBRARY,
    "generation": LIBRARY,
    "training": LIBRARY | {"generation", "evaluation"},
    "interactive_gui": frozenset(LAYERS),
    "benchmarks": frozenset(LAYERS) | {"interactive_gui", "evaluation", "generation"},
    # Command-line programs at the top of the repository. Those that score use the scorer.
    "propagate": LIBRARY,
    "export": LIBRARY,
    "download_model": LIBRARY,
    "eval_vos": LIBRARY | {"evaluation"},
    "eval_interactive_davis": LIBRARY | {"evaluation"},
    "train": LIBRARY | {"training"},
}
ALLOWED = LAYERS | ROOTS
# A higher package may see only the torch-free side of the engine.
TORCH_FREE_CORE = frozenset(
    {"inference_core.api", "inference_core.confidence", "inference_core.frame_choice", "inference_core.registry"}
)
BUILDERS = frozenset(
    {
        "inference_core.advice", "inference_core.factory", "inference_core.interaction", "inference_core.click.build",
        "inference_core.proposals", "inference_core.scribble_predictor",
    }
)

TORCH_PACKAGES = ("torch", "torchvision")
TORCH_ALLOWED = ("model", "inference_core", "training", "generation", "benchmarks")
TORCH_FORBIDDEN_FILES = (
    "model/zoo.py",
    "model/signatures.py",
    "model/checksums.py",
    "inference_core/api.py",
    "inference_core/confidence.py",
    "inference_core/frame_choice.py",
    "inference_core/registry.py",
    "inference_core/pass_planner.py",
    "generation/stills.py",
    "generation/object_sets.py",
    "generation/procedural.py",
    "generation/pack.py",
    "training/preset.py",
    "training/presets.py",
    "training/curves.py",
)
# Loaded before torch is needed: its `--help` and its complaints about flags come at once.
LAZY_PROGRAMS = ("interactive_gui", "export", "eval_vos", "eval_interactive_davis", "train", "training.tasks")
QT_ALLOWED = ("gui", "interactive_gui", "benchmarks")
SCRIPT_DIRECTORIES = ("evaluation", "generation", "training", "benchmarks")


def source_files() -> list[Path]:
    """Every Python file of the program: the known packages and the files at the top of the repository."""
    files = [*REPOSITORY.glob("*.py")]
    for package in ALLOWED:
        files += (REPOSITORY / package).rglob("*.py")
    return sorted(file for file in files if "__pycache__" not in file.parts)


def module_name(file: Path) -> str:
    parts = file.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(node: ast.AST) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of everything imported anywhere below `node`, inside functions and type checks too."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, child.lineno
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: relative import; write the package's name"
            assert child.module is not None
            assert all(alias.name != "*" for alias in child.names), f"line {child.lineno}: star import"
            # `from model import zoo` names the module model.zoo, `from model.zoo import find` the module model.zoo.
            for alias in child.names:
                is_module = (REPOSITORY / child.module.replace(".", "/") / f"{alias.name}.py").is_file()
                yield f"{child.module}.{alias.name}" if is_module else child.module, child.lineno


def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def check_layers(name: str, tree: ast.Module) -> list[str]:
    """Complaints about the imports of module `name`."""
    owner = name.split(".")[0]
    complaints = []
    for imported, line in imports_of(tree):
        package = imported.split(".")[0]
        if package in ALLOWED and package != owner and package not in ALLOWED[owner]:
            complaints.append(f"{name}:{line} imports {imported}; {owner} may import {sorted(ALLOWED[owner])}")
        if package == "PyQt5" and owner not in QT_ALLOWED:
            complaints.append(f"{name}:{line} imports {imported}; PyQt5 belongs in {QT_ALLOWED}")
        is_torch_free = owner not in TORCH_ALLOWED or f"{name.replace('.', '/')}.py" in TORCH_FORBIDDEN_FILES
        if package in TORCH_PACKAGES and is_torch_free:
            complaints.append(f"{name}:{line} imports {imported}; torch belongs in {TORCH_ALLOWED}")
    return complaints


def check_core_border(name: str, tree: ast.Module) -> list[str]:
    """Complaints about `interact` and `gui` reaching behind the torch-free contract when they are loaded."""
    if name.split(".")[0] not in ("interact", "gui"):
        return []
    inside_functions = {
        (imported, line)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for imported, line in imports_of(node)
    }
    complaints = []
    for imported, line in imports_of(tree):
        if not imported.startswith("inference_core") or imported in TORCH_FREE_CORE:
            continue
        # The only ways to the networks: what builds them, imported on the worker thread when they are first needed.
        if imported in BUILDERS and (imported, line) in inside_functions:
            continue
        complaints.append(f"{name}:{line} imports {imported}; only {sorted(TORCH_FREE_CORE)} may be imported here")
    return complaints


def test_there_is_something_to_check() -> None:
    names = {module_name(file) for file in source_files()}
    assert {"util.types", "storage", "model", "inference_core", "interact", "gui"} <= names


def test_every_file_belongs_to_a_known_package() -> None:
    unknown = {module_name(file).split(".")[0] for file in source_files()} - ALLOWED.keys()
    assert not unknown, f"give these a place in ALLOWED: {sorted(unknown)}"
    packages = {init.parent.name for init in REPOSITORY.glob("*/__init__.py")}
    assert packages <= ALLOWED.keys(), f"give these a place in ALLOWED: {sorted(packages - ALLOWED.keys())}"


@pytest.mark.parametrize("file", source_files(), ids=module_name)
def test_imports(file: Path) -> None:
    tree = parse(file)
    complaints = check_layers(module_name(file), tree) + check_core_border(module_name(file), tree)
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("util.x", "import storage.mask_io"),
        ("storage.x", "from interact import session"),
        ("model.x", "import storage.frame_store"),
        ("interact.x", "def f():\n    import gui.canvas"),
        ("interact.x", "from PyQt5.QtCore import QObject"),
        ("propagate", "from PyQt5 import QtCore"),
        ("util.x", "from torch import nn"),
        ("gui.x", "def f():\n    import torchvision.ops"),
        ("model.zoo", "import torch"),
        ("inference_core.api", "from torch import Tensor"),
        ("gui.x", "import model.stcn"),
        ("storage.x", "from evaluation.score import main"),
        ("generation.x", "import training.loop"),
        ("generation.x", "from evaluation.metrics import region_similarity"),
        ("generation.pack", "import torch"),
        ("training.x", "import train"),
        ("training.x", "from interactive_gui import main"),
        ("training.x", "from gui.canvas import Canvas"),
        ("training.presets", "from torch import nn"),
        ("evaluation.x", "from training.scoring import MaskScores"),
        ("evaluation.x", "import torch"),
        ("model.x", "def f():\n    from generation.pack import load_pack"),
        ("train", "import torch"),
        ("gui.x", "import inference_core.core"),
        ("gui.x", "import inference_core.factory"),
        ("interact.x", "import inference_core.interaction"),
    ],
)
def test_the_rules_find_a_violation(name: str, source: str) -> None:
    tree = ast.parse(source)
    assert check_layers(name, tree) + check_core_border(name, tree)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("gui.x", "def load():\n    from inference_core.factory import build_core"),
        ("interact.x", "from inference_core.api import CoreApi"),
        ("training.x", "import torch, generation.scenes, evaluation.metrics"),
        ("generation.x", "import torch, util.types, storage.atomic_file"),
        ("train", "def f():\n    from training.start import train"),
        ("interactive_gui", "from PyQt5 import QtCore\nimport gui.main_window"),
    ],
)
def test_the_rules_allow(name: str, source: str) -> None:
    tree = ast.parse(source)
    assert not check_layers(name, tree) + check_core_border(name, tree)


def test_package_inits_are_docstrings_only() -> None:
    for init in (file for file in source_files() if file.name == "__init__.py"):
        body = parse(init).body
        is_docstring = len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
        assert is_docstring, f"{init.relative_to(REPOSITORY)}: a package's __init__.py is one docstring"


def test_print_only_in_command_line_programs() -> None:
    for file in source_files():
        name = module_name(file)
        if "." not in name or name.split(".")[0] in SCRIPT_DIRECTORIES:
            continue
        for node in ast.walk(parse(file)):
            is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            assert not is_print, f"{name}:{node.lineno}: print belongs in command-line programs; use logging"


def test_files_stay_small() -> None:
    lengths = {module_name(file): len(file.read_text(encoding="utf-8").splitlines()) for file in source_files()}
    too_long = {name: length for name, length in lengths.items() if length > 350}
    assert not too_long, f"more than 350 lines: {too_long}"


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_torch_free_side_loads_no_torch() -> None:
    prefixes = ("util", "storage", "interact", "gui")
    names = [name for name in map(module_name, source_files()) if name.split(".")[0] in prefixes]
    names += [file[:-3].replace("/", ".") for file in TORCH_FORBIDDEN_FILES if (REPOSITORY / file).is_file()]
    names += LAZY_PROGRAMS
    code = (
        f"import importlib, sys\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, f'importing {name} loads torch'\n"
    )
    run_python(code)


def test_importing_all_but_the_window_loads_no_qt() -> None:
    names = [name for name in map(module_name, source_files()) if name.split(".")[0] not in QT_ALLOWED]
    code = (
        f"import importlib, sys\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        "    assert 'PyQt5' not in sys.modules, f'importing {name} loads PyQt5'\n"
    )
    run_python(code)
