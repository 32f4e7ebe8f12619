"""The network read back from model.keras, without Keras: a zip of config.json and model.weights.h5.

That this project trained it is known from the SHA256SUMS beside it (model_folder.py) or, in the study, from DVC. So of the
configuration only names and sizes are read.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from sentiment.common.files import damaged, read_bytes
from sentiment.inference.forward import CELLS, Direction, Network

# Bytes: four times the largest configuration of this project; and the weights of 100 million parameters, with Adam's moments.
LARGEST = {"config.json": 100_000, "model.weights.h5": 1_300_000_000}


def read_network(path: Path) -> Network:
    """Read a trained network of this project.

    Raises UserError if the file is missing, damaged or too large, or has weights of other shapes or that are not finite.
    """
    content = read_bytes(path, at_most=LARGEST["model.weights.h5"])
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name, at_most in LARGEST.items():
                if archive.getinfo(name).file_size > at_most:
                    raise ValueError(f"{name} has more than {at_most:,} bytes")
            layers = json.loads(archive.read("config.json"))["config"]["layers"]
            configs = {layer["config"]["name"]: layer["config"] for layer in layers}
            with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
                return _network(configs, weights)
    except Exception as error:  # Whatever the reader of each part of the archive raises.
        raise damaged(path, error) from error


def _network(configs: dict[str, dict], weights: h5py.File) -> Network:
    """The network with these layers, by name, and these weights."""
    maxlen = configs["tokens"]["batch_shape"][1]
    if one_hot := configs.get("one_hot"):
        num_words, embedding = one_hot["num_tokens"], None
        values = num_words
    else:
        num_words, values = configs["embedding"]["input_dim"], configs["embedding"]["output_dim"]
        (embedding,) = _arrays(weights, "embedding", (num_words, values))
    cell = next(iter(CELLS.keys() & configs.keys()), "none")
    (pooling,) = {"max", "mean", "max_mean"} & configs.keys() or {"last"}
    directions, size = [], values
    if cell != "none":
        both = configs[cell].get("layer")
        size = (both["config"] if both else configs[cell])["units"]
        g = CELLS[cell][1] * size
        shapes = (values, g), (size, g), (2, g) if cell == "gru" else (g,)
        parts = ("bidirectional/forward_layer", "bidirectional/backward_layer") if both else (cell,)
        directions = [Direction(*_arrays(weights, f"{part}/cell", *shapes)) for part in parts]
    features = size * max(1, len(directions)) * (2 if pooling == "max_mean" else 1)
    kernel, bias = _arrays(weights, "dense", (features, 1), (1,))
    return Network(maxlen, num_words, cell, pooling, embedding, directions, kernel[:, 0], bias.item())


def _arrays(weights: h5py.File, layer: str, *shapes: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The weights of a layer, in float64."""
    for i, shape in enumerate(shapes):
        name = f"layers/{layer}/vars/{i}"
        dataset = weights[name]
        if dataset.file != weights or dataset.external or dataset.is_virtual:
            raise ValueError(f"its weights {name} lie in another file")
        if (dataset.shape, dataset.dtype) != (shape, np.float32):
            raise ValueError(f"its weights {name} are {dataset.dtype} {dataset.shape}, not float32 {shape}")
        array = dataset[()].astype(np.float64)
        if not np.isfinite(array).all():
            raise ValueError(f"its weights {name} are not all finite numbers")
        yield array
