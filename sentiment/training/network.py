"""The network: described to Keras, which initialises and saves it, and as functions that XLA compiles into one program.

Shapes: n reviews, B reviews in a batch, T tokens in a review (maxlen), U units, G = U times the number of gates of the cell.

Products are written as `a @ b`, with transposes of their own: `tf.matmul(..., transpose_b=True)` would be left to Eigen, whose
sums depend on the processor (sentiment/training/reproducible.py).
"""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from sentiment.common.parameters import ModelSection
from sentiment.training.reproducible import keras, tf

# What a cell remembers from one token to the next: tensors of shape (B, U). Its output comes first.
State = tuple[tf.Tensor, ...]


# What a function with a gradient of its own returns: its result, and the function that computes the gradient.
WithGradient = tuple[tf.Tensor, Callable[[tf.Tensor], tuple]]


def simple_rnn_step(token: tf.Tensor, recurrent: tf.Tensor, state: State) -> State:
    """A step of a SimpleRNN; the projected token and the projected output of the step before are (B, U)."""
    return (tf.tanh(token + recurrent),)


def lstm_step(token: tf.Tensor, recurrent: tf.Tensor, state: State) -> State:
    """A step of an LSTM; the projected token and the projected output of the step before are (B, 4 U)."""
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


# By the name of the parameter: the Keras layer, its step, and the number of tensors in its state.
CELLS: dict[str, tuple[Callable[..., keras.layers.Layer], Callable[..., State], int]] = {
    "simple_rnn": (keras.layers.SimpleRNN, simple_rnn_step, 1),
    "lstm": (keras.layers.LSTM, lstm_step, 2),
    "gru": (keras.layers.GRU, gru_step, 1),
}


def max_and_mean(outputs: keras.KerasTensor) -> keras.Model:
    """The maximum and the mean over all tokens, side by side: (B, T, U) to (B, 2 U)."""
    sequence = keras.Input(outputs.shape[1:], name="outputs")
    pools = keras.layers.GlobalMaxPooling1D(name="max"), keras.layers.GlobalAveragePooling1D(name="mean")
    return keras.Model(sequence, keras.layers.Concatenate(name="both")([pool(sequence) for pool in pools]), name="max_mean")


# By the name of the parameter: what makes the Keras layer that takes the cell's outputs, (B, T, U), to (B, U) or (B, 2 U).
POOLINGS: dict[str, Callable[[keras.KerasTensor], keras.layers.Layer]] = {
    "max": lambda _: keras.layers.GlobalMaxPooling1D(name="max"),
    "mean": lambda _: keras.layers.GlobalAveragePooling1D(name="mean"),
    "max_mean": max_and_mean,
}


def build_model(maxlen: int, num_words: int, model_params: ModelSection, seed: int) -> keras.Model:
    """The network for Keras: token ids, int32 of shape (B, T), to the probability of a positive review, (B, 1).

    The cell is given an embedding of each token, or a one-hot vector in which id i is column i. Keras draws the weights
    from the seed. XLA computes the orthogonal recurrent kernels, because Keras's own QR decomposition depends on the sizes of
    the processor's caches.
    """
    keras.utils.set_random_seed(seed)
    layer, _, _ = CELLS[model_params.cell]
    network = keras.Sequential(name="sentiment")
    network.add(keras.Input((maxlen,), dtype="int32", name="tokens"))
    if model_params.input == "one_hot":
        network.add(keras.layers.CategoryEncoding(num_words, output_mode="one_hot", name="one_hot"))
        # Of sequences of one token, CategoryEncoding makes vectors, not sequences of one vector.
        network.add(keras.layers.Reshape((maxlen, num_words), name="sequence"))
    else:
        network.add(keras.layers.Embedding(num_words, model_params.embedding_dim, name="embedding"))
    if model_params.dropout:
        network.add(keras.layers.Dropout(model_params.dropout, noise_shape=(None, maxlen, 1), seed=seed, name="dropout"))
    cell = layer(model_params.units, return_sequences=model_params.pooling != "last", name=model_params.cell)
    network.add(keras.layers.Bidirectional(cell, name=model_params.cell) if model_params.bidirectional else cell)
    if model_params.pooling != "last":
        network.add(POOLINGS[model_params.pooling](network.outputs[0]))
    if model_params.output_dropout:
        network.add(keras.layers.Dropout(model_params.output_dropout, seed=seed, name="output_dropout"))
    network.add(keras.layers.Dense(1, activation="sigmoid", name="positive"))
    for direction, (_, recurrent_kernel, _) in enumerate(cell_weights(network)):
        initializer = keras.initializers.Orthogonal(seed=(seed + direction) % 2**32)
        orthogonal = tf.function(initializer, jit_compile=True, autograph=False)
        recurrent_kernel.assign(orthogonal(tuple(recurrent_kernel.shape)))
    return network


