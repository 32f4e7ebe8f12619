"""The study as a pipeline of its own: only what is new is computed, and the main project does not see it."""

import importlib.util
import json
import shutil
from pathlib import Path

import made_corpus
import numpy as np
import pytest
from conftest import ROOT, Project, write_yaml
from helpers import is_missing, rows

from sentiment.common.yaml_reader import read_yaml

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

STUDY = {
    "seeds": [1],
    "variants": {"embedding": {}, "one_hot": {"model": {"input": "one_hot"}}},
    "compared_with": {},
    "published": {},
    "memory_of": ["embedding"],
}
# A changed line in these trains nothing.
TRAINS_NOTHING = "common/errors", "common/files", "common/parameters", "common/reviews", "evaluation/scores"


def runs_of(studies: Project, name: str) -> list[dict] | dict[str, list[dict]]:
    return json.loads((studies.folder / f"runs/{name}.json").read_text())


def changed_stages(studies: Project) -> set[str]:
    """The stages of which something that they read or wrote has changed."""
    return set(json.loads(studies.run("dvc", "status", "--json")))


@pytest.fixture(scope="module")
def main_project(make_project):
    """The project that the study is in, on the made corpus."""
    project = make_project()
    project.run("python", "-m", "stages.fetch")
    return project


@pytest.fixture(scope="module")
def studies(main_project):
    """The study of two variants, run once; without its cross-validation, which is of other ones."""
    studies = Project(main_project.folder / "studies")
    studies.environment = main_project.environment
    write_yaml(studies.folder / "variants.yaml", STUDY)
    pipeline = read_yaml(studies.folder / "dvc.yaml")
    del pipeline["stages"]["cross_validation"]
    write_yaml(studies.folder / "dvc.yaml", pipeline)
    studies.repro()
    return studies


def test_the_study_gives_what_the_main_pipeline_gives(studies, main_project):
    main_project.set_params(train__seed=1)
    for stage in "split", "pad", "train", "evaluate":
        main_project.run("python", "-m", f"stages.{stage}")
    main_project.set_params(train__seed=0)
    metrics = json.loads((main_project.folder / "metrics/metrics.json").read_text())
    del metrics["validation"]["copies_of_training"]
    (run,) = runs_of(studies, "networks")["embedding"]
    effects = [float(row["effect"]) for row in rows(main_project.folder / "plots/memory.csv")]
    memory = [float(np.mean(tenth)) for tenth in np.array_split(effects, 10)]
    assert run == {"seed": 1, **metrics, "memory": pytest.approx(memory, abs=2e-6)}
    model = (main_project.folder / "data/model/model.keras").read_bytes()
    assert model == (studies.folder / "models/embedding/1.keras").read_bytes()


def test_what_trains_nothing_is_no_reason_to_train_again(studies, main_project):
    # The study's .dvcignore reaches no further than its own folder.
    for folder in (main_project.folder / "sentiment").glob("**/__pycache__"):
        (folder / "of_another_python.cpython-399.pyc").write_bytes(b"compiled")
    assert changed_stages(studies) == set()
    for name in TRAINS_NOTHING:
        with (main_project.folder / f"sentiment/{name}.py").open("a") as file:
            file.write("# One more sentence.\n")
    assert changed_stages(studies) == {"score", "linear", "reference", "with_ratios", "summary"}
    main_project.run("git", "checkout", "--quiet", "sentiment")


def test_a_new_variant_and_other_seeds_train_these_alone_and_a_comparison_nothing(studies):
    def trained(**changes: object) -> list[str]:
        write_yaml(studies.folder / "variants.yaml", STUDY | changes)
        return [stage for stage in studies.repro() if stage.startswith("train@")]

    other_seeds = {"model": {"input": "one_hot"}, "seeds": [8]}
    assert trained(variants={"embedding": {}, "one_hot": other_seeds, "again": {}}) == ["train@one_hot", "train@again"]
    networks = runs_of(studies, "networks")
    assert networks["again"] == networks["embedding"]
    assert [run["seed"] for run in networks["one_hot"]] == [8]
    shutil.rmtree(studies.folder / "models")
    assert trained(compared_with={"embedding": "one_hot"}) == [], "DVC has the networks of before"
    assert "difference_to_one_hot" in json.loads((studies.folder / "metrics/study.json").read_text())["embedding"]


def test_test_reviews_are_scored_as_soon_as_the_source_has_them_and_train_nothing(studies, main_project):
    archive = made_corpus.write_archive(main_project.folder / "archive.tar.gz")
    main_project.set_params(fetch__source="archive", fetch__archive=archive.name)
    main_project.run("python", "-m", "stages.fetch")
    assert sorted(studies.repro()) == ["linear", "reference", "score", "summary", "with_ratios"]
    networks = runs_of(studies, "networks")["embedding"]
    for run in *networks, *(run for name in ("linear", "reference", "with_ratios") for run in runs_of(studies, name)):
        assert run["test"].keys() == run["validation"].keys()


def test_the_best_models_are_cross_validated_in_the_same_parts(make_project):
    project = make_project()
    project.run("python", "-m", "stages.fetch")
    two_parts = "from studies import cross_validation, reference; reference.PARTS = 2; cross_validation.main()"
    project.run("python", "-c", two_parts)
    results = json.loads((project.folder / "studies/metrics/cross_validation.json").read_text())
    committed = json.loads((ROOT / "studies/metrics/cross_validation.json").read_text())
    assert results.keys() == committed.keys()
    for result in results.values():
        assert len(result["accuracy"]) == len(result["loss"]) == 2
        assert result["mean_accuracy"] == pytest.approx(np.mean(result["accuracy"]), abs=1e-6)
    assert results["words_and_pairs"]["mean_accuracy"] > 0.8, "words tell the labels of the made corpus"


def test_the_main_project_does_not_see_the_study(main_project):
    assert "study" not in main_project.run("dvc", "metrics", "show")
    assert main_project.run("dvc", "stage", "list", "--name-only").split() == ["fetch", "split", "pad", "train", "evaluate"]


def test_a_ray_cluster_of_two_nodes_gives_the_same_bytes_as_one_machine(studies, main_project):
    """Two nodes of one core each, on this machine, so that each of them gets a run."""
    if not importlib.util.find_spec("ray"):
        is_missing("Ray is not installed: make .venv/ray")
    from ray.cluster_utils import Cluster

    def models() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in studies.folder.glob("models/*/*.keras")}

    expected = models()
    shutil.rmtree(studies.folder / "models")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        printed = main_project.run("python", "-m", "studies.on_ray", RAY_ADDRESS=cluster.address)
    finally:
        cluster.shutdown()
    assert "2 runs on 2 machines" in printed
    assert models() == expected
    studies.run("dvc", "commit", "--force", "train")
    assert changed_stages(studies) == set()
