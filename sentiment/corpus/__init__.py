"""Reviews as people and publishers have them, and their encoding as `keras.datasets.imdb` has it."""
