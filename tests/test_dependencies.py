"""dvc.yaml names all that a stage reads: DVC can't find it out (its issue 9195) and does not rerun for what it doesn't know."""

import ast
import os
import re
from pathlib import Path

import pytest
from conftest import ROOT, Project

from sentiment.common.yaml_reader import read_yaml

PARAMS = read_yaml(ROOT / "params.yaml")


def stages_of(folder: str) -> dict[str, dict]:
    """The stages of a dvc.yaml by the file that each runs, with dependencies and parameters as seen from the root."""
    stages = {}
    for declared in read_yaml(ROOT / folder / "dvc.yaml")["stages"].values():
        stage = declared.get("do", declared)  # of a stage that is there for each of several variants
        (module,) = re.findall(r"python -m ([\w.]+)", stage["cmd"])
        deps = {os.path.normpath(os.path.join(folder, dep)) for dep in stage["deps"]}
        params = set()
        for entry in stage["params"]:
            for file, names in ({"params.yaml": [entry]} if isinstance(entry, str) else entry).items():
                params |= set(names) if file in ("params.yaml", "../params.yaml") else set()
        stages[f"{module.replace('.', '/')}.py"] = stage | {"deps": deps, "params": params}
    return stages


STAGES = stages_of(".") | stages_of("studies")


def files_of(module: str, root: Path) -> list[Path]:
    """The project's files that importing a module runs: its own and those of the packages that it is in."""
    parts = module.split(".")
    paths = (root / "/".join(parts[: i + 1]) for i in range(len(parts)))
    return [file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()]


def directly_imported(path: Path, root: Path = ROOT) -> set[str]:
    """The project's files that the imports of one file run."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {str(file.relative_to(root)) for name in names for file in files_of(name, root)}
    return found


def imported_modules(path: Path, root: Path = ROOT) -> set[str]:
    """The project's files that running the file at `path` reads: it, and what it imports, directly or not."""
    found, to_read = (
        set(),
        {str(file.relative_to(root)) for file in files_of(".".join(path.relative_to(root).with_suffix("").parts), root)},
    )
    while to_read:
        name = to_read.pop()
        found.add(name)
        to_read |= directly_imported(root / name, root) - found
    return found


