import made_corpus
import numpy as np
import pytest
from helpers import ragged, sequences

from sentiment.common.errors import UserError
from sentiment.common.parameters import SplitSection, WordsSection
from sentiment.common.reviews import load_reviews, save_reviews
from sentiment.preprocessing import keep_frequent, split_reviews

# The split does not look at the words.
ALL_WORDS = {"num_words": 5, "skip_top": 0}


def test_ids_are_ranks_plus_3_and_those_from_skip_top_up_to_num_words_stay():
    kept = keep_frequent(ragged([1, 2, 9, 6, 7], [1], [], [7, 6]), WordsSection(num_words=10, skip_top=5))
    assert sequences(kept) == [[5, 9], [], [], [9]]
    assert kept.labels.tolist() == [0, 1, 0, 1]
    assert [array.dtype for array in kept] == [np.uint32, np.int64, np.uint8]


def test_nothing_is_skipped_when_skip_top_is_zero():
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


def test_training_and_validation_are_the_two_parts_of_a_seeded_permutation():
    reviews = ragged(*([i] * (i % 4) for i in range(100)))
    train, validation = split_reviews(reviews, SplitSection(train_size=80, seed=7, **ALL_WORDS))
    order = np.random.RandomState(7).permutation(100)
    assert sequences(train) + sequences(validation) == [[i] * (i % 4) for i in order]
    np.testing.assert_array_equal(train.labels, order[:80] % 2)
    np.testing.assert_array_equal(validation.labels, order[80:] % 2)


def test_no_review_left_for_validation_is_an_error():
    with pytest.raises(UserError, match=r"`split.train_size` is 3: of 3 reviews, 1 to 2"):
        split_reviews(ragged([1], [2], [3]), SplitSection(train_size=3, seed=1, **ALL_WORDS))


def test_reviews_are_read_as_they_were_written_and_written_the_same_each_time(tmp_path):
    reviews = made_corpus.encoded().test
    for name in "a.npz", "b.npz":
        save_reviews(tmp_path / name, reviews)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    for array, read in zip(reviews, load_reviews(tmp_path / "a.npz"), strict=True):
        np.testing.assert_array_equal(array, read)
