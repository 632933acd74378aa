"""The layout's rules: which package imports which, how large things are, what loads what."""

import ast
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

import pytest
from conftest import WITH_SHAPES

import rig


ROOT = Path(rig.__file__).parent
TREES = {path: ast.parse(path.read_text()) for path in sorted(ROOT.rglob("*.py"))}
LAYERS = [
    {"types", "errors", "units", "terminal", "validation", "config", "settings", "presets"},
    {"robots"},
    {"adapters", "robot_check"},
    {"nn"},
    {"envs"},
    {"simulated"},
    {"external"},
    {"robot_env"},
    {"replay"},
    {"runs"},
    {"datasets"},
    {"representation"},
    {"agent"},
    {"report"},
    {"goals"},
    {"training"},
    {"see"},
    {"inference"},
    {"sweep"},
    {"compare"},
    {"serve"},
    {"api"},
    {"cli"},
    {"__main__"},
]
"""From the bottom up. A package imports itself and the layers below it."""
LAZY = {"__init__"}
"""``import rig`` gives the public names of every layer, each loaded on first use."""
JAX = {"jax", "jaxlib", "equinox", "optax"}
HEAVY = JAX | {"mujoco", "matplotlib"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
MAX_PACKAGE_SHARE = 0.18
MAX_FILE_LINES, MAX_FUNCTION_LINES, MEDIAN_FUNCTION_LINES = 250, 35, 5
LONG_FILES = {"config.py"}
"""All settings of a run are on one page."""


def module_of(path):
    """Return a file's module without the leading ``rig``, for example ``envs.camera``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_of(path) for path in TREES}


def imported_modules(path):
    """Return the modules of rig that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                is_module = submodule.removeprefix("rig.") in MODULES
                names.add(submodule if is_module else node.module)
    return {name.removeprefix("rig.") for name in names} & MODULES


def top_of(module):
    return module.split(".")[0]


def function_lengths():
    """Return the length of every function in lines, without its docstring, by place."""
    lengths = {}
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                has_docstring = ast.get_docstring(node) is not None
                documented = first.end_lineno - first.lineno + 1 if has_docstring else 0
                place = f"{module_of(path)}:{node.lineno}:{node.name}"
                lengths[place] = node.end_lineno - node.lineno + 1 - documented
    return lengths


def run_python(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_packages_import_only_layers_below_them():
    level = {name: index for index, names in enumerate(LAYERS) for name in names}
    upward = [
        f"{module_of(path)} imports {module}"
        for path in TREES
        for module in imported_modules(path)
        if (importer := top_of(module_of(path))) not in LAZY
        and (top := top_of(module)) != importer
        and level[top] >= max(level[importer], 1)
    ]
    assert not upward


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter({module_of(path): imported_modules(path) for path in TREES}).prepare()


def test_no_package_has_more_than_its_share_of_the_lines():
    lines = Counter()
    for path in TREES:
        lines[top_of(module_of(path))] += len(path.read_text().splitlines())
    shares = {name: num / lines.total() for name, num in lines.items()}
    assert not {name: share for name, share in shares.items() if share > MAX_PACKAGE_SHARE}


def test_every_module_has_a_name_that_says_something():
    assert not [name for name in MODULES if set(name.split(".")) & BANNED_NAMES]


def test_files_and_functions_are_short():
    lengths = function_lengths()
    lines = {path: len(path.read_text().splitlines()) for path in TREES}
    long_files = {path for path, num in lines.items() if num > MAX_FILE_LINES}
    assert {path.name for path in long_files} <= LONG_FILES
    assert {place for place, num in lengths.items() if num > MAX_FUNCTION_LINES} == set()
    assert median(lengths.values()) <= MEDIAN_FUNCTION_LINES


def test_nothing_is_loaded_that_can_bring_in_code():
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert getattr(node.func, "id", None) not in {"exec", "__import__"}, path
                keywords = {keyword.arg for keyword in node.keywords}
                assert "allow_pickle" not in keywords, path


def test_envs_external_and_replay_load_no_jax():
    modules = sorted(name for name in MODULES if top_of(name) in {"envs", "external", "replay"})
    imports = "\n".join(f"import rig.{name}" for name in modules)
    assert run_python(f"import sys\n{imports}\nprint({JAX} & set(sys.modules))") == "set()"


@pytest.mark.parametrize("code", ["import rig", "from rig.cli.main import main; main(['-h'])"])
def test_import_and_help_load_nothing_heavy(code):
    wrapped = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n"
    assert run_python(f"{wrapped}print({HEAVY} & set(sys.modules))").splitlines()[-1] == "set()"


def test_using_a_trained_policy_loads_no_scipy():
    """It takes as long as JAX, and only fits, studies and pages need it."""
    modules = ("inference.open_run", "inference.reach", "goals.likeness", "inference.evaluate")
    imports = "\n".join(f"import rig.{name}" for name in modules)
    assert run_python(f"import sys\n{imports}\nprint('scipy' in sys.modules)") == "False"


def test_all_shapes_are_checked_while_tests_run():
    with_shapes = {
        module_of(path).split(".")[0] for path in TREES if "jaxtyping" in path.read_text()
    }
    assert {f"rig.{name}" for name in with_shapes} == set(WITH_SHAPES)