def read_parameters(source: str) -> set[str]:
    """The parameters that a stage's source reads of `params`, by full name: single ones, or whole sections."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    # Functions of the same source that take all of them, and whose own reading of `params` is found below.
    takers = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and [argument.arg for argument in node.args.args][:1] == ["params"]
    }
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "params" and isinstance(node.ctx, ast.Load):
            call = parents[node]
            if isinstance(call, ast.Call) and call.args[:1] == [node] and getattr(call.func, "id", None) in takers:
                continue
            keys = []
            while isinstance(parents[node], ast.Attribute):
                node = parents[node]
                keys.append(node.attr)
            assert keys, f"line {node.lineno}: `params` is used as a whole, so that nothing tells what is read of it"
            names.add(".".join(keys))
    return names


def single_keys(names: set[str]) -> set[str]:
    """The single parameters that names of parameters and sections stand for."""

    def below(name: str, value: object) -> set[str]:
        if not isinstance(value, dict):
            return {name}
        return set().union(*(below(f"{name}.{key}", value[key]) for key in value))

    found = set()
    for name in names:
        value = PARAMS
        for key in name.split("."):
            value = value[key]
        found |= below(name, value)
    return found


def test_every_stage_is_one_file():
    names = "fetch", "split", "pad", "train", "evaluate"
    assert list(STAGES)[:5] == [f"stages/{name}.py" for name in names]
    assert {path.stem for path in (ROOT / "stages").glob("*.py")} == {*names, "__init__"}
    of_the_study = "train", "score", "linear", "reference", "with_ratios", "summary"
    assert list(STAGES)[5:] == [f"studies/{name}.py" for name in of_the_study]


def has_code(path: str) -> bool:
    """Whether a file has more than a docstring."""
    tree = ast.parse((ROOT / path).read_text())
    return len(tree.body) > (ast.get_docstring(tree) is not None)


# What the study runs and does not depend on: it reads and checks parameters, and tells errors. The parameters' values are
# dependencies themselves. With this code, a new parameter or a better message would train all networks of the study again.
ONLY_CHECKS = {
    "sentiment/common/errors.py",
    "sentiment/common/parameters.py",
    "sentiment/common/problems.py",
    "sentiment/common/yaml_reader.py",
    "studies/__init__.py",
}


@pytest.mark.parametrize("file", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs_and_on_no_other_file_or_room(file):
    code = {dep for dep in STAGES[file]["deps"] if dep.endswith(".py") or dep.startswith("sentiment/")}
    names = {path: {dep for dep in code if path == dep or path.startswith(f"{dep}/")} for path in imported_modules(ROOT / file)}
    not_covered = {path for path, deps in names.items() if has_code(path) and not deps}
    assert not_covered == (ONLY_CHECKS if file.startswith("studies/") else set())
    assert set().union(*names.values()) == code


# The table of sentiment/__init__.py: from the command to the ground, the rooms that each room may import.
ROOMS = {
    name: set(arrows.split()) - {"nothing"}
    for name, arrows in re.findall(r"^    (\w+)  .* → (.+)$", (ROOT / "sentiment/__init__.py").read_text(), re.MULTILINE)
}


def room(path: str) -> str | None:
    """The room that a file of the project is in, if it is in one."""
    folder, *parts = Path(path).with_suffix("").parts
    return parts[0] if folder == "sentiment" and parts != ["__init__"] else None


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_from_the_rooms_that_its_line_names_and_from_no_other(name):
    files = [path for path in (ROOT / "sentiment").glob("**/*.py") if room(str(path.relative_to(ROOT))) == name]
    imported = {other for path in files for other in directly_imported(path)}
    assert {room(other) or other for other in imported} - {"sentiment/__init__.py", name} == ROOMS[name]


def test_imports_between_rooms_run_one_way():
    order = list(ROOMS)
    assert all(order.index(name) < order.index(other) for name, others in ROOMS.items() for other in others)


def test_every_room_is_listed_with_what_it_may_import():
    folders = {path.parent.name for path in (ROOT / "sentiment").glob("*/__init__.py")}
    assert folders | {path.stem for path in (ROOT / "sentiment").glob("[a-z]*.py")} == set(ROOMS)


TRAINS = {"stages/train.py", "studies/train.py", "studies/on_ray.py", "studies/with_ratios.py"}


def tensorflow_modules(source: ast.AST) -> set[str]:
    """The modules of TensorFlow and Keras that a source imports, wherever the import stands."""
    names = set()
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name for name in names if name.split(".")[0] in ("tensorflow", "keras")}


def test_tensorflow_is_imported_by_what_trains_and_by_nothing_else():
    """All others start in a tenth of the time, and run without AVX2."""
    folders = "sentiment", "stages", "studies", "report"
    paths = [str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).glob("**/*.py")]
    sources = {path: ast.parse((ROOT / path).read_text()) for path in paths if room(path) != "training"}
    # The source `keras` is Keras's own data set. Nothing is imported for it before it is asked for.
    corpus = sources["sentiment/corpus/sources.py"]
    (from_keras,) = [node for node in corpus.body if isinstance(node, ast.FunctionDef) and node.name == "from_keras"]
    assert tensorflow_modules(from_keras) == {"keras.datasets"}
    corpus.body.remove(from_keras)
    assert [path for path, source in sources.items() if tensorflow_modules(source)] == []
    assert {path for path in sources if any(room(other) == "training" for other in imported_modules(ROOT / path))} == TRAINS


def test_what_python_compiles_into_a_room_is_no_dependency():
    assert "__pycache__" in (ROOT / ".dvcignore").read_text().splitlines()


def test_each_module_of_common_is_run_by_at_least_three_of_the_five_stages():
    """Or else it belongs to a room of its own."""
    used = [imported_modules(ROOT / file) for file in STAGES if file.startswith("stages/")]
    for path in (ROOT / "sentiment/common").glob("*.py"):
        assert sum(str(path.relative_to(ROOT)) in files for files in used) >= 3, path


@pytest.mark.parametrize("file", STAGES)
def test_a_stage_depends_on_each_parameter_that_it_reads_and_on_no_other(file):
    read = read_parameters((ROOT / file).read_text())
    assert single_keys(STAGES[file]["params"]) == single_keys(read)


@pytest.mark.parametrize("file", STAGES)
def test_a_stage_depends_on_the_packages_that_it_runs_with(file):
    assert "requirements/stages.txt" in STAGES[file]["deps"]


@pytest.mark.parametrize("file", STAGES)
def test_a_stage_says_what_it_does(file):
    assert STAGES[file]["desc"]


@pytest.mark.parametrize("folder", ["sentiment", "stages", "studies", "report", "bench"])
def test_imports_run_one_way_and_nothing_imports_a_stage(folder):
    for path in (ROOT / folder).glob("**/*.py"):
        found = {name.split("/")[0] for name in imported_modules(path) - {str(path.relative_to(ROOT)), f"{folder}/__init__.py"}}
        assert found <= {"sentiment"} | ({folder} - {"stages"}), path


def test_every_module_of_the_package_is_used_by_a_stage_or_another_command():
    commands = (
        *(ROOT / name for name in STAGES),
        *(ROOT / "sentiment" / name for name in ("predict.py", "common/parameters.py")),
    )
    used = set().union(*(imported_modules(path) for path in commands))
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "sentiment").glob("**/*.py")} <= used


@pytest.mark.training
def test_nothing_that_windows_lacks_is_needed_to_import_the_project():
    """All modules are imported a second time, when the other packages are there and what they may have used is gone."""
    folders = "sentiment", "stages", "studies", "report"
    paths = [path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).glob("**/*.py") if path.stem != "on_ray"]
    modules = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]
    script = f"""
