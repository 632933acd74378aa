"""The house keeps its own rules: who imports whom, what is too long, what has no place here."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rig


ROOT = Path(rig.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LAYERS = [
    {"types", "errors", "units", "validation", "config", "settings", "presets"},
    {"nn"},
    {"envs"},
    {"external"},
    {"replay"},
    {"runs"},
    {"representation"},
    {"agent"},
    {"report"},
    {"goals"},
    {"training"},
    {"inference"},
    {"sweep"},
    {"compare"},
    {"api"},
    {"cli"},
]
"""From the bottom up: a package imports itself and what is below it."""
FRAMEWORKS = {"jax", "jaxlib", "equinox", "optax"}
FORBIDDEN = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "random",
}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
MAX_FILE_LINES, MAX_FUNCTION_LINES, HARDLY_EVER_LINES = 250, 60, 40
ON_ONE_PAGE = {"config.py"}
"""Every knob of a run on one page is worth a long page."""


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__")


def imported(path):
    """The full names of all that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(path):
    """What a file imports of ours, without the package's name."""
    return {name.removeprefix("rig.") for name in imported(path) if name.startswith("rig.")}


def functions():
    """Every function with its file and its length in lines, docstring aside."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                has_docstring = ast.get_docstring(node) is not None
                documented = first.end_lineno - first.lineno + 1 if has_docstring else 0
                yield path, node.name, node.end_lineno - node.lineno + 1 - documented


def is_within(name, packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_follow_the_arrows(path):
    if name_of(path):
        top = path.relative_to(ROOT).parts[0].removesuffix(".py")
        level = next(level for level, names in enumerate(LAYERS) if top in names)
        allowed = set().union(*LAYERS[:level], {top} if level else LAYERS[0])
        assert not [name for name in ours(path) if not is_within(name, allowed)]


@pytest.mark.parametrize("package", ["envs", "external", "replay"])
def test_world_and_memory_are_numpy(package):
    modules = [name_of(path) for path in FILES if path.parts[len(ROOT.parts)] == package]
    lines = [f"import rig.{module}".removesuffix(".") for module in modules]
    code = "\n".join(["import sys", *lines, f"print({FRAMEWORKS} & set(sys.modules))"])
    assert run_python(code) == "set()"


def test_importing_rig_registers_the_tasks_and_loads_nothing_else():
    code = "import sys, rig; print([name for name in sys.modules if name.startswith('rig.')])"
    assert run_python(code) == "['rig.envs', 'rig.envs.registration']"


def test_command_line_answers_without_loading_what_is_heavy():
    code = "import sys, rig.cli.main; print({'jax', 'mujoco', 'matplotlib'} & set(sys.modules))"
    assert run_python(code) == "set()"


def run_python(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file_fits_on_a_few_screens(path):
    if path.name not in ON_ONE_PAGE:
        assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


def test_hardly_a_function_is_long():
    lengths = {f"{path.name}:{name}": length for path, name, length in functions()}
    long = [where for where, length in lengths.items() if length > HARDLY_EVER_LINES]
    assert len(long) <= 0.01 * len(lengths), long
    assert max(lengths.values()) <= MAX_FUNCTION_LINES
    assert sum(lengths.values()) / len(lengths) < 15


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_loaded_that_can_bring_in_code(path):
    assert not {name.split(".")[0] for name in imported(path)} & FORBIDDEN
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            assert getattr(node.func, "id", None) not in {"eval", "exec", "__import__"}
            assert not [keyword for keyword in node.keywords if keyword.arg == "allow_pickle"]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_except_catches_everything_unseen(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            assert not isinstance(node.body[0], ast.Pass)


def test_no_module_is_named_after_nothing():
    assert not [path for path in FILES if set(name_of(path).split(".")) & BANNED_NAMES]
