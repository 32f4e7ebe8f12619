"""The network's logits, as functions that XLA compiles into one program with the training around them.

sentiment/training/network.py describes the same network to Keras; its mathematics in NumPy is sentiment/inference/forward.py.

Shapes: n reviews, B reviews in a batch, T tokens in a review (maxlen), U units, G = U times the number of gates of the cell.

Products are written as `a @ b`, with transposes of their own: `tf.matmul(..., transpose_b=True)` would be left to Eigen, whose
sums depend on the processor (sentiment/training/reproducible.py).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from sentiment.common.parameters import ModelSection
from sentiment.training.network import cell_weights
from sentiment.training.reproducible import keras, tf

# What a cell remembers from one token to the next: tensors of shape (B, U). Its output comes first.
State = tuple[tf.Tensor, ...]
# What a function with a custom gradient returns: its result, and the function that computes the gradient.
WithGradient = tuple[tf.Tensor, Callable[[tf.Tensor], tuple]]


def simple_rnn_step(token: tf.Tensor, recurrent: tf.Tensor, state: State) -> State:
    """A step of a SimpleRNN; takes the projected token and the projected previous output, both (B, U)."""
    return (tf.tanh(token + recurrent),)


def lstm_step(token: tf.Tensor, recurrent: tf.Tensor, state: State) -> State:
    """A step of an LSTM; takes the projected token and the projected previous output, both (B, 4 U)."""
    _, carry = state
    input_gate, forget_gate, candidate, output_gate = tf.split(token + recurrent, 4, axis=1)
    carry = tf.sigmoid(forget_gate) * carry + tf.sigmoid(input_gate) * tf.tanh(candidate)
    return tf.sigmoid(output_gate) * tf.tanh(carry), carry


def gru_step(token: tf.Tensor, recurrent: tf.Tensor, state: State) -> State:
    """A step of a GRU (with `reset_after`, as in Keras); both projections are (B, 3 U)."""
    (output,) = state
    token_update, token_reset, token_candidate = tf.split(token, 3, axis=1)
    recurrent_update, recurrent_reset, recurrent_candidate = tf.split(recurrent, 3, axis=1)
    update_gate = tf.sigmoid(token_update + recurrent_update)
    reset_gate = tf.sigmoid(token_reset + recurrent_reset)
    candidate = tf.tanh(token_candidate + reset_gate * recurrent_candidate)
    return (update_gate * output + (1 - update_gate) * candidate,)


# By the name of the parameter: the step of the cell, and the number of tensors in its state.
STEPS = {"simple_rnn": (simple_rnn_step, 1), "lstm": (lstm_step, 2), "gru": (gru_step, 1)}


def logits(
    model: keras.Model,
    params: ModelSection,
    ids: tf.Tensor,
    mask: tf.Tensor | None = None,
    output_mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """The logits (B,) that the Keras model has for token ids, int32 (B, T), before the sigmoid of its last layer.

    The embeddings of the tokens are multiplied by `mask`, which has the shape of the ids, and what goes into the last layer
    by `output_mask`: see `dropout_mask`.
    """
    tokens = projected_tokens(model, params, ids)
    if mask is not None:
        tokens *= tf.transpose(mask)[..., tf.newaxis]
    return logits_of_projections(model, params, tokens, output_mask)


def projected_tokens(model: keras.Model, params: ModelSection, ids: tf.Tensor) -> tf.Tensor:
    """The tokens as the cell is given them, times its kernel: (T, B, G), or (T, B, 2 G) for two directions.

    Both directions read the tokens from one projection, so that the embedding gets one gradient per token. Without a cell,
    they are the embeddings: (T, B, D).
    """
    if params.cell == "none":
        return tf.gather(tf.convert_to_tensor(model.layers[0].embeddings), tf.transpose(ids))
    kernel = tf.concat([tf.convert_to_tensor(kernel) for kernel, _, _ in cell_weights(model, params)], axis=1)
    if params.input == "embedding":
        return project_embedded(tf.transpose(ids), tf.convert_to_tensor(model.layers[0].embeddings), kernel)
    return project_one_hot(tf.transpose(ids), kernel)


def logits_of_projections(
    model: keras.Model, params: ModelSection, tokens: tf.Tensor, output_mask: tf.Tensor | None = None
) -> tf.Tensor:
    """The logits (B,) of projected tokens, (T, B, G) or (T, B, 2 G); of embeddings, (T, B, D), without a cell."""
    directions = [tuple(map(tf.convert_to_tensor, weights)) for weights in cell_weights(model, params)]
    forwards, *backwards = tf.split(tokens, max(1, len(directions)), axis=2)
    in_reading_order = [forwards, *(tf.reverse(tokens, axis=[0]) for tokens in backwards)]
    pooled = [
        pooled_outputs(params.cell, params.pooling, tokens, recurrent_kernel, bias)
        for tokens, (_, recurrent_kernel, bias) in zip(in_reading_order, directions, strict=False)
    ] or [pooled_embeddings(params.pooling, tokens)]
    # As in Keras: first the maxima of both directions, then the means.
    features = tf.concat([tensor for of_both in zip(*pooled, strict=True) for tensor in of_both], axis=1)
    if output_mask is not None:
        features *= output_mask
    last = model.layers[-1]
    return tf.squeeze(features @ tf.convert_to_tensor(last.kernel) + last.bias, axis=1)


def dropout_mask(shape: tuple[int, int], dropout: float, seed: tf.Tensor, dtype: str) -> tf.Tensor:
    """Dropout: zero for what is dropped, 1 / (1 - dropout) for the others.

    The seed, int64 (2,), alone decides: Philox works with integers, and XLA compiles it to the same on every processor.
    """
    uniform = tf.random.stateless_uniform(shape, seed, alg="philox")
    return tf.cast(uniform >= dropout, dtype) / (1 - dropout)


@tf.custom_gradient
def product(a: tf.Tensor, b: tf.Tensor, b_transposed: tf.Tensor) -> WithGradient:
    """The matrix product `a @ b`, whose gradient is two products of the same kind, without transposing flags.

    It takes the transpose of b as well, so that a loop transposes it once, and not for each token.
    """
    return a @ b, lambda gradient: (gradient @ b_transposed, tf.transpose(a) @ gradient, None)


@tf.custom_gradient
def project_embedded(ids: tf.Tensor, embedding: tf.Tensor, kernel: tf.Tensor) -> WithGradient:
    """The embedding of each token times the kernel of the cell: ids (T, B) to (T, B, G).

    A batch has more tokens than there are words, so each word is projected once and the tokens look it up. The embedding
    gets one gradient per token, as in Keras: Adam and RMSprop square each of them.
    """

    def backward(d_tokens: tf.Tensor):
        d_tokens = tf.reshape(d_tokens, (-1, kernel.shape[1]))
        flat_ids = tf.reshape(ids, (-1,))
        d_words = tf.math.unsorted_segment_sum(d_tokens, flat_ids, embedding.shape[0])
        d_embedding = tf.IndexedSlices(d_tokens @ tf.transpose(kernel), flat_ids, tf.shape(embedding))
        return None, d_embedding, tf.transpose(embedding) @ d_words

    return tf.gather(embedding @ kernel, ids), backward


@tf.custom_gradient
def project_one_hot(ids: tf.Tensor, kernel: tf.Tensor) -> WithGradient:
    """The one-hot vector of each token times the kernel of the cell, which is a row of it: ids (T, B) to (T, B, G).

    No one-hot vector is made. Backwards, the kernel gets a gradient for each word, as from the product.
    """

    def backward(d_tokens: tf.Tensor):
        d_tokens = tf.reshape(d_tokens, (-1, kernel.shape[1]))
        return None, tf.math.unsorted_segment_sum(d_tokens, tf.reshape(ids, (-1,)), kernel.shape[0])

    return tf.gather(kernel, ids), backward


def pooled_embeddings(pooling: str, tokens: tf.Tensor) -> list[tf.Tensor]:
    """The maximum and the mean over the embeddings of the tokens, (T, B, D): one or two tensors, (B, D)."""
    maximum = [tf.reduce_max(tokens, axis=0)] if "max" in pooling else []
    return maximum + ([tf.reduce_mean(tokens, axis=0)] if "mean" in pooling else [])


def pooled_outputs(cell: str, pooling: str, tokens: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor) -> list[tf.Tensor]:
    """The cell's output after the last token, or the maximum and the mean over its outputs: one or two tensors, (B, U).

    Tokens are projected, (T, B, G). A GRU has two biases, (2, G), the second one for its projected output; other cells have
    one, (G,).
    """
    step, state_size = STEPS[cell]
    bias, recurrent_bias = tf.unstack(bias) if cell == "gru" else (bias, tf.zeros_like(bias))
    tokens += bias
    maxlen, batch_size, _ = tokens.shape
    zeros = tf.zeros((batch_size, recurrent_kernel.shape[0]), tokens.dtype)
    transposed = tf.transpose(recurrent_kernel)
    maximum = [zeros - np.inf] if "max" in pooling else []
    total = [zeros] if "mean" in pooling else []

    def next_token(t: tf.Tensor, maximum: list, total: list, *state: tf.Tensor) -> tuple:
        state = step(tokens[t], product(state[0], recurrent_kernel, transposed) + recurrent_bias, state)
        return t + 1, [tf.maximum(so_far, state[0]) for so_far in maximum], [so_far + state[0] for so_far in total], *state

    # With a known number of turns, XLA can store what the gradient needs of each.
    _, maximum, total, output, *_ = tf.while_loop(
        lambda t, *_: t < maxlen, next_token, (0, maximum, total, *[zeros] * state_size), maximum_iterations=maxlen
    )
    return [output] if pooling == "last" else maximum + [sum_of_outputs / maxlen for sum_of_outputs in total]


def compile_logits(
    batch_logits: Callable[[Any], tf.Tensor], dtype: str, batch_size: int = 32
) -> tf.types.experimental.PolymorphicFunction:
    """A compiled function of inputs to logits (n,), which goes through them in batches.

    Inputs are a tensor of n rows, such as ids, int32 (n, T), or a tuple of such tensors; `batch_logits` takes those of a batch.
    """

    @tf.function(jit_compile=True, autograph=False)
    def all_logits(inputs: Any) -> tf.Tensor:  # noqa: ANN401
        def in_batches(rows: tf.Tensor) -> tf.Tensor:
            filled = tf.pad(rows, [(0, -rows.shape[0] % batch_size), *[(0, 0)] * (rows.shape.rank - 1)])
            return tf.reshape(filled, (-1, batch_size, *rows.shape[1:]))

        n = tf.nest.flatten(inputs)[0].shape[0]
        output = tf.map_fn(batch_logits, tf.nest.map_structure(in_batches, inputs), fn_output_signature=dtype)
        return tf.reshape(output, (-1,))[:n]

    return all_logits
