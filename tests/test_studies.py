"""The study as a pipeline of its own: only what is new is computed, and the main project does not see it."""

import csv
import importlib.util
import io
import json
import re
import shutil
from pathlib import Path

import made_corpus
import numpy as np
import pytest
from conftest import ROOT, Project, write_yaml
from helpers import is_missing, ragged, rows, sequences
from scipy import sparse

from sentiment.common.errors import UserError
from sentiment.common.parameters import change_params, read_params
from sentiment.common.yaml_reader import read_yaml
from sentiment.corpus.archive import read_archive
from sentiment.corpus.encoding import encode_texts, tokenise
from studies.reference import (
    LogCountRatios,
    bag_of_terms,
    columns_of,
    frequent_terms,
    review_ids,
    terms_by_place,
    train_and_predict,
    weighted_regression,
)
from studies.variants import seeds_of

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def studies(make_project):
    """The study of three variants on the made corpus, two of them from two seeds, run once."""
    project = make_project()
    project.run("dvc", "repro", "--quiet", "fetch")
    studies = Project(project.folder / "studies")
    study = {
        "seeds": [0, 1],
        "variants": {
            "embedding": {},
            "one_hot": {"model": {"input": "one_hot"}},
            "preset": {"seeds": [7], "model": {"cell": "gru"}},
        },
        "compared_with": {"preset": "one_hot"},
        "published": {},
        "memory_of": ["embedding", "preset"],
    }
    write(studies, study)
    assert sorted(studies.repro()) == [
        "linear",
        "reference",
        "score",
        "summary",
        "train@embedding",
        "train@one_hot",
        "train@preset",
        "with_ratios",
    ]
    return studies


def write(studies: Project, study: dict) -> None:
    write_yaml(studies.folder / "variants.yaml", study)


def read(studies: Project) -> tuple[dict, dict]:
    variants = read_yaml(studies.folder / "variants.yaml")
    return variants, json.loads((studies.folder / "metrics/study.json").read_text())


def runs_of(studies: Project, variant: str) -> list[dict]:
    return json.loads((studies.folder / "runs/networks.json").read_text())[variant]


@pytest.mark.slow
def test_the_study_has_the_spread_over_seeds_and_the_size_of_each_variant(studies):
    _, result = read(studies)
    assert list(result) == ["embedding", "one_hot", "preset", "linear", "words_and_pairs", "gru_with_ratios"]
    rows = list(csv.DictReader(io.StringIO((studies.folder / "plots/study.csv").read_text())))
    assert [(row["variant"], row["seed"]) for row in rows] == [
        ("embedding", "0"), ("embedding", "1"), ("one_hot", "0"), ("one_hot", "1"), ("preset", "7"), ("linear", ""),
        ("words_and_pairs", ""), ("gru_with_ratios", "0"), ("gru_with_ratios", "1"),
    ]  # fmt: skip
    runs = {"embedding": 2, "one_hot": 2, "preset": 1, "linear": 1, "words_and_pairs": 1, "gru_with_ratios": 2}
    for variant, seeds in runs.items():
        accuracies = [float(row["validation_accuracy"]) for row in rows if row["variant"] == variant]
        summary = result[variant]["validation_accuracy"]
        assert summary["mean"] == pytest.approx(sum(accuracies) / seeds, abs=1e-6)
        assert (summary["min"], summary["max"]) == (min(accuracies), max(accuracies))
        assert result[variant]["runs"] == seeds
        assert ("pc1_log_odds_spearman" in result[variant]) == (variant in ("embedding", "one_hot", "preset"))
    for variant in "words_and_pairs", "gru_with_ratios":
        assert result[variant]["validation_accuracy"]["mean"] > 0.9, "two words of three tell the label"
    correlations = [run["words"]["pc1_log_odds_spearman"] for run in runs_of(studies, "embedding")]
    assert result["embedding"]["pc1_log_odds_spearman"]["mean"] == pytest.approx(sum(correlations) / 2, abs=1e-6)
    assert result["one_hot"]["input_bytes"] == 40 * result["embedding"]["input_bytes"] == 250 * 12 * 40 * 4
    assert result["one_hot"]["parameters"] == 40 * 8 + 8 * 8 + 8 + 9
    assert (studies.folder / "plots/study.png").read_bytes().startswith(b"\x89PNG")

    first, second = (
        float(one_hot["validation_accuracy"]) - float(embedding["validation_accuracy"])
        for embedding, one_hot in zip(rows[:2], rows[2:4], strict=True)
    )
    assert result["one_hot"]["difference_to_embedding"] == {
        "mean": pytest.approx((first + second) / 2, abs=1e-6),
        "standard_error": pytest.approx(abs(first - second) / 2, abs=1e-6),
    }
    assert result["preset"]["difference_to_one_hot"] == {"mean": None, "standard_error": None}, "no seed is in both"
    assert "difference_to_embedding" not in result["embedding"]


