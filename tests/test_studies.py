"""What the study computes, and what it refuses."""

import json
import re
import shutil
from pathlib import Path

import made_corpus
import numpy as np
import pytest
from conftest import ROOT, write_yaml
from helpers import ragged, rows, sequences
from scipy import sparse

from sentiment.common.errors import UserError
from sentiment.common.files import write_json
from sentiment.corpus.archive import read_archive
from sentiment.corpus.encoding import IMDB_LABELS, encode_texts, tokenise
from studies import reference, summary, train, with_ratios
from studies.variants import VARIANTS, check_reviews, params_of, read_variant


@pytest.fixture
def write_study(tmp_path, monkeypatch):
    """Writes a study with these changes, in a folder that is the current one."""
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    (tmp_path / "studies").mkdir()
    monkeypatch.chdir(tmp_path)
    study = {"seeds": [0], "variants": {"embedding": {}}, "compared_with": {}, "published": {}, "memory_of": []}
    return lambda **changes: write_yaml(VARIANTS, study | changes)


def scores(accuracy: float) -> dict:
    return {"accuracy": accuracy, "loss": 0.5, "f1": 0.8, "roc_auc": 0.9}


def run_of(seed: int | None, accuracy: float, **others: object) -> dict:
    return {"seed": seed, "validation": scores(accuracy), "model": {"parameters": 9, "input_bytes": 36}} | others


def learned(correlation: float | None, memory: float) -> dict:
    return {"words": {"pc1_log_odds_spearman": correlation}, "memory": [memory] * 10}


def test_the_summary_has_the_spread_over_seeds_and_the_differences_from_the_same_seeds(write_study):
    write_study(
        variants={"embedding": {}, "one_hot": {}, "preset": {}},
        compared_with={"preset": "one_hot"},
        published={"one_hot": [0.8]},
        memory_of=["embedding", "preset"],
    )
    with pytest.raises(UserError, match=r"^studies/runs/networks\.json does not exist; run `dvc repro` in the folder with"):
        summary.main()

    networks = {
        "embedding": [run_of(0, 0.80, **learned(0.7, 0.1)), run_of(1, 0.84, **learned(0.9, 0.3))],
        "one_hot": [run_of(0, 0.81, **learned(0.5, 1)), run_of(1, 0.79, **learned(None, 1))],
        "preset": [run_of(7, 0.9, test=scores(0.91), **learned(None, 1))],
    }
    runs = {"networks": networks, "linear": [run_of(None, 0.85)], "reference": [run_of(None, 0.9)]}
    for name, of_name in (runs | {"with_ratios": [run_of(0, 0.91)]}).items():
        write_json(Path(f"studies/runs/{name}.json"), of_name)
    summary.main()

    result = json.loads(Path("studies/metrics/study.json").read_text())
    assert list(result) == ["embedding", "one_hot", "preset", "linear", "words_and_pairs", "gru_with_ratios"]
    assert result["embedding"] == {
        "validation_accuracy": {"mean": 0.82, "std": 0.028284, "min": 0.8, "max": 0.84},
        "pc1_log_odds_spearman": {"mean": 0.8, "std": 0.141421, "min": 0.7, "max": 0.9},
        "parameters": 9,
        "input_bytes": 36,
        "runs": 2,
    }
    assert result["one_hot"]["difference_to_embedding"] == {"mean": -0.02, "standard_error": 0.03}
    assert result["one_hot"]["pc1_log_odds_spearman"]["mean"] == 0.5, "where it is defined"
    assert result["preset"]["difference_to_one_hot"] == {"mean": None, "standard_error": None}, "no seed is in both"
    assert result["preset"]["test_accuracy"] == {"mean": 0.91, "std": None, "min": 0.91, "max": 0.91}
    table = [(row["variant"], row["seed"], row["test_accuracy"]) for row in rows(Path("studies/plots/study.csv"))]
    assert table == [
        ("embedding", "0", ""), ("embedding", "1", ""), ("one_hot", "0", ""), ("one_hot", "1", ""), ("preset", "7", "0.91"),
        ("linear", "", ""), ("words_and_pairs", "", ""), ("gru_with_ratios", "0", ""),
    ]  # fmt: skip
    memory = [tuple(row.values()) for row in rows(Path("studies/plots/memory.csv"))]
    assert memory[:10] == [("embedding", str(tenth), "0.2", "0.141421") for tenth in range(1, 11)]
    assert memory[20:] == [("preset", str(tenth), "1.0", "0.0") for tenth in range(1, 11)], "one seed"
    for name in "study.png", "memory.png":
        assert Path("studies/plots", name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({"variants": {"embedding": None}}, ": `variants.embedding` is null: input should be a valid dictionary."),
        ({"variants": {"embedding": {"modle": {}}}}, ": `variants.embedding`: `modle` is not a parameter; the closest one is "),
        ({"variants": {"rnn": {}}}, " has no variant `embedding`; it has rnn."),
        ({"compared_with": {"embedding": "rnn"}}, ": `compared_with` names 'rnn', which is not a variant; the variants are "),
        ({"memory_of": ["rnn"]}, ": `memory_of` names 'rnn', which is not a variant; the variants are embedding."),
        ({"memory_of": 7 * ["embedding"]}, ": `memory_of` is ['embedding', "),
        ({"seeds": []}, ": `seeds` is []: list should have at least 1 item"),
    ],
)
def test_a_bad_study_is_refused_in_a_sentence(write_study, changes, is_told):
    write_study(**changes)
    with pytest.raises(UserError, match=f"^{re.escape(f'{VARIANTS}{is_told}')}"):
        read_variant("embedding")


