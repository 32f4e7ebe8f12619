"""Training. It does what `model.fit` does, with the same mathematics (tests/test_training.py):

    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(*training, batch_size=32, epochs=10, validation_data=validation)

The rest of this file is here for two reasons. Every processor gives the same bytes with it, which `model.fit` doesn't promise,
with or without a compiler. And those lines take 16 to 28 times as long (4 to 5 times with `jit_compile=True,
steps_per_execution=625`, see docs/benchmark.md): `model.fit` starts thousands of small operations for every batch, while here,
XLA compiles a whole epoch into one program.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from sentiment.common.errors import UserError
from sentiment.common.parameters import ModelSection, TrainSection
from sentiment.common.reviews import Padded
from sentiment.training.logits import compile_logits, dropout_mask, logits
from sentiment.training.network import build_model
from sentiment.training.reproducible import keras, tf


def new_model(maxlen: int, num_words: int, model_params: ModelSection, train: TrainSection, n: int) -> keras.Model:
    """The network with its initial weights, compiled with its optimizer for n training reviews."""
    model = build_model(maxlen, num_words, model_params, train.seed)
    # `jit_compile` goes into model.keras; by default, an environment variable decides it.
    model.compile(make_optimizer(train, n), loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def make_optimizer(train: TrainSection, n: int) -> keras.optimizers.Optimizer:
    """The optimizer of this name, with Keras's default learning rate where the parameters give none."""
    learning_rate = first_learning_rate(train)
    if train.schedule == "linear":
        steps = train.epochs * -(-n // train.batch_size)
        learning_rate = keras.optimizers.schedules.PolynomialDecay(learning_rate, steps, end_learning_rate=0.0)
    # An explicit name: otherwise the second optimizer of a process gets another name, and the name is saved in model.keras.
    return type(keras.optimizers.get(train.optimizer))(learning_rate, name=train.optimizer)


def first_learning_rate(train: TrainSection) -> float:
    """The learning rate of the parameters or, where they give none, Keras's default for the optimizer."""
    return train.learning_rate or float(keras.optimizers.get(train.optimizer).learning_rate)


def fit(
    model: keras.Model, model_params: ModelSection, training: Padded, validation: Padded, train: TrainSection
) -> Iterator[dict[str, float]]:
    """Train a compiled model in place. After each epoch, give a row of the history.

    A row has the loss and the accuracy of the epoch, on the training and on the validation reviews: `loss`, `accuracy`,
    `val_loss`, `val_accuracy`.

    The training loss and accuracy are means over the epoch, each batch scored before it changes the weights. The
    validation loss and accuracy belong to the weights at the end of the epoch. With patience, the model ends with the
    weights of its best epoch, the first of equals, as with Keras's EarlyStopping.

    Raises UserError if the loss is no longer a finite number.
    """
    batch_logits = logits_with_dropout(model, model_params, train.seed)
    train_epoch = compile_epoch(model.trainable_variables, model.optimizer, batch_logits, train.batch_size)
    all_logits = compile_logits(partial(logits, model, model_params), model.compute_dtype)
    ids, labels = map(tf.constant, training)
    validation_ids, positive = tf.constant(validation.x), validation.y > 0
    best_epoch, best_accuracy, best_weights = 0, -1.0, model.get_weights()
    for epoch in range(1, train.epochs + 1):
        loss, accuracy = map(float, train_epoch(ids, labels, tf.constant(batch_order(len(labels), train.seed, epoch))))
        output = all_logits(validation_ids).numpy().astype(np.float64)
        if not np.isfinite([loss, *output]).all():
            raise UserError(
                f"The loss is no longer a finite number after epoch {epoch}, with a learning rate of "
                f"{first_learning_rate(train):g}; try a lower `train.learning_rate`."
            )
        # The binary cross-entropy of sigmoid(z) is log(1 + exp(-z)) for a positive review and log(1 + exp(z)) for a negative.
        val_loss = float(np.logaddexp(0, np.where(positive, -output, output)).mean())
        val_accuracy = float(((output > 0) == positive).mean())
        yield {"loss": loss, "accuracy": accuracy, "val_loss": val_loss, "val_accuracy": val_accuracy}
        if train.patience and val_accuracy > best_accuracy:
            best_epoch, best_accuracy, best_weights = epoch, val_accuracy, model.get_weights()
        if train.patience and epoch - best_epoch == train.patience:
            break
    if train.patience:
        model.set_weights(best_weights)


def batch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which an epoch takes the n reviews, batch after batch: int32, shape (n,)."""
    return np.random.RandomState([seed, epoch]).permutation(n).astype(np.int32)


def logits_with_dropout(
    model: keras.Model, model_params: ModelSection, seed: int
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """A function of ids, int32 (B, T), and of the number of steps since the first epoch, int64, to the logits (B,) in training.

    Dropout, if the model has it, depends on the seed and on that number.
    """

    def batch_logits(ids: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        mask = output_mask = None
        if model_params.dropout:
            mask = dropout_mask(ids.shape, model_params.dropout, tf.stack([seed, step]), model.compute_dtype)
        if model_params.output_dropout:
            shape = ids.shape[0], model.layers[-1].kernel.shape[0]
            # Seeds that no training step uses: steps are never negative.
            output_mask = dropout_mask(shape, model_params.output_dropout, tf.stack([seed, -1 - step]), model.compute_dtype)
        return logits(model, model_params, ids, mask, output_mask)

    return batch_logits


def compile_epoch(
    variables: list[keras.Variable],
    optimizer: keras.optimizers.Optimizer,
    batch_logits: Callable[[Any, tf.Tensor], tf.Tensor],
    batch_size: int,
) -> Callable[..., tuple]:
    """A function that trains the variables for one epoch, as one program of XLA.

    The function takes inputs, a tensor of n rows such as ids, int32 (n, T), or a tuple of such tensors; labels, uint8 (n,); and
    the order of the reviews, int32 (n,). The last batch has the reviews that are left. `batch_logits` takes the inputs of a
    batch and the number of steps since the first epoch. The function gives the loss and the accuracy, means over the reviews,
    each batch scored before it changes the weights.
    """
    optimizer.build(variables)

    @tf.function(jit_compile=True, autograph=False)
    def train_epoch(inputs: Any, labels: tf.Tensor, order: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:  # noqa: ANN401
        n = order.shape[0]
        steps, rest = divmod(n, batch_size)
        batches = tf.reshape(order[: n - rest], (steps, batch_size))

        def train_batch(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            batch, batch_labels = tf.nest.map_structure(lambda values: tf.gather(values, rows), (inputs, labels))
            with tf.GradientTape() as tape:
                output = batch_logits(batch, tf.cast(optimizer.iterations, tf.int64))
                losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(batch_labels, output.dtype), output)
                loss = tf.reduce_mean(losses)
            optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
            return tf.reduce_sum(losses), tf.reduce_sum(tf.cast((output > 0) == (batch_labels > 0), tf.int32))

        def train_step(step: tf.Tensor, loss: tf.Tensor, correct: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            batch_loss, batch_correct = train_batch(batches[step])
            return step + 1, loss + batch_loss, correct + batch_correct

        loss, correct = tf.zeros((), variables[0].dtype), tf.zeros((), tf.int32)
        if steps:
            _, loss, correct = tf.while_loop(lambda step, *_: step < steps, train_step, (0, loss, correct))
        if rest:
            batch_loss, batch_correct = train_batch(order[-rest:])
            loss, correct = loss + batch_loss, correct + batch_correct
        return loss / n, correct / n

    return train_epoch
