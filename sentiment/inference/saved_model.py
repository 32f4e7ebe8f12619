"""The network read back from model.keras, without Keras: a zip of config.json and model.weights.h5.

The configuration must be the one that training/network.py gives to such a network, key by key. Whatever else Keras can describe
would be another network, and this project would answer with wrong numbers.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from sentiment.common.files import check_size, damaged
from sentiment.inference.forward import CELLS, Direction, Network

# Bytes: four times the largest configuration of this project; and the weights of 100 million parameters, with Adam's moments.
LARGEST = {"config.json": 100_000, "model.weights.h5": 1_300_000_000}
# Keys of a configuration that are about training, initial weights, masks (there are none) or how Keras computes.
IGNORED = {
    "module", "build_config", "compile_config", "shared_object_id", "trainable", "seed", "unit_forget_bias", "dropout",
    "recurrent_dropout", "unroll", "zero_output_for_mask",
}  # fmt: skip
# Of each cell: its class, and what Keras writes of it besides what it writes of all.
GATED: dict[str, object] = {"recurrent_activation": "sigmoid"}
CLASSES = {"simple_rnn": ("SimpleRNN", {}), "lstm": ("LSTM", GATED), "gru": ("GRU", GATED | {"reset_after": True})}


def read_network(path: Path) -> Network:
    """Read a trained network of this project.

    Raises UserError if the file is missing, damaged or too large, or contains another network or a weight that is not finite.
    """
    try:
        check_size(path, at_most=LARGEST["model.weights.h5"])
        with zipfile.ZipFile(path) as archive:
            for name, at_most in LARGEST.items():
                member = archive.getinfo(name)
                if member.compress_type != zipfile.ZIP_STORED or member.file_size > at_most:
                    raise ValueError(f"{name} is compressed, or larger than {at_most:,} bytes")
            config = json.loads(archive.read("config.json"), object_hook=_essential)
            layers = [layer for layer in config["config"]["layers"] if layer["class_name"] != "Dropout"]
            with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
                return _network(layers, weights)
    except Exception as error:  # Whatever the reader of each part of the archive raises.
        raise damaged(path, error) from error


def _essential(config: dict) -> dict:
    """An object of the configuration without the keys that do not affect predictions."""
    endings = "_initializer", "_regularizer", "_constraint"
    kept = {key: value for key, value in config.items() if key not in IGNORED and not key.endswith(endings)}
    return {key: value for key, value in kept.items() if value is not None}


def _network(layers: list[dict], weights: h5py.File) -> Network:
    """The network with these layers and weights."""
    configs = {layer["config"]["name"]: layer["config"] for layer in layers}
    one_hot, maxlen = "one_hot" in configs, configs["tokens"]["batch_shape"][1]
    num_words = configs["one_hot"]["num_tokens"] if one_hot else configs["embedding"]["input_dim"]
    values = num_words if one_hot else configs["embedding"]["output_dim"]
    (cell,) = CELLS.keys() & configs.keys()
    bidirectional = "layer" in configs[cell]
    units = (configs[cell]["layer"]["config"] if bidirectional else configs[cell])["units"]
    (pooling,) = {"max", "mean", "max_mean"} & configs.keys() or {"last"}
    if any(type(size) is not int or size < 1 for size in (maxlen, num_words, values, units)):
        raise ValueError("it has a size that is not a positive whole number")

    outputs = units * (1 + bidirectional)
    expected = [_input("tokens", "int32", maxlen)]
    if one_hot:
        expected.append(_layer("CategoryEncoding", "one_hot", num_tokens=num_words, output_mode="one_hot"))
        expected.append(_layer("Reshape", "sequence", target_shape=[maxlen, num_words]))
    else:
        expected.append(_layer("Embedding", "embedding", input_dim=num_words, output_dim=values, mask_zero=False))
    class_name, options = CLASSES[cell]
    options = options | {"units": units, "activation": "tanh", "use_bias": True, "return_sequences": pooling != "last"}
    options |= {"return_state": False, "stateful": False, "go_backwards": False}
    if bidirectional:
        forward = _layer(class_name, f"forward_{cell}", **options)
        backward = _layer(class_name, f"backward_{cell}", **options | {"go_backwards": True})
        expected.append(_layer("Bidirectional", cell, merge_mode="concat", layer=forward, backward_layer=backward))
    else:
        expected.append(_layer(class_name, cell, **options))
    expected += _pooling_layers(pooling, maxlen, outputs)
    expected.append(_layer("Dense", "positive", units=1, activation="sigmoid", use_bias=True))
    for layer, wanted in zip(layers, expected, strict=True):
        if layer != wanted:
            raise ValueError(f"its layer {wanted['config']['name']} is not as this project trains it")

    g = CELLS[cell][1] * units
    shapes = (values, g), (units, g), (2, g) if cell == "gru" else (g,)
    parts = ("bidirectional/forward_layer", "bidirectional/backward_layer") if bidirectional else (cell,)
    directions = [Direction(*_arrays(weights, f"{part}/cell", *shapes)) for part in parts]
    kernel, last_bias = _arrays(weights, "dense", (outputs * (2 if pooling == "max_mean" else 1), 1), (1,))
    embedding = None if one_hot else next(_arrays(weights, "embedding", (num_words, values)))
    return Network(maxlen, num_words, cell, pooling, embedding, directions, kernel[:, 0], last_bias.item())


def _layer(class_name: str, name: str, **config: object) -> dict:
    float32 = {"class_name": "DTypePolicy", "config": {"name": "float32"}}
    return {"class_name": class_name, "config": {"name": name, "dtype": float32, **config}}


def _input(name: str, dtype: str, *shape: int) -> dict:
    return _layer("InputLayer", name, dtype=dtype, batch_shape=[None, *shape], sparse=False, ragged=False, optional=False)


def _pooling_layers(pooling: str, maxlen: int, size: int) -> list[dict]:
    options = {"data_format": "channels_last", "keepdims": False}
    maximum, mean = _layer("GlobalMaxPooling1D", "max", **options), _layer("GlobalAveragePooling1D", "mean", **options)
    if pooling != "max_mean":
        return {"last": [], "max": [maximum], "mean": [mean]}[pooling]

    # A graph of layers, each with what it takes of others.
    def tensor(layer: str, *shape: int) -> dict:
        config = {"shape": [None, *shape], "dtype": "float32", "keras_history": [layer, 0, 0]}
        return {"class_name": "__keras_tensor__", "config": config}

    outputs, both = tensor("outputs", maxlen, size), [tensor("max", size), tensor("mean", size)]
    nodes = [_input("outputs", "float32", maxlen, size) | {"name": "outputs", "inbound_nodes": []}]
    for layer, taken in (maximum, outputs), (mean, outputs), (_layer("Concatenate", "both", axis=-1), both):
        nodes.append(layer | {"name": layer["config"]["name"], "inbound_nodes": [{"args": [taken], "kwargs": {}}]})
    config = {"name": "max_mean", "layers": nodes, "input_layers": ["outputs", 0, 0], "output_layers": ["both", 0, 0]}
    return [{"class_name": "Functional", "config": config, "registered_name": "Functional"}]


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