@pytest.mark.slow
def test_the_study_has_what_each_variant_remembers_of_the_tenths_of_a_review_with_the_spread_over_seeds(studies):
    remembered = rows(studies.folder / "plots/memory.csv")
    assert [row["variant"] for row in remembered] == 10 * ["embedding"] + 10 * ["one_hot"] + 10 * ["preset"]
    assert [row["tenth"] for row in remembered[:10]] == [str(tenth) for tenth in range(1, 11)]
    first, second = (run["memory"] for run in runs_of(studies, "embedding"))
    for row, one, other in zip(remembered, first, second, strict=False):
        assert float(row["mean"]) == pytest.approx((one + other) / 2, abs=2e-6)
        assert float(row["standard_deviation"]) == pytest.approx(abs(one - other) / 2**0.5, abs=2e-6)
    assert {row["standard_deviation"] for row in remembered[20:]} == {"0.0"}, "one seed"
    assert (studies.folder / "plots/memory.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_new_or_changed_variant_computes_that_variant_alone(studies):
    study, before = read(studies)
    variants = study["variants"]
    write(studies, study | {"variants": variants | {"preset": variants["preset"] | {"seeds": [8]}, "again": {}}})
    assert studies.repro() == ["train@preset", "train@again", "score", "summary"]
    _, after = read(studies)
    assert after["embedding"] == before["embedding"]
    assert after["again"] == before["embedding"] | {"difference_to_embedding": {"mean": 0, "standard_error": 0}}
    write(studies, study)
    assert studies.repro() == ["score"], (
        "DVC has the networks of before, and the summary; but the network of `again` lies there"
    )
    assert read(studies) == (study, before)


@pytest.mark.slow
def test_another_comparison_trains_nothing(studies):
    study, _ = read(studies)
    write(studies, study | {"compared_with": {"one_hot": "preset"}})
    assert studies.repro() == ["summary"]
    _, result = read(studies)
    assert "difference_to_preset" in result["one_hot"] and "difference_to_embedding" in result["preset"]
    write(studies, study)
    assert studies.repro() == []


@pytest.fixture
def main_project(studies):
    """The project that the study is in; its parameters and code are put back after the test."""
    project = Project(studies.folder.parent)
    project.environment = studies.environment
    files = {path: path.read_bytes() for path in (*project.folder.glob("sentiment/**/*.py"), project.folder / "params.yaml")}
    yield project
    for path, content in files.items():
        path.write_bytes(content)


@pytest.mark.slow
def test_the_study_gives_what_the_main_pipeline_gives(studies, main_project):
    main_project.set_params(train__seed=1)
    for stage in "split", "pad", "train", "evaluate":
        main_project.run("python", "-m", f"stages.{stage}")
    metrics = json.loads((main_project.folder / "metrics/metrics.json").read_text())
    _, run = runs_of(studies, "embedding")
    effects = [float(row["effect"]) for row in rows(main_project.folder / "plots/memory.csv")]
    memory = [float(np.mean(tenth)) for tenth in np.array_split(effects, 10)]
    assert run == {"seed": 1, **metrics, "memory": pytest.approx(memory, abs=2e-6)}
    model = (main_project.folder / "data/model/model.keras").read_bytes()
    assert model == (studies.folder / "models/embedding/1.keras").read_bytes()


def changed_stages(studies: Project) -> set[str]:
    """The stages of which something that they read has changed."""
    return set(json.loads(studies.run("dvc", "status", "--json")))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "key", "stages"),
    [
        ("FetchSection", "fetch__mirror", set()),
        ("EvaluateSection", "evaluate__margin", {"score", "linear", "reference", "with_ratios"}),
    ],
    ids=["of fetch", "of evaluate"],
)
def test_a_new_parameter_that_no_variant_uses_trains_no_network_again(studies, main_project, section, key, stages):
    code = main_project.folder / "sentiment/common/parameters.py"
    added = f'class {section}(Section):\n    {key.split("__")[1]}: Count\n    """a parameter that is new"""\n'
    source = code.read_text()
    assert source.count(f"class {section}(Section):\n") == 1
    code.write_text(source.replace(f"class {section}(Section):\n", added))
    assert "is missing: a parameter that is new" in main_project.run("python", "-m", "sentiment.common.parameters", status=1)
    main_project.set_params(**{key: 1})
    main_project.run("python", "-m", "sentiment.common.parameters")
    assert changed_stages(studies) == stages