def cell_name(model: keras.Model) -> str:
    """The name of the model's cell."""
    (name,) = CELLS.keys() & {layer.name for layer in model.layers}
    return name


def cell_weights(model: keras.Model) -> list[list[keras.Variable]]:
    """Kernel, recurrent kernel and bias of the model's cell; the same of the cell that reads backwards, if it has one."""
    weights = model.get_layer(cell_name(model)).trainable_variables
    return [weights[:3], weights[3:]] if len(weights) > 3 else [weights]


def logits(
    model: keras.Model, ids: tf.Tensor, mask: tf.Tensor | None = None, output_mask: tf.Tensor | None = None
) -> tf.Tensor:
    """The logits (B,) that the Keras model has for token ids, int32 (B, T), before the sigmoid of its last layer.

    The embeddings of the tokens are multiplied by `mask`, which has the shape of the ids, and what goes into the last layer
    by `output_mask`: see `dropout_mask`.
    """
    first, last = model.layers[0], model.layers[-1]
    pooling = next((layer.name for layer in model.layers if layer.name in POOLINGS), "last")
    directions = [tuple(map(tf.convert_to_tensor, weights)) for weights in cell_weights(model)]
    # Both directions read the tokens from one projection, so that the embedding gets one gradient per token.
    kernel = tf.concat([kernel for kernel, _, _ in directions], axis=1)
    ids = tf.transpose(ids)
    if isinstance(first, keras.layers.Embedding):
        tokens = project_embedded(ids, tf.convert_to_tensor(first.embeddings), kernel)
    else:
        tokens = project_one_hot(ids, kernel)
    if mask is not None:
        tokens *= tf.transpose(mask)[..., tf.newaxis]
    forwards, *backwards = tf.split(tokens, len(directions), axis=2)
    in_reading_order = [forwards, *(tf.reverse(tokens, axis=[0]) for tokens in backwards)]
    pooled = [
        pooled_outputs(cell_name(model), pooling, tokens, recurrent_kernel, bias)
        for tokens, (_, recurrent_kernel, bias) in zip(in_reading_order, directions, strict=True)
    ]
    # As in Keras: first the maxima of both directions, then the means.
    features = tf.concat([tensor for of_both in zip(*pooled, strict=True) for tensor in of_both], axis=1)
    if output_mask is not None:
        features *= output_mask
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


def pooled_outputs(cell: str, pooling: str, tokens: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor) -> list[tf.Tensor]:
    """The cell's output after the last token, or the maximum and the mean over its outputs: one or two tensors, (B, U).

    Tokens are projected, (T, B, G). A GRU has two biases, (2, G), the second one for its projected output; other cells have
    one, (G,).
    """
    _, step, state_size = CELLS[cell]
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


def compile_logits(model: keras.Model, batch_size: int = 32) -> Callable[[tf.Tensor], tf.Tensor]:
    """A compiled function of ids, int32 (n, T), to logits (n,), which goes through them in batches."""

    @tf.function(jit_compile=True, autograph=False)
    def all_logits(ids: tf.Tensor) -> tf.Tensor:
        n, maxlen = ids.shape
        batches = tf.reshape(tf.pad(ids, [(0, -n % batch_size), (0, 0)]), (-1, batch_size, maxlen))
        output = tf.map_fn(lambda batch: logits(model, batch), batches, fn_output_signature=model.compute_dtype)
        return tf.reshape(output, (-1,))[:n]

    return all_logits


def predictor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A function of padded ids, int32 (n, T), to the probability that each review is positive, float64 (n,)."""
    all_logits = compile_logits(model)
    return lambda ids: expit(all_logits(tf.constant(ids)).numpy().astype(np.float64))


def vocabulary_size(model: keras.Model) -> int:
    """The number of ids that the first layer knows."""
    first = model.layers[0]
    return first.input_dim if isinstance(first, keras.layers.Embedding) else first.num_tokens


def model_size(model: keras.Model, ids: np.ndarray) -> dict[str, int]:
    """The number of parameters, and the bytes of the training input, ids (n, T), as the first layer takes it.

    An embedding takes ids of 4 bytes; a cell without one takes a one-hot vector of float32 for each.
    """
    values_per_token = 1 if isinstance(model.layers[0], keras.layers.Embedding) else vocabulary_size(model)
    return {"parameters": model.count_params(), "input_bytes": ids.size * values_per_token * 4}


def word_vectors(model: keras.Model) -> np.ndarray:
    """A row for each id, float64 (num_words, d): its embedding or, of one-hot input, its row of the cell's kernels."""
    first = model.layers[0]
    if isinstance(first, keras.layers.Embedding):
        vectors = first.embeddings.numpy()
    else:
        vectors = np.hstack([kernel.numpy() for kernel, _, _ in cell_weights(model)])
    return vectors.astype(np.float64)
