"""A trained model's folder: model.keras, preprocessing.json and vocabulary.txt, and the SHA256SUMS of these three."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sentiment.common.errors import UserError
from sentiment.common.files import DIGESTS, check_digests
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
    """Read the model in a folder that train wrote. Raises UserError if there is none, or a file of it has changed since."""
    try:
        there = (folder / "model.keras").exists()
    except OSError as error:
        raise UserError(f"{folder} can't be read: {error.strerror}.") from error
    if not there:
        raise UserError(
            f"{folder} has no model: run `make` or `dvc repro`, which train one, or name its folder with `--model`."
        )
    if not (folder / DIGESTS).exists():
        raise UserError(f"{folder} has no {DIGESTS}: an earlier release trained this model; train it anew with `dvc repro`.")
    check_digests(folder)
    preprocessing = read_section(Preprocessing, folder / "preprocessing.json")
    words = read_vocabulary(folder / "vocabulary.txt", preprocessing.vocabulary_sha256)
    return Model(read_network(folder / "model.keras"), preprocessing, words)
