"""From tokens to what the network takes: the frequent words, a split into training and validation, and one length."""

import numpy as np

from sentiment.common.errors import UserError
from sentiment.common.parameters import PadSection, SplitSection, WordsSection
from sentiment.common.reviews import Padded, Reviews, positions, take, texts_of
from sentiment.common.vocabulary import INDEX_FROM


def keep_frequent(reviews: Reviews, words: WordsSection) -> Reviews:
    """Turn ranks into ids, rank + 3, and keep those with skip_top <= id < num_words, as `imdb.load_data` does."""
    ids = reviews.tokens + np.uint32(INDEX_FROM)
    frequent = (ids >= words.skip_top) & (ids < words.num_words)
    frequent_before = np.concatenate([[0], np.cumsum(frequent, dtype=np.int64)])
    return Reviews(ids[frequent], frequent_before[reviews.offsets], reviews.labels)


def split_reviews(reviews: Reviews, split: SplitSection) -> tuple[Reviews, Reviews]:
    """The first `train_size` of a seeded permutation, for training, and the others, for validation. UserError: one has none.

    Where copies are kept together, all copies of a text stand behind the first of them, and training gets all of the last text.
    """
    n, wanted = len(reviews.labels), split.train_size
    # Rounded first: 0.29 * 100 is 28.999999999999996.
    size = int(round(n * wanted, 6)) if isinstance(wanted, float) else wanted
    order = np.random.RandomState(split.seed).permutation(n)
    if split.keep_copies_together:
        texts = texts_of(reviews)
        first = {texts[i]: place for place, i in reversed(list(enumerate(order)))}
        firsts = np.array([first[texts[i]] for i in order])
        order, firsts = order[np.argsort(firsts, kind="stable")], np.sort(firsts)
        size = int(np.searchsorted(firsts, firsts[min(max(size, 1), n) - 1], side="right"))
    if not 1 <= size < n:
        raise UserError(
            f"`split.train_size` is {wanted}: of {n} reviews, 1 to {n - 1} can be for training, so that at least one "
            "is left for validation; a share such as 0.8 fits any number of reviews."
        )
    return take(reviews, order[:size]), take(reviews, order[size:])


def number_of_copies(reviews: Reviews, training: Reviews) -> int:
    """How many of the reviews are token for token among the training reviews."""
    known = set(texts_of(training))
    return sum(text in known for text in texts_of(reviews))


def pad(reviews: Reviews, padding: PadSection) -> Padded:
    """Cut longer reviews at one side and fill shorter ones with zeros at one side, as `keras.utils.pad_sequences` does."""
    starts, ends, maxlen = reviews.offsets[:-1], reviews.offsets[1:], padding.maxlen
    lengths = np.minimum(reviews.lengths, maxlen)
    first_token = ends - lengths if padding.truncating == "pre" else starts
    first_column = (maxlen - lengths if padding.padding == "pre" else np.zeros_like(lengths))[:, np.newaxis]
    columns = np.arange(maxlen)
    x = np.zeros((len(lengths), maxlen), np.int32)
    x[(columns >= first_column) & (columns < first_column + lengths[:, np.newaxis])] = reviews.tokens[
        positions(first_token, lengths)
    ]
    return Padded(x, reviews.labels)


def training_and_validation(labelled: Reviews, split: SplitSection, padding: PadSection) -> tuple[Padded, Padded]:
    """The training and the validation reviews that the stages split and pad make of the fetched training reviews."""
    training, validation = (keep_frequent(reviews, split) for reviews in split_reviews(labelled, split))
    return pad(training, padding), pad(validation, padding)