import importlib, os, signal, sys
for name in {modules}:
    importlib.import_module(name)
for name in [name for name in sys.modules if name.split(".")[0] in {folders}]:
    del sys.modules[name]
for name in "SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1":
    delattr(signal, name)
for name in "fork", "getuid", "killpg", "sysconf", "uname", "wait":
    delattr(os, name)
for name in "fcntl", "grp", "pwd", "resource", "termios":
    sys.modules[name] = None
for name in {modules}:
    importlib.import_module(name)
"""
    Project(ROOT).run("python", "-c", script)


def test_imports_are_found_wherever_they_stand(tmp_path):
    (tmp_path / "stages").mkdir()
    for name, source in {
        "__init__": "",
        "stage": "def f():\n    from stages import a\n",
        "a": "import stages.b\nimport numpy",
        "b": "from stages.c import x",
        "c": "from stages.stage import f",
    }.items():
        (tmp_path / f"stages/{name}.py").write_text(source)
    found = imported_modules(tmp_path / "stages/stage.py", tmp_path)
    assert found == {"stages/__init__.py", "stages/stage.py", "stages/a.py", "stages/b.py", "stages/c.py"}


def test_parameters_are_found_wherever_they_are_read():
    source = "params = read_params()\nf(params.split.seed)\ndef g():\n    return params.pad, params.train.epochs + 1\n"
    assert read_parameters(source) == {"split.seed", "pad", "train.epochs"}
    with pytest.raises(AssertionError, match="line 2: `params` is used as a whole"):
        read_parameters("params = read_params()\nf(params)")
    source = "def f(params):\n    return params.pad\nparams = read_params()\nf(params)\n"
    assert read_parameters(source) == {"pad"}
