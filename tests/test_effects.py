"""Why a network says so: what each word of a text did, how the opinion changed as it read, and what it remembers."""

import tracemalloc
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from helpers import ragged, rows
from made_model import random_model

from sentiment.common.reviews import join
from sentiment.corpus.encoding import encode
from sentiment.corpus.tokenizers import TOKENIZERS
from sentiment.evaluation.memory import effect_by_place
from sentiment.inference.classifier import classify
from sentiment.inference.effects import explain
from sentiment.inference.model_folder import Model
from sentiment.inference.occlusion import token_effects
from sentiment.plots.memory import plot_memory
from sentiment.preprocessing import keep_frequent

VOCABULARY = "the a film is it was great awful not boring best n't isn't good bad very".split()
MAXLEN, NUM_WORDS, SKIP_TOP = 6, 17, 5


def made_model(**values) -> Model:
    """A GRU of random weights; of its vocabulary, the first word is too frequent and the last three are too rare."""
    texts = [" ".join((len(VOCABULARY) - i) * [word]) for i, word in enumerate(VOCABULARY)]
    return random_model(texts, cell="gru", maxlen=MAXLEN, num_words=NUM_WORDS, skip_top=SKIP_TOP, **values)


def logit(model: Model, text: str) -> float:
    """As a user finds it out: from the probability that is predicted for the text."""
    (probability,), _ = classify(model, [text])
    return np.log(probability / (1 - probability))


NETWORKS = [
    {"truncating": truncating, "padding": padding} | network
    for truncating, padding in product(["pre", "post"], repeat=2)
    for network in ({}, {"directions": 2, "pooling": "max_mean"})
]
# Twelve tokens; the network sees six of the nine that it knows.
TEXT = "Great film, is it? Bad... boring, awful: not the BEST film very"


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: " ".join(map(str, network.values())))
def test_the_effect_of_a_word_is_the_logit_less_the_logit_of_the_text_without_it(network):
    model, without_effect = made_model(**network), []
    for word in explain(model, TEXT):
        without = f"{TEXT[: word.start]} {TEXT[word.end :]}"
        if word.effect is None:
            without_effect.append(TEXT[word.start : word.end])
            # A word that goes in place of another one has an effect when it is left out: the network sees that other one.
            assert logit(model, without) == pytest.approx(logit(model, TEXT), abs=1e-7)
        else:
            assert word.effect == pytest.approx(logit(model, TEXT) - logit(model, without), abs=1e-7)
    cut_off = ["Great", "film", "is"] if network["truncating"] == "pre" else ["not", "BEST", "film"]
    assert {*without_effect} >= {"the", "Bad", "very"}, "too frequent, or too rare"
    assert [word for word in without_effect if word not in ("the", "Bad", "very")] == cut_off


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: " ".join(map(str, network.values())))
def test_the_probability_after_a_word_is_that_of_the_text_up_to_it(network):
    model = made_model(**network)
    explained = explain(model, TEXT)
    for word in explained:
        (probability,), (known_words,) = classify(model, [TEXT[: word.end]])
        assert word.probability == (pytest.approx(probability, abs=1e-9) if known_words else None)
    assert explained[-1].probability == pytest.approx(classify(model, [TEXT])[0][0], abs=1e-9)


def test_a_text_of_no_word_or_of_unknown_ones_has_no_effects():
    assert explain(made_model(), "") == explain(made_model(), " ... ") == []
    assert explain(made_model(), "Xqzt\n") == [(0, 4, None, None)]


def test_a_long_text_is_explained_in_the_memory_of_a_short_one():
    """Of 10,000 words, 6 are seen, and each has a probability after it."""
    tracemalloc.start()
    explained = explain(made_model(), 5_000 * "great boring ")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert sum(word.effect is not None for word in explained) == MAXLEN
    assert explained[-1].probability == explained[1001].probability


@pytest.mark.parametrize("sides", list(product(["pre", "post"], repeat=2)), ids=" ".join)
def test_what_a_network_remembers_is_the_mean_size_of_the_effects_that_explanations_show(sides):
    padding, truncating = sides
    model = made_model(padding=padding, truncating=truncating)
    texts = [TEXT, "Great film, is it great? Not awful, not boring", "Great", "The best film: great, awful, boring, not good"]
    known = keep_frequent(join((encode(TOKENIZERS["keras_imdb"](text), model.ranks), 0) for text in texts), model.preprocessing)
    found, taken = effect_by_place(known, partial(token_effects, model.network, model.preprocessing), MAXLEN)
    shown = [[abs(word.effect) for word in explain(model, text) if word.effect is not None] for text in texts]
    full = [effects for effects in shown if len(effects) == MAXLEN]
    assert taken == len(full) == 3
    np.testing.assert_allclose(found, np.mean(full, axis=0), rtol=0, atol=1e-12)


def test_reviews_of_ten_tokens_or_more_count_stretched_to_all_places():
    effects, taken = effect_by_place(ragged(range(10), range(9), range(20)), lambda tokens: -1.0 * tokens, maxlen=40)
    assert taken == 2
    assert effects.tolist() == [(place // 4 + place // 2) / 2 for place in range(40)]
    assert effect_by_place(ragged(range(9)), lambda tokens: tokens, maxlen=40)[1] == 0


@pytest.mark.parametrize("n", [0, 1, 7])
def test_what_is_remembered_is_drawn_for_reviews_of_any_length_and_for_none(tmp_path: Path, recwarn, n):
    plot_memory(np.linspace(0.1, 0.7, n), n, tmp_path / "memory.csv")
    assert [row["place"] for row in rows(tmp_path / "memory.csv")] == [str(place) for place in range(1, n + 1)]
    assert (tmp_path / "memory.png").read_bytes().startswith(b"\x89PNG")
    assert not list(recwarn)
