"""A trained model's folder: model.keras, vocabulary.txt and preprocessing.json, all of one model."""

import json
from pathlib import Path
from typing import NamedTuple

from sentiment.common.errors import UserError
from sentiment.common.files import MAKE_AGAIN, read_bytes
from sentiment.common.parameters import Preprocessing, validate
from sentiment.common.vocabulary import read_vocabulary, vocabulary_sha256
from sentiment.inference.forward import Network
from sentiment.inference.saved_model import read_network


class Model(NamedTuple):
    """All that a trained model needs to read texts.

    vocabulary: the words by rank, in UTF-8
    """

    network: Network
    preprocessing: Preprocessing
    vocabulary: list[bytes]


def read_model(folder: Path) -> Model:
    """Read the model in a folder that train wrote.

    Raises:
        UserError: the folder holds no whole model.
    """
    try:
        if not (folder / "model.keras").exists():
            raise FileNotFoundError
    except OSError as error:
        raise UserError(
            f"{folder} has no model: run `make` or `dvc repro`, which train one, or name its folder with `--model`."
        ) from error
    network = read_network(folder / "model.keras")
    words = read_vocabulary(folder / "vocabulary.txt")
    try:
        values = json.loads(read_bytes(folder / "preprocessing.json", at_most=10_000))
        preprocessing = validate(Preprocessing, values, "preprocessing.json")
        if vocabulary_sha256(words) != preprocessing.vocabulary_sha256:
            raise ValueError("vocabulary.txt has other words, or other line ends, than those of the training")
        if (network.maxlen, network.num_words) != (preprocessing.maxlen, preprocessing.num_words):
            raise ValueError("model.keras and preprocessing.json are of different models")
    except (ValueError, UserError) as error:
        what = " ".join(str(error).split())
        raise UserError(f"{folder} is not whole ({what:.200}); copy it again or, in its project, {MAKE_AGAIN}.") from error
    return Model(network, preprocessing, words)