@pytest.mark.slow
def test_a_change_of_the_scores_scores_again_and_trains_nothing(studies, main_project):
    code = main_project.folder / "sentiment/evaluation/scores.py"
    source = code.read_text()
    assert source.count("metrics.accuracy_score(y, positive)") == 1
    code.write_text(source.replace("metrics.accuracy_score(y, positive)", "metrics.accuracy_score(y, positive) / 2"))
    _, before = read(studies)
    assert sorted(studies.repro()) == ["linear", "reference", "score", "summary", "with_ratios"]
    _, after = read(studies)
    for variant, result in after.items():
        assert result["validation_accuracy"]["mean"] == pytest.approx(
            before[variant]["validation_accuracy"]["mean"] / 2, abs=1e-6
        )
    code.write_text(source)
    assert set(studies.repro()) <= {"summary"}, "the scores of before are in DVC's cache"
    assert read(studies)[1] == before


@pytest.mark.slow
def test_what_python_compiles_is_no_change_to_the_study(studies):
    """The study's .dvcignore reaches no further than its own folder."""
    for folder in (studies.folder.parent / "sentiment").glob("**/__pycache__"):
        (folder / "of_another_python.cpython-399.pyc").write_bytes(b"compiled")
    assert changed_stages(studies) == set()


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        ({"variants": {"embedding": None}}, "`variants.embedding` is null: input should be a valid dictionary."),
        ({"variants": {"embedding": {"model": 3}}}, "`variants.embedding`: `model` is 3: input should be a valid dictionary."),
        (
            {"variants": {"embedding": {"modle": {}}}},
            "`variants.embedding`: `modle` is not a parameter; the closest one is `model`.",
        ),
        ({"variants": {"embedding": {"seeds": []}}}, "`variants.embedding`: `seeds` is []: list should have at least 1 item"),
        (
            {"compared_with": {"embedding": "rnn"}},
            "`compared_with` names 'rnn', which is not a variant; the variants are embedding.",
        ),
        (
            {"compared_with": {"rnn": "embedding"}},
            "`compared_with` names 'rnn', which is not a variant; the variants are embedding.",
        ),
        ({"memory_of": ["rnn"]}, "`memory_of` names 'rnn', which is not a variant; the variants are embedding."),
        ({"memory_of": 7 * ["embedding"]}, "`memory_of` is ['embedding', "),
        ({"seeds": []}, "`seeds` is []: list should have at least 1 item"),
        ({"seed": [1]}, "`seed` is not a parameter; the closest one is `seeds`."),
    ],
)
def test_a_bad_study_is_refused_in_a_sentence(tmp_path, monkeypatch, change, is_told):
    (tmp_path / "studies").mkdir()
    study = {"seeds": [0], "variants": {"embedding": {}}, "compared_with": {}, "published": {}, "memory_of": []}
    write_yaml(tmp_path / "studies/variants.yaml", study | change)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        seeds_of("embedding")
    assert str(error.value).startswith(f"studies/variants.yaml: {is_told}")


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({"train": {"epoch": 1}}, "`train.epoch` is not a parameter; the closest one is `train.epochs`."),
        ({"trian": {}}, "`trian` is not a parameter; the closest one is `train`."),
        ({"pad": {"maxlen": 0}}, "`pad.maxlen` is 0: input should be greater than or equal to 1."),
    ],
)
def test_a_bad_variant_is_refused_and_what_it_changes_is_named(changes, is_told):
    with pytest.raises(UserError, match=rf"^params\.yaml with {re.escape(json.dumps(changes))}: {re.escape(is_told)}$"):
        change_params(read_params(ROOT / "params.yaml"), changes)


def test_a_variant_that_is_none_is_refused():
    printed = Project(ROOT).run("python", "-m", "studies.train", "nosuch", status=1)
    assert re.search(
        r"^ERROR: studies/variants\.yaml has no variant `nosuch`; it has .*embedding, .*\.$", printed, re.MULTILINE
    )
    assert "Traceback" not in printed