def test_a_bad_value_of_a_variant_is_refused_and_what_it_changes_is_named(write_study):
    write_study(variants={"embedding": {"train": {"epoch": 1}}})
    told = 'params.yaml with {"train": {"epoch": 1, "seed": 0}}: `train.epoch` is not a parameter; the closest one is'
    with pytest.raises(UserError, match=f"^{re.escape(told)}"):
        params_of(read_variant("embedding"), seed=0)


@pytest.mark.training
@pytest.mark.parametrize("command", [check_reviews, train.main, reference.main, with_ratios.main])
def test_other_reviews_than_imdbs_are_refused(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["studies.train", "embedding"])
    encoding = {"tokenizer": "words", "labels": IMDB_LABELS.model_dump(), "vocabulary_sha256": "0" * 64}
    write_json(Path("data/reviews/tokenizer.json"), encoding)
    with pytest.raises(UserError, match=r"^data/reviews has your own reviews, but the study needs IMDB's: set `fetch\.source`"):
        command()


def test_the_default_run_is_one_run_of_the_study():
    metrics = json.loads((ROOT / "metrics/metrics.json").read_text())["validation"]
    (run,) = (row for row in rows(ROOT / "studies/plots/study.csv") if (row["variant"], row["seed"]) == ("embedding", "0"))
    for name in "accuracy", "loss", "f1", "roc_auc":
        assert run[f"validation_{name}"] == str(metrics[name])


def test_a_log_count_ratio_is_that_of_the_smoothed_counts_of_positive_and_of_negative_reviews():
    # The two terms stand in 2 and 1 of the two positive reviews, and in 0 and 1 of the two negative ones.
    x, y = sparse.csr_matrix([[1, 0], [1, 1], [0, 0], [0, 1]]), np.array([1, 1, 0, 0])
    ratios = np.log([(3 / 5) / (1 / 3), (2 / 5) / (2 / 3)])
    assert reference.LogCountRatios().fit_transform(x, y).toarray() == pytest.approx(x.toarray() * ratios)


