"""dvc.yaml names all that a stage reads: DVC can't find it out (its issue 9195) and does not rerun for what it doesn't know."""

import ast
import os
import re

import grimp
import pytest
from conftest import ROOT, Project

from sentiment.common.parameters import documented_keys
from sentiment.common.yaml_reader import read_yaml

FOLDERS = "sentiment", "stages", "studies", "report", "bench"
GRAPH = grimp.build_graph(*FOLDERS, include_external_packages=True, cache_dir=None)
# Python runs a module's package before it.
for module in GRAPH.modules:
    package, _, _ = module.rpartition(".")
    if package:
        GRAPH.add_import(importer=module, imported=package)


def run_by(module: str) -> set[str]:
    """The project's modules that running this one runs: itself, and what it imports, directly or not."""
    return {name for name in {module, *GRAPH.find_upstream_modules(module)} if name.split(".")[0] in FOLDERS}


def path_of(module: str) -> str:
    path = module.replace(".", "/")
    return f"{path}/__init__.py" if (ROOT / path).is_dir() else f"{path}.py"


def has_code(module: str) -> bool:
    """Whether it has more than a docstring."""
    return len(ast.parse((ROOT / path_of(module)).read_text()).body) > 1


def stages_of(folder: str) -> dict[str, dict]:
    """The stages of a dvc.yaml by the module that each runs, with dependencies and parameters as seen from the root."""
    stages = {}
    for declared in read_yaml(ROOT / folder / "dvc.yaml")["stages"].values():
        stage = declared.get("do", declared)  # of a stage that is there for each of several variants
        (module,) = re.findall(r"python -m ([\w.]+)", stage["cmd"])
        deps = {os.path.normpath(os.path.join(folder, dep)) for dep in stage["deps"]}
        params = set()
        for entry in stage["params"]:
            for file, names in ({"params.yaml": [entry]} if isinstance(entry, str) else entry).items():
                params |= set(names) if file in ("params.yaml", "../params.yaml") else set()
        stages[module] = stage | {"deps": deps, "params": params}
    return stages


STAGES = stages_of(".") | stages_of("studies")

# What the study runs and does not depend on: it reads and checks parameters, and tells errors. The parameters' values are
# dependencies themselves. With this code, a new parameter or a better message would train all networks of the study again.
ONLY_CHECKS = {
    "sentiment.common.errors",
    "sentiment.common.parameters",
    "sentiment.common.problems",
    "sentiment.common.values",
    "sentiment.common.yaml_reader",
    "studies",
}
NO_DEPENDENCIES = {module: ONLY_CHECKS for module in STAGES if module.startswith("studies.")}
# And what reads reviews is no reason to train, either: the file of the reviews is a dependency.
NO_DEPENDENCIES["studies.train"] = ONLY_CHECKS | {f"sentiment.common.{name}" for name in ("files", "reviews", "vocabulary")}


def test_every_stage_is_one_file_and_says_what_it_does():
    assert [module for module in STAGES if module.startswith("stages.")] == [
        "stages.fetch", "stages.split", "stages.pad", "stages.train", "stages.evaluate"
    ]  # fmt: skip
    assert GRAPH.find_children("stages") <= STAGES.keys()
    assert all("desc" in stage for stage in STAGES.values())


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_code_and_the_packages_that_it_runs_and_on_no_other(stage):
    code = {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py") or dep.startswith("sentiment/")}
    covering = {name: {dep for dep in code if f"{path_of(name)}/".startswith(f"{dep}/")} for name in run_by(stage)}
    not_covered = {name for name, deps in covering.items() if not deps and has_code(name)}
    assert not_covered == NO_DEPENDENCIES.get(stage, set())
    assert set().union(*covering.values()) == code
    assert "requirements/stages.txt" in STAGES[stage]["deps"]


NAMES = {name for name, _ in documented_keys()}


def single_keys(names: set[str]) -> set[str]:
    """The single parameters that these names of parameters and sections stand for."""
    assert names <= NAMES
    within = {key for key in NAMES if any(f"{key}.".startswith(f"{name}.") for name in names)}
    return {key for key in within if not any(other.startswith(f"{key}.") for other in within)}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_each_parameter_that_it_reads_and_on_no_other(stage):
    source = (ROOT / path_of(stage)).read_text()
    read = set(re.findall(r"\bparams\.(?!yaml)([\w.]+)", source))
    assert single_keys(STAGES[stage]["params"]) == single_keys(read)
    for function in re.findall(r"(\w+)\([^()]*\bparams\b(?!\.)", source):
        assert f"def {function}(" in source, "what another module reads of the parameters is not seen here"


def imports_between(*packages: str, parts: set[str]) -> dict[str, set[str]]:
    """The parts of these packages, modules or packages themselves, and which others of them each imports."""
    graph = grimp.build_graph(*packages, cache_dir=None)
    for part in parts:
        graph.squash_module(part)
    return {part: graph.find_modules_directly_imported_by(part) for part in parts}


def test_imports_run_one_way_and_nothing_imports_a_stage():
    on_sentiment = {folder: {"sentiment"} for folder in FOLDERS} | {"sentiment": set()}
    assert imports_between(*FOLDERS, parts=set(FOLDERS)) == on_sentiment
    assert {stage for stage in GRAPH.find_children("stages") if GRAPH.find_modules_that_directly_import(stage)} == set()


# The table of sentiment/__init__.py: from the command to the ground, the packages and modules that each may import.
LAYERS = {
    name: set(arrows.split()) - {"nothing"}
    for name, arrows in re.findall(r"^    (\w+)  .* → (.+)$", (ROOT / "sentiment/__init__.py").read_text(), re.MULTILINE)
}


def test_a_package_imports_from_those_that_its_line_names_which_stand_below_it_and_from_no_other():
    imports = imports_between("sentiment", parts=GRAPH.find_children("sentiment"))
    assert imports == {f"sentiment.{name}": {f"sentiment.{other}" for other in others} for name, others in LAYERS.items()}
    order = list(LAYERS)
    assert all(order.index(name) < order.index(other) for name, others in LAYERS.items() for other in others)


def test_tensorflow_is_imported_by_what_trains_and_by_nothing_else():
    """All others start in a tenth of the time, and run without AVX2."""
    importing = GRAPH.find_modules_that_directly_import("keras") | GRAPH.find_modules_that_directly_import("tensorflow")
    in_the_source_of_keras = "sentiment.corpus.sources"
    assert {name for name in importing if not name.startswith("bench.")} == {
        "sentiment.training.reproducible", in_the_source_of_keras
    }  # fmt: skip
    when_asked_for = f"import sys, {in_the_source_of_keras}; assert not {{'keras', 'tensorflow'}} & {{*sys.modules}}"
    Project(ROOT).run("python", "-c", when_asked_for)
    assert GRAPH.find_downstream_modules("sentiment.training", as_package=True) == {
        "stages.train", "studies.train", "studies.on_ray", "studies.with_ratios", "studies.cross_validation", "bench.fit"
    }  # fmt: skip


def test_each_module_of_common_is_run_by_at_least_three_of_the_five_stages():
    """Or else it belongs to a package of its own."""
    run = [run_by(stage) for stage in GRAPH.find_children("stages")]
    for module in GRAPH.find_children("sentiment.common"):
        assert sum(module in modules for modules in run) >= 3, module
