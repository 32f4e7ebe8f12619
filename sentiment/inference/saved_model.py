"""The network read back from model.keras, without Keras: a zip of config.json and model.weights.h5.

The configuration must be the one that training/network.py gives to such a network, key by key. Whatever else Keras can describe
would be another network, and this project would answer with wrong numbers.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sentiment.common.files import check_size, damaged
from sentiment.inference.forward import CELLS, Direction, Network

# Bytes: four times the largest configuration of this project; and the weights of 100 million parameters, with Adam's moments.
LARGEST_CONFIG, LARGEST_WEIGHTS = 100_000, 1_300_000_000
CLASSES = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
# Keys of a configuration that are about training, initial weights, masks (there are none) or how Keras computes.
IGNORED = {
    "module", "build_config", "compile_config", "shared_object_id", "trainable", "seed", "unit_forget_bias", "dropout",
    "recurrent_dropout", "unroll", "zero_output_for_mask",
}  # fmt: skip
FLOAT32 = {"class_name": "DTypePolicy", "config": {"name": "float32"}}


def read_network(path: Path) -> Network:
    """Read a trained network of this project.

    Raises:
        UserError: the file is missing, damaged or too large, or has another network or a weight that is no finite number.
    """
    try:
        check_size(path, at_most=LARGEST_WEIGHTS)
        with zipfile.ZipFile(path) as archive:
            config = json.loads(_member(archive, "config.json", LARGEST_CONFIG))
            network_layers = [layer for layer in config["config"]["layers"] if layer["class_name"] != "Dropout"]
            with h5py.File(io.BytesIO(_member(archive, "model.weights.h5", LARGEST_WEIGHTS))) as weights:
                return _network(network_layers, weights)
    except Exception as error:  # Whatever the reader of each part of the archive raises.
        raise damaged(path, error) from error


def _member(archive: zipfile.ZipFile, name: str, at_most: int) -> bytes:
    member = archive.getinfo(name)
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > at_most:
        raise ValueError(f"{name} is compressed, or larger than {at_most:,} bytes")
    return archive.read(member)


def _network(layers: list[dict], weights: h5py.File) -> Network:
    """The network that these layers and weights are of."""
    configs = {layer["config"]["name"]: layer["config"] for layer in layers}
    one_hot, maxlen = "one_hot" in configs, configs["tokens"]["batch_shape"][1]
    num_words = configs["one_hot"]["num_tokens"] if one_hot else configs["embedding"]["input_dim"]
    values = num_words if one_hot else configs["embedding"]["output_dim"]
    (cell,) = CELLS.keys() & configs.keys()
    bidirectional = "layer" in configs[cell]
    units = (configs[cell]["layer"]["config"] if bidirectional else configs[cell])["units"]
    (pooling,) = {"max", "mean", "max_mean"} & configs.keys() or {"last"}
    if any(type(size) is not int or size < 1 for size in (maxlen, num_words, values, units)):
        raise ValueError("it has a size that is no positive whole number")

    expected = [
        *_first_layers(maxlen, num_words, None if one_hot else values),
        _cell_layer(cell, units, bidirectional, sequences=pooling != "last"),
        *_pooling_layers(pooling, maxlen, units * (1 + bidirectional)),
        _layer("Dense", "positive", units=1, activation="sigmoid", use_bias=True),
    ]
    for layer, wanted in zip(_essential(layers), expected, strict=True):
        if layer != wanted:
            raise ValueError(f"its layer {wanted['config']['name']} is not as this project trains it")

    _, gates, _ = CELLS[cell]
    g = gates * units
    class_name = "bidirectional" if bidirectional else cell
    sides = ("/forward_layer", "/backward_layer") if bidirectional else ("",)
    shapes = (values, g), (units, g), (2, g) if cell == "gru" else (g,)
    directions = [Direction(*_arrays(weights, f"{class_name}{side}/cell", *shapes)) for side in sides]
    features = units * (1 + bidirectional) * (2 if pooling == "max_mean" else 1)
    kernel, last_bias = _arrays(weights, "dense", (features, 1), (1,))
    embedding = None if one_hot else _arrays(weights, "embedding", (num_words, values))[0]
    return Network(maxlen, num_words, cell, pooling, embedding, directions, kernel[:, 0], last_bias.item())


def _essential(config: Any) -> Any:  # noqa: ANN401
    """A configuration without what decides no answer of the network."""
    if isinstance(config, list):
        return [_essential(value) for value in config]
    if not isinstance(config, dict):
        return config
    endings = "_initializer", "_regularizer", "_constraint"
    kept = {key: value for key, value in config.items() if key not in IGNORED and not key.endswith(endings)}
    return {key: _essential(value) for key, value in kept.items() if value is not None}


def _layer(class_name: str, name: str, **config: object) -> dict:
    return {"class_name": class_name, "config": {"name": name, "dtype": FLOAT32, **config}}


def _input(name: str, shape: tuple[int, ...], dtype: str) -> dict:
    return _layer("InputLayer", name, dtype=dtype, batch_shape=[None, *shape], sparse=False, ragged=False, optional=False)


def _first_layers(maxlen: int, num_words: int, embedding_dim: int | None) -> list[dict]:
    tokens = _input("tokens", (maxlen,), "int32")
    if embedding_dim is not None:
        return [tokens, _layer("Embedding", "embedding", input_dim=num_words, output_dim=embedding_dim, mask_zero=False)]
    one_hot = _layer("CategoryEncoding", "one_hot", num_tokens=num_words, output_mode="one_hot")
    return [tokens, one_hot, _layer("Reshape", "sequence", target_shape=[maxlen, num_words])]


def _cell_layer(cell: str, units: int, bidirectional: bool, sequences: bool) -> dict:
    config: dict[str, object] = {"units": units, "activation": "tanh", "use_bias": True, "return_sequences": sequences}
    config |= {"return_state": False, "stateful": False}
    config |= {"recurrent_activation": "sigmoid"} if cell != "simple_rnn" else {}
    config |= {"reset_after": True} if cell == "gru" else {}
    if not bidirectional:
        return _layer(CLASSES[cell], cell, **config, go_backwards=False)
    forward = _layer(CLASSES[cell], f"forward_{cell}", **config, go_backwards=False)
    backward = _layer(CLASSES[cell], f"backward_{cell}", **config, go_backwards=True)
    return _layer("Bidirectional", cell, merge_mode="concat", layer=forward, backward_layer=backward)


def _pooling_layers(pooling: str, maxlen: int, size: int) -> list[dict]:
    options = {"data_format": "channels_last", "keepdims": False}
    maximum = _layer("GlobalMaxPooling1D", "max", **options)
    mean = _layer("GlobalAveragePooling1D", "mean", **options)
    if pooling != "max_mean":
        return {"last": [], "max": [maximum], "mean": [mean]}[pooling]

    def tensor(layer: str, *shape: int) -> dict:
        config = {"shape": [None, *shape], "dtype": "float32", "keras_history": [layer, 0, 0]}
        return {"class_name": "__keras_tensor__", "config": config}

    def node(layer: dict, *inputs: object) -> dict:
        inbound = [{"args": list(inputs), "kwargs": {}}] if inputs else []
        return layer | {"name": layer["config"]["name"], "inbound_nodes": inbound}

    outputs, both = tensor("outputs", maxlen, size), [tensor("max", size), tensor("mean", size)]
    nodes = [node(_input("outputs", (maxlen, size), "float32")), node(maximum, outputs), node(mean, outputs)]
    nodes.append(node(_layer("Concatenate", "both", axis=-1), both))
    config = {"name": "max_mean", "layers": nodes, "input_layers": ["outputs", 0, 0], "output_layers": ["both", 0, 0]}
    return [{"class_name": "Functional", "config": config, "registered_name": "Functional"}]


def _arrays(weights: h5py.File, layer: str, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """The weights of a layer, in float64."""
    arrays = []
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
        arrays.append(array)
    return arrays
