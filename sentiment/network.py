"""The network: described to Keras, which initialises and saves it, and as functions that XLA compiles into one program.

Shapes: n reviews, B reviews in a batch, T tokens in a review (maxlen), U units, G = U times the number of gates of the cell.

Products are written as `a @ b`, with transposes of their own: `tf.matmul(..., transpose_b=True)` would be left to Eigen, whose
sums depend on the processor (sentiment/reproducible.py).
"""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from sentiment.parameters import ModelSection
from sentiment.reproducible import keras, tf

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
CELLS: dict[str, tuple[type[keras.layers.Layer], Callable[..., State], int]] = {
    "simple_rnn": (keras.layers.SimpleRNN, simple_rnn_step, 1),
    "lstm": (keras.layers.LSTM, lstm_step, 2),
    "gru": (keras.layers.GRU, gru_step, 1),
}


def build_model(maxlen: int, num_words: int, model_params: ModelSection, seed: int) -> keras.Model:
    """The network for Keras: token ids, int32 of shape (B, T), to the probability of a positive review, (B, 1).

    The cell is given an embedding of each token, or a one-hot vector in which id i is column i. Keras draws the weights
    from the seed. XLA computes the orthogonal recurrent kernel, because Keras's own QR decomposition depends on the sizes of
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
    network.add(layer(model_params.units, name=model_params.cell))
    network.add(keras.layers.Dense(1, activation="sigmoid", name="positive"))
    recurrent_kernel = network.get_layer(model_params.cell).cell.recurrent_kernel
    orthogonal = tf.function(keras.initializers.Orthogonal(seed=seed), jit_compile=True, autograph=False)
    recurrent_kernel.assign(orthogonal(tuple(recurrent_kernel.shape)))
    return network


def logits(model: keras.Model, ids: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
    """The logits (B,) that the Keras model has for token ids, int32 (B, T), before the sigmoid of its last layer.

    The embeddings of the tokens are multiplied by `mask`, which has the shape of the ids: see `dropout_mask`.
    """
    *embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias = map(tf.convert_to_tensor, model.trainable_variables)
    cell = model.layers[-2].name
    recurrent_bias = tf.zeros_like(recurrent_kernel[0])
    if cell == "gru":
        bias, recurrent_bias = tf.unstack(bias)
    ids = tf.transpose(ids)
    tokens = project_embedded(ids, embedding[0], kernel) if embedding else project_one_hot(ids, kernel)
    if mask is not None:
        tokens *= tf.transpose(mask)[..., tf.newaxis]
    output = last_output(cell, tokens + bias, recurrent_kernel, recurrent_bias)
    return tf.squeeze(output @ dense_kernel + dense_bias, axis=1)


def dropout_mask(shape: tuple[int, int], dropout: float, seed: tf.Tensor, dtype: str) -> tf.Tensor:
    """Dropout of whole tokens: zero for a dropped one, 1 / (1 - dropout) for the others.

    The seed, int64 (2,), alone decides: Philox works with integers, and XLA compiles it to the same on every processor.
    """
    uniform = tf.random.stateless_uniform(shape, seed, alg="philox")
    return tf.cast(uniform >= dropout, dtype) / (1 - dropout)


@tf.custom_gradient
def product(a: tf.Tensor, b: tf.Tensor) -> WithGradient:
    """The matrix product `a @ b`, whose gradient is two products of the same kind, without transposing flags."""
    return a @ b, lambda gradient: (gradient @ tf.transpose(b), tf.transpose(a) @ gradient)


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


def last_output(cell: str, tokens: tf.Tensor, recurrent_kernel: tf.Tensor, recurrent_bias: tf.Tensor) -> tf.Tensor:
    """The output of the cell after the last token, (B, U), from the projected tokens, (T, B, G)."""
    _, step, state_size = CELLS[cell]
    maxlen, batch_size, _ = tokens.shape
    start = (tf.zeros((batch_size, recurrent_kernel.shape[0]), tokens.dtype),) * state_size

    def next_token(t: tf.Tensor, *state: tf.Tensor) -> tuple:
        return t + 1, *step(tokens[t], product(state[0], recurrent_kernel) + recurrent_bias, state)

    # With a known number of turns, XLA can store what the gradient needs of each.
    _, output, *_ = tf.while_loop(lambda t, *_: t < maxlen, next_token, (0, *start), maximum_iterations=maxlen)
    return output


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
