"""A trained model's folder: model.keras, vocabulary.txt and preprocessing.json, all of one model."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sentiment.common.errors import UserError
from sentiment.common.parameters import Preprocessing, read_section
from sentiment.common.vocabulary import INDEX_FROM, read_vocabulary
from sentiment.inference.forward import Network
from sentiment.inference.saved_model import read_network


@dataclass(frozen=True)
class Model:
    """All that a trained model needs to read texts; the vocabulary has the words by rank, in UTF-8."""

    network: Network
    preprocessing: Preprocessing
    vocabulary: list[bytes]

    @cached_property
    def ranks(self) -> dict[bytes, int]:
        """The ranks of the words that are frequent enough for an id below `num_words`."""
        frequent = self.vocabulary[: self.preprocessing.num_words - INDEX_FROM]
        return {word: rank for rank, word in enumerate(frequent, start=1)}


def read_model(folder: Path) -> Model:
    """Read the model in a folder that train wrote. Raises UserError if the folder holds no model, or not all of one."""
    try:
        there = (folder / "model.keras").exists()
    except OSError as error:
        raise UserError(f"{folder} can't be read: {error.strerror}.") from error
    if not there:
        raise UserError(
            f"{folder} has no model: run `make` or `dvc repro`, which train one, or name its folder with `--model`."
        )
    network = read_network(folder / "model.keras")
    preprocessing = read_section(Preprocessing, folder / "preprocessing.json")
    if (network.maxlen, network.num_words) != (preprocessing.maxlen, preprocessing.num_words):
        raise UserError(f"{folder} has files of different models: model.keras and preprocessing.json; copy it again.")
    words = read_vocabulary(folder / "vocabulary.txt", preprocessing.vocabulary_sha256)
    return Model(network, preprocessing, words)
