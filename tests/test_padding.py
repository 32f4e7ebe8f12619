import numpy as np
import pytest
from helpers import ragged, sequences

from sentiment.common.parameters import PadSection
from sentiment.preprocessing import pad

REVIEWS = ragged([1, 2, 3, 4], [], [5, 6], [7, 8, 9])


@pytest.mark.parametrize(
    ("padding", "truncating", "rows"),
    [
        ("pre", "pre", [[2, 3, 4], [0, 0, 0], [0, 5, 6], [7, 8, 9]]),
        ("post", "pre", [[2, 3, 4], [0, 0, 0], [5, 6, 0], [7, 8, 9]]),
        ("pre", "post", [[1, 2, 3], [0, 0, 0], [0, 5, 6], [7, 8, 9]]),
        ("post", "post", [[1, 2, 3], [0, 0, 0], [5, 6, 0], [7, 8, 9]]),
    ],
)
def test_reviews_are_cut_and_padded_as_keras_does(padding, truncating, rows):
    from keras.utils import pad_sequences

    x, y = pad(REVIEWS, PadSection(maxlen=3, padding=padding, truncating=truncating))
    np.testing.assert_array_equal(y, REVIEWS.labels)
    assert x.dtype == np.int32
    assert x.tolist() == rows == pad_sequences(sequences(REVIEWS), 3, padding=padding, truncating=truncating).tolist()


def test_no_reviews_are_padded_to_no_rows():
    assert pad(ragged(), PadSection(maxlen=5, padding="pre", truncating="pre")).x.shape == (0, 5)
