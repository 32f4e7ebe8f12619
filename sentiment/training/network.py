"""The network, as it is described to Keras, which initialises and saves it.

Shapes: B reviews in a batch, T tokens in a review (maxlen), U units.
"""

from sentiment.common.parameters import ModelSection
from sentiment.training.reproducible import keras, tf

layers = keras.layers

# By the name of the parameter.
CELLS = {"simple_rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}


def build_model(maxlen: int, num_words: int, model_params: ModelSection, seed: int) -> keras.Model:
    """The network for Keras: token ids, int32 of shape (B, T), to the probability of a positive review, (B, 1).

    The cell is given an embedding of each token, or a one-hot vector in which id i is column i. Without a cell, the embeddings
    go straight to the pooling. Keras draws the weights from the seed. XLA computes the orthogonal recurrent kernels, because
    Keras's own QR decomposition depends on the sizes of the processor's caches.
    """
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.Input((maxlen,), dtype="int32", name="tokens")], name="sentiment")
    if model_params.input == "one_hot":
        network.add(layers.CategoryEncoding(num_words, output_mode="one_hot", name="one_hot"))
        # Of sequences of one token, CategoryEncoding makes vectors, not sequences of one vector.
        network.add(layers.Reshape((maxlen, num_words), name="sequence"))
    else:
        network.add(layers.Embedding(num_words, model_params.embedding_dim, name="embedding"))
    if model_params.dropout:
        network.add(layers.Dropout(model_params.dropout, noise_shape=(None, maxlen, 1), seed=seed, name="dropout"))
    if model_params.cell != "none":
        every_output = model_params.pooling != "last"
        cell = CELLS[model_params.cell](model_params.units, return_sequences=every_output, name=model_params.cell)
        network.add(layers.Bidirectional(cell, name=model_params.cell) if model_params.bidirectional else cell)
    if model_params.pooling == "max":
        network.add(layers.GlobalMaxPooling1D(name="max"))
    elif model_params.pooling == "mean":
        network.add(layers.GlobalAveragePooling1D(name="mean"))
    elif model_params.pooling == "max_mean":
        network.add(max_and_mean(network.output_shape[1:]))
    if model_params.output_dropout:
        network.add(layers.Dropout(model_params.output_dropout, seed=seed, name="output_dropout"))
    network.add(layers.Dense(1, activation="sigmoid", name="positive"))
    for direction, (_, recurrent_kernel, _) in enumerate(cell_weights(network, model_params)):
        initializer = keras.initializers.Orthogonal(seed=(seed + direction) % 2**32)
        orthogonal = tf.function(initializer, jit_compile=True, autograph=False)
        recurrent_kernel.assign(orthogonal(tuple(recurrent_kernel.shape)))
    return network


def max_and_mean(shape: tuple[int, int]) -> keras.Model:
    """The maximum and the mean over all tokens, side by side: (B, T, U) to (B, 2 U). `shape` is (T, U)."""
    outputs = keras.Input(shape, name="outputs")
    pools = [layers.GlobalMaxPooling1D(name="max")(outputs), layers.GlobalAveragePooling1D(name="mean")(outputs)]
    return keras.Model(outputs, layers.Concatenate(name="both")(pools), name="max_mean")


def cell_weights(model: keras.Model, model_params: ModelSection) -> list[list[keras.Variable]]:
    """Kernel, recurrent kernel and bias of each of the cells of the model: of none, one, or one in each direction."""
    if model_params.cell == "none":
        return []
    weights = model.get_layer(model_params.cell).trainable_variables
    return [weights[:3], weights[3:]] if model_params.bidirectional else [weights]