def test_a_summary_of_what_has_not_run_is_told(make_project):
    printed = make_project().run("python", "-m", "studies.summary", status=1)
    assert (
        printed
        == "ERROR: studies/runs/networks.json does not exist; run `dvc repro` in the folder with its dvc.yaml to make it.\n"
    )


def test_the_default_run_is_one_run_of_the_study():
    metrics = json.loads((ROOT / "metrics/metrics.json").read_text())["validation"]
    with (ROOT / "studies/plots/study.csv").open(newline="") as file:
        (run,) = [row for row in csv.DictReader(file) if (row["variant"], row["seed"]) == ("embedding", "0")]
    assert {name: run[f"validation_{name}"] for name in ("accuracy", "loss", "f1", "roc_auc")} == {
        name: str(metrics[name]) for name in ("accuracy", "loss", "f1", "roc_auc")
    }


@pytest.mark.slow
def test_test_reviews_are_scored_too_when_the_source_has_them(make_project):
    project = make_project()
    archive = made_corpus.write_archive(project.folder / "archive.tar.gz")
    project.set_params(fetch__source="archive", fetch__archive=archive.name)
    project.run("dvc", "repro", "--quiet", "fetch")
    studies = Project(project.folder / "studies")
    studies.environment = project.environment
    write(studies, {"seeds": [0], "variants": {"embedding": {}}, "compared_with": {}, "published": {}, "memory_of": []})
    studies.repro()
    _, result = read(studies)
    rows = list(csv.DictReader(io.StringIO((studies.folder / "plots/study.csv").read_text())))
    files = {"linear": "linear", "words_and_pairs": "reference", "gru_with_ratios": "with_ratios"}
    runs = {name: json.loads((studies.folder / f"runs/{file}.json").read_text()) for name, file in files.items()}
    runs["embedding"] = runs_of(studies, "embedding")
    for variant, of_variant in runs.items():
        accuracies = [float(row["test_accuracy"]) for row in rows if row["variant"] == variant]
        assert accuracies == pytest.approx([run["test"]["accuracy"] for run in of_variant], abs=1e-6)
        assert result[variant]["test_accuracy"]["mean"] == pytest.approx(np.mean(accuracies), abs=1e-6)
        assert all(run["test"].keys() == run["validation"].keys() for run in of_variant)


def test_a_log_count_ratio_is_that_of_the_smoothed_counts_of_positive_and_of_negative_reviews():
    # The two terms stand in 2 and 1 of the two positive reviews, and in 0 and 1 of the two negative ones.
    x, y = sparse.csr_matrix([[1, 0], [1, 1], [0, 0], [0, 1]]), np.array([1, 1, 0, 0])
    ratios = np.log([(3 / 5) / (1 / 3), (2 / 5) / (2 / 3)])
    assert LogCountRatios().fit_transform(x, y).toarray() == pytest.approx(x.toarray() * ratios)


def test_a_term_counts_once_in_a_review_and_none_goes_from_one_review_to_the_next():
    # The pair 1 2 is there three times, in two reviews, and 2 1 once, as each triple.
    reviews = ragged([1], [2], [1, 2, 1, 2], [1, 2], [])
    pair, triple = (1 << 20) + 2, (((1 << 20) + 2) << 20) + 1
    terms = terms_by_place(reviews, longest=3)
    assert terms[:5].tolist() == [[1, 0, 0], [2, 0, 0], [1, 0, 0], [2, pair, 0], [1, (2 << 20) + 1, triple]]
    assert frequent_terms(terms).tolist() == [1, 2, pair]
    columns = columns_of(terms, np.array([2, 5, pair, triple]))
    assert columns[:5].tolist() == [[4, 4, 4], [0, 4, 4], [4, 4, 4], [0, 2, 4], [4, 4, 3]]
    bag = bag_of_terms(columns, reviews.lengths, 4).toarray()
    assert bag.tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]]


def test_the_ids_of_the_reviews_are_found_again():
    train, vocabulary = made_corpus.encoded().train, made_corpus.encoded().vocabulary
    ids = sequences(review_ids(train.labels))
    for tokens, label, (review_id,) in zip(sequences(train), train.labels, ids, strict=True):
        texts = made_corpus.TRAIN.positive if label else made_corpus.TRAIN.negative
        assert [vocabulary[rank - 1] for rank in tokens] == tokenise(texts[review_id])


