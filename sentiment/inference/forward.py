"""The network in NumPy: what it computes from token ids, in float64.

These are the equations of Keras's layers. sentiment/training/logits.py has them once more, for XLA.

Shapes: n reviews, B reviews at a time, T tokens in a review (maxlen), V ids (num_words), D values for a word (embedding_dim, or
V of one-hot vectors), U units, G = U times the number of gates of the cell. Reviews come last: a gate lies in one piece.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# At a time: enough reviews to hide what a call of NumPy costs. Above about so many multiplications, OpenBLAS starts threads;
# for products as small as these, threads cost up to eight times as much.
REVIEWS_AT_ONCE, MULTIPLICATIONS_AT_ONCE = 256, 65_536 * 4

# What a cell remembers from one token to the next: arrays of shape (U, B). Its output comes first.
State = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Direction:
    """The weights of a cell: kernel (D, G), recurrent kernel (U, G), and bias (G,) or, of a GRU, (2, G)."""

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Network:
    """A trained network, with all its weights in float64."""

    maxlen: int
    num_words: int
    cell: str
    """`simple_rnn`, `lstm`, `gru` or `none`, as in params.yaml"""
    pooling: str
    """`last`, `max`, `mean` or `max_mean`, as in params.yaml"""
    embedding: np.ndarray | None
    """(V, D); None: the cell is given one-hot vectors"""
    directions: list[Direction]
    """the cell, if there is one, and the one that reads backwards, if there is one"""
    kernel: np.ndarray
    """of the last layer: (U,), times 2 for two directions, times 2 for max_mean; without a cell, D in place of U"""
    bias: float


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function, by way of tanh: it never overflows, and is the same with every instruction set that was tried."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def simple_rnn_step(token: np.ndarray, recurrent: np.ndarray, state: State) -> State:
    """A step of a simple recurrent network (Elman 1990). Both projections, of the token and of the last output, are (U, B)."""
    return (np.tanh(token + recurrent),)


def lstm_step(token: np.ndarray, recurrent: np.ndarray, state: State) -> State:
    """A step of an LSTM (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000). Both projections are (4 U, B)."""
    _, carry = state
    input_gate, forget_gate, candidate, output_gate = np.split(token + recurrent, 4)  # (U, B) each
    carry = sigmoid(forget_gate) * carry + sigmoid(input_gate) * np.tanh(candidate)
    return sigmoid(output_gate) * np.tanh(carry), carry


def gru_step(token: np.ndarray, recurrent: np.ndarray, state: State) -> State:
    """A step of a GRU (Cho et al. 2014), its reset gate after the product, as in Keras. Both projections are (3 U, B)."""
    (output,) = state
    token_update, token_reset, token_candidate = np.split(token, 3)  # (U, B) each
    recurrent_update, recurrent_reset, recurrent_candidate = np.split(recurrent, 3)
    update_gate = sigmoid(token_update + recurrent_update)
    reset_gate = sigmoid(token_reset + recurrent_reset)
    candidate = np.tanh(token_candidate + reset_gate * recurrent_candidate)
    return (update_gate * output + (1 - update_gate) * candidate,)


# By the name of the parameter: the step of the cell, its number of gates, and the number of arrays in its state.
CELLS = {"simple_rnn": (simple_rnn_step, 1, 1), "lstm": (lstm_step, 4, 2), "gru": (gru_step, 3, 1)}


def project_words(network: Network, direction: Direction | None) -> np.ndarray:
    """All words as the cell takes them, (G, V): each is projected once, and the tokens look it up."""
    if direction is None:
        return word_vectors(network).T.copy()
    # A one-hot vector selects a row of the kernel.
    words = direction.kernel if network.embedding is None else network.embedding @ direction.kernel  # (V, G)
    return (words + (direction.bias[0] if network.cell == "gru" else direction.bias)).T.copy()


def outputs(network: Network, direction: Direction | None, words: np.ndarray, ids: np.ndarray) -> Iterator[np.ndarray]:
    """The outputs of the cell, (U, B) for each token; without a cell, what it would take.

    `words` are all words projected, (G, V); ids, (T, B), stand in the order in which the cell reads.
    """
    tokens = (words.take(token_ids, axis=1) for token_ids in ids)
    if direction is None:
        yield from tokens
        return
    step, _, state_size = CELLS[network.cell]
    recurrent_kernel = direction.recurrent_kernel.T.copy()  # (G, U)
    recurrent_bias = direction.bias[1][:, np.newaxis] if network.cell == "gru" else 0.0
    state: State = (np.zeros((recurrent_kernel.shape[1], ids.shape[1])),) * state_size
    for token in tokens:
        state = step(token, recurrent_kernel @ state[0] + recurrent_bias, state)
        yield state[0]


def pool(pooling: str, outputs: Iterator[np.ndarray], n: int) -> list[np.ndarray]:
    """The last of n outputs, (U, B) each, or the maximum and the mean of all: one or two arrays, (U, B)."""
    output = next(outputs)
    maximum, total = output.copy(), output.copy()
    for output in outputs:
        if "max" in pooling:
            np.maximum(maximum, output, out=maximum)
        if "mean" in pooling:
            total += output
    return {"last": [output], "max": [maximum], "mean": [total / n], "max_mean": [maximum, total / n]}[pooling]


def logits(network: Network, ids: np.ndarray) -> np.ndarray:
    """The logits, float64 (n,), of padded token ids, int32 (n, T)."""
    directions: Sequence[Direction | None] = network.directions or [None]
    words = [project_words(network, direction) for direction in directions]
    largest = max((direction.recurrent_kernel.size for direction in network.directions), default=1)
    at_once = max(1, min(REVIEWS_AT_ONCE, MULTIPLICATIONS_AT_ONCE // largest))
    result = np.empty(len(ids))
    for start in range(0, len(ids), at_once):
        forwards = ids[start : start + at_once].T.copy()  # (T, B)
        orders = [forwards, forwards[::-1]][: len(directions)]
        pooled = [
            pool(network.pooling, outputs(network, *of_direction), len(forwards))
            for of_direction in zip(directions, words, orders, strict=True)
        ]
        # As in Keras: first the maxima of both directions, then the means.
        features = np.concatenate([array for of_both in zip(*pooled, strict=True) for array in of_both])
        result[start : start + at_once] = network.kernel @ features + network.bias
    return result


def probabilities(network: Network, ids: np.ndarray) -> np.ndarray:
    """The probability that each review is positive, float64 (n,), of padded token ids, int32 (n, T).

    Rounded to 10 decimals: the last bits differ between processors, and between places of a review among the others.
    """
    return np.round(sigmoid(logits(network, ids)), 10)


def word_vectors(network: Network) -> np.ndarray:
    """A row for each id, (V, D): its embedding or, of one-hot input, its rows of the cells' kernels side by side."""
    return np.hstack([d.kernel for d in network.directions]) if network.embedding is None else network.embedding


def model_size(network: Network, ids: np.ndarray) -> dict[str, int]:
    """The number of parameters, and the bytes of the training input, ids (n, T), as the first layer takes it.

    An embedding takes ids of 4 bytes; a cell without one takes a one-hot vector of float32 for each.
    """
    arrays = [array for d in network.directions for array in (d.kernel, d.recurrent_kernel, d.bias)]
    embeddings = [] if network.embedding is None else [network.embedding]
    parameters = sum(array.size for array in [*embeddings, *arrays, network.kernel]) + 1  # the bias of the last layer
    return {"parameters": parameters, "input_bytes": ids.size * (1 if embeddings else network.num_words) * 4}
