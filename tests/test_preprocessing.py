"""From tokens to what the network takes: frequent words, training and validation, one length; as Keras does it."""

import made_corpus
import numpy as np
import pytest
from helpers import ragged, sequences

from sentiment.common.errors import UserError
from sentiment.common.parameters import PadSection, SplitSection, WordsSection
from sentiment.preprocessing import keep_frequent, number_of_copies, pad, split_reviews


def test_ids_are_ranks_plus_3_and_those_from_skip_top_up_to_num_words_stay():
    kept = keep_frequent(ragged([1, 2, 9, 6, 7], [1], [], [7, 6]), WordsSection(num_words=10, skip_top=5))
    assert sequences(kept) == [[5, 9], [], [], [9]]
    assert kept.labels.tolist() == [0, 1, 0, 1]
    assert [array.dtype for array in kept] == [np.uint32, np.int64, np.uint8]
    assert sequences(keep_frequent(ragged([1, 2, 99]), WordsSection(num_words=100, skip_top=0))) == [[4, 5]]


def test_num_words_and_skip_top_mean_what_they_mean_to_keras(tmp_path, monkeypatch):
    files = made_corpus.write_keras_files(tmp_path)
    monkeypatch.setattr("keras.src.datasets.imdb.get_file", lambda fname, **_: files[fname])
    from keras.datasets import imdb

    (x, _), (x_test, _) = imdb.load_data(num_words=30, skip_top=6)
    fetched = made_corpus.encoded()
    for reviews, encoded in (fetched.train, x), (fetched.test, x_test):
        kept = keep_frequent(reviews, WordsSection(num_words=30, skip_top=6))
        assert sequences(kept) == [[token for token in review if token > 2] for review in encoded]
    assert kept.offsets[-1] < fetched.test.offsets[-1]


# The split does not look at the words.
ALL_WORDS = {"num_words": 5, "skip_top": 0, "keep_copies_together": False}


def test_training_and_validation_are_the_two_parts_of_a_seeded_permutation():
    reviews = ragged(*([i] * (i % 4) for i in range(100)))
    train, validation = split_reviews(reviews, SplitSection(train_size=80, seed=7, **ALL_WORDS))
    order = np.random.RandomState(7).permutation(100)
    assert sequences(train) + sequences(validation) == [[i] * (i % 4) for i in order]
    np.testing.assert_array_equal(train.labels, order[:80] % 2)
    np.testing.assert_array_equal(validation.labels, order[80:] % 2)


def test_all_copies_of_a_text_are_on_one_side_where_they_are_kept_together():
    reviews = ragged(*([i % 30] for i in range(100)))
    together = ALL_WORDS | {"keep_copies_together": True}
    train, validation = split_reviews(reviews, SplitSection(train_size=0.8, seed=7, **together))
    texts, unseen = ({text for (text,) in sequences(part)} for part in (train, validation))
    assert 80 <= len(train.labels) < 84 and not texts & unseen and len(texts | unseen) == 30
    assert number_of_copies(validation, train) == 0
    apart, rest = split_reviews(reviews, SplitSection(train_size=0.8, seed=7, **ALL_WORDS))
    assert number_of_copies(rest, apart) == 20
    with pytest.raises(UserError, match=r"of 5 reviews, 1 to 4 can be for training"):
        split_reviews(ragged(*5 * [[1]]), SplitSection(train_size=0.8, seed=7, **together))


def test_a_share_loses_no_review_to_floating_point():
    for n, share, size in (100, 0.29, 29), (25_000, 0.57, 14_250), (7, 0.5, 3):
        train, _ = split_reviews(ragged(*n * [[1]]), SplitSection(train_size=share, seed=1, **ALL_WORDS))
        assert len(train.labels) == size


@pytest.mark.parametrize("size", [3, 0.1])
def test_a_train_size_that_leaves_no_review_on_one_side_is_refused_by_split(size):
    told = f"`split.train_size` is {size}: of 3 reviews, 1 to 2 can be for training, so that at least"
    with pytest.raises(UserError, match=told):
        split_reviews(ragged([1], [2], [3]), SplitSection(train_size=size, seed=1, **ALL_WORDS))


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_reviews_are_cut_and_padded_as_keras_does(padding, truncating):
    from keras.utils import pad_sequences

    reviews = ragged([1, 2, 3, 4], [], [5, 6], [7, 8, 9])
    x, y = pad(reviews, PadSection(maxlen=3, padding=padding, truncating=truncating))
    np.testing.assert_array_equal(y, reviews.labels)
    assert x.dtype == np.int32
    assert x.tolist() == pad_sequences(sequences(reviews), 3, padding=padding, truncating=truncating).tolist()