@pytest.mark.training
def test_what_a_network_is_given_of_a_training_review_does_not_depend_on_the_labels_of_its_part():
    """Or else the ratios would tell the label that the network is to find."""
    from studies.with_ratios import PARTS, cross_fitted

    labelled, ids = made_corpus.encoded().train, review_ids(made_corpus.encoded().train.labels).tokens
    before, unseen_before = cross_fitted(labelled, ids, labelled)
    own = ids * PARTS // (ids.max() + 1) == 3
    after, unseen_after = cross_fitted(
        labelled._replace(labels=np.where(own, 1 - labelled.labels, labelled.labels)), ids, labelled
    )
    for values, others, unseen, unseen_others in zip(before, after, unseen_before, unseen_after, strict=True):
        assert np.array_equal(values[own], others[own])
        assert values.dtype == np.int32 or not np.array_equal(values[~own], others[~own])
        assert values.dtype == np.int32 or not np.array_equal(unseen[own], unseen_others[own])


@pytest.mark.training
def test_a_network_that_is_given_no_ratios_is_the_network_of_the_same_parameters():
    from studies.with_ratios import LONGEST, PADDING, Inputs, Network

    network = Network(seed=0)
    ids = np.random.default_rng(0).integers(0, 5000, (130, PADDING.maxlen), np.int32)
    nothing = Inputs(ids, np.zeros((*ids.shape, LONGEST), np.float32), np.zeros(len(ids), np.float32))
    probabilities = network.model.predict(ids, verbose=0)[:, 0].astype(np.float64)
    assert network.predict(nothing) == pytest.approx(np.log(probabilities / (1 - probabilities)), abs=1e-5)
    # The regression's logit is added, and ratios reach the cell.
    one_more = nothing._replace(logits=np.ones(len(ids), np.float32))
    assert network.predict(one_more) == pytest.approx(network.predict(nothing) + 1, abs=1e-5)
    ratios = nothing._replace(ratios=np.ones_like(nothing.ratios))
    assert (np.abs(network.predict(ratios) - network.predict(nothing)) > 1e-4).all()


@pytest.mark.real
@pytest.mark.slow
def test_the_regression_and_the_network_with_its_ratios_have_the_told_accuracy_of_the_test_reviews(real_data):
    """As docs/study.md tells them: 0.9139, and from the first seed 0.9243. Three minutes of one core."""
    from studies.with_ratios import train_and_predict as train_and_predict_networks

    reviews = encode_texts(*read_archive(real_data / "aclImdb_v1_labelled.tar.gz", "archive"))
    regression = train_and_predict(weighted_regression(c=0.3), reviews.train, reviews.test)
    (network,) = train_and_predict_networks(reviews.train, review_ids(reviews.train.labels).tokens, reviews.test, seeds=[0])
    accuracies = [((predicted.logits > 0) == predicted.y).mean() for predicted in (regression, network)]
    assert accuracies == pytest.approx([0.9139, 0.9243], abs=0.001)


@pytest.mark.slow
def test_the_main_project_does_not_see_the_study(studies):
    project = Project(studies.folder.parent)
    project.environment = studies.environment
    assert "study" not in project.run("dvc", "metrics", "show")
    assert project.run("dvc", "stage", "list", "--name-only").split() == ["fetch", "split", "pad", "train", "evaluate"]


@pytest.mark.slow
def test_a_ray_cluster_of_two_nodes_gives_the_same_bytes_as_one_machine(studies):
    """Two nodes of one core each, on this machine, so that each of them gets runs."""
    if not importlib.util.find_spec("ray"):
        is_missing("Ray is not installed: make .venv/ray")
    from ray.cluster_utils import Cluster

    def outputs() -> dict[Path, bytes]:
        files = (path for path in studies.folder.glob("*/**/*") if path.suffix in (".keras", ".json", ".csv", ".png"))
        return {path: path.read_bytes() for path in files}

    # Without the models that earlier tests have left.
    shutil.rmtree(studies.folder / "models")
    studies.run("dvc", "checkout")
    expected = outputs()
    # All networks are new to DVC.
    (studies.folder / "dvc.lock").unlink()
    for folder in studies.folder / "models", studies.folder / "runs", studies.folder.parent / ".dvc/cache/runs":
        shutil.rmtree(folder)
    project = Project(studies.folder.parent)
    project.environment = studies.environment
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        printed = project.run("python", "-m", "studies.on_ray", RAY_ADDRESS=cluster.address)
    finally:
        cluster.shutdown()
    assert "5 runs on 2 machines" in printed
    studies.run("dvc", "commit", "--force", "train")
    assert sorted(studies.repro()) == ["linear", "reference", "score", "summary", "with_ratios"]
    assert outputs() == expected
