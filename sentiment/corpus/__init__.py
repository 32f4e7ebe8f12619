"""Sources of reviews, and the encoding of `keras.datasets.imdb`."""