def test_a_term_counts_once_in_a_review_and_none_goes_from_one_review_to_the_next():
    # The pair 1 2 is there three times, in two reviews, and 2 1 once, as each triple.
    reviews = ragged([1], [2], [1, 2, 1, 2], [1, 2], [])
    pair, triple = (1 << 20) + 2, (((1 << 20) + 2) << 20) + 1
    terms = reference.terms_by_place(reviews, longest=3)
    assert terms[:5].tolist() == [[1, 0, 0], [2, 0, 0], [1, 0, 0], [2, pair, 0], [1, (2 << 20) + 1, triple]]
    assert reference.frequent_terms(terms).tolist() == [1, 2, pair]
    columns = reference.columns_of(terms, np.array([2, 5, pair, triple]))
    assert columns[:5].tolist() == [[4, 4, 4], [0, 4, 4], [4, 4, 4], [0, 2, 4], [4, 4, 3]]
    bag = reference.bag_of_terms(columns, reviews.lengths, 4).toarray()
    assert bag.tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]]


def test_the_ids_of_the_reviews_are_found_again():
    train, vocabulary = made_corpus.encoded().train, made_corpus.encoded().vocabulary
    ids = sequences(reference.review_ids(train.labels))
    for tokens, label, (review_id,) in zip(sequences(train), train.labels, ids, strict=True):
        texts = made_corpus.TRAIN.positive if label else made_corpus.TRAIN.negative
        assert [vocabulary[rank - 1] for rank in tokens] == tokenise(texts[review_id])


@pytest.mark.training
def test_what_a_network_is_given_of_a_training_review_does_not_depend_on_the_labels_of_its_part():
    """Or else the ratios would tell the label that the network is to find."""
    labelled, ids = made_corpus.encoded().train, reference.review_ids(made_corpus.encoded().train.labels).tokens
    own = ids * with_ratios.PARTS // (ids.max() + 1) == 3
    turned = labelled._replace(labels=np.where(own, 1 - labelled.labels, labelled.labels))
    before, unseen_before, _ = with_ratios.cross_fitted(labelled, ids, labelled)
    after, unseen_after, _ = with_ratios.cross_fitted(turned, ids, labelled)
    for values, others, unseen, unseen_others in zip(before, after, unseen_before, unseen_after, strict=True):
        assert np.array_equal(values[own], others[own])
        assert values.dtype == np.int32 or not np.array_equal(values[~own], others[~own])
        assert values.dtype == np.int32 or not np.array_equal(unseen[own], unseen_others[own])


@pytest.mark.training
def test_a_network_that_is_given_no_ratios_is_the_network_of_the_same_parameters():
    network, n = with_ratios.Network(seed=0), 50
    ids = np.random.default_rng(0).integers(0, 5000, (n, with_ratios.PADDING.maxlen), np.int32)
    ratios, regression = np.zeros((3, *ids.shape, with_ratios.LONGEST), np.float32), np.zeros((3, n), np.float32)
    ratios[1], regression[2] = 1, 1
    given = with_ratios.Inputs(np.tile(ids, (3, 1)), np.concatenate(ratios), np.concatenate(regression))
    nothing, of_ratios, of_regression = network.predict(given).reshape(3, n)
    probabilities = network.model.predict(ids, verbose=0)[:, 0].astype(np.float64)
    assert nothing == pytest.approx(np.log(probabilities / (1 - probabilities)), abs=1e-5)
    assert (np.abs(of_ratios - nothing) > 1e-4).all(), "the ratios reach the cell"
    assert of_regression == pytest.approx(nothing + 1, abs=1e-5), "the logit of the regression is added"


@pytest.mark.real
@pytest.mark.slow
def test_the_regression_and_the_network_with_its_ratios_have_the_told_accuracy_of_the_test_reviews(real_data):
    """As docs/study.md tells them: 0.9139, and from the first seed 0.9243. Three minutes of one core."""
    reviews = encode_texts(*read_archive(real_data / "aclImdb_v1_labelled.tar.gz", "archive"))
    regression = reference.train_and_predict(reference.weighted_regression(c=0.3), reviews.train, reviews.test)
    ids = reference.review_ids(reviews.train.labels).tokens
    (network,), _ = with_ratios.train_and_predict(reviews.train, ids, reviews.test, seeds=[0])
    accuracies = [((predicted.logits > 0) == predicted.y).mean() for predicted in (regression, network)]
    assert accuracies == pytest.approx([0.9139, 0.9243], abs=0.001)
