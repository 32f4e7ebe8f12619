"""The same network in plain JAX and optax, an epoch as one jitted `lax.scan`; prints a JSON list as bench/fit.py does.

It runs in a separate environment (requirements/jax.txt), on the arrays that bench/fit.py writes with the way `save`.
Times are those of the fit alone, imports excluded and compiling included.
"""

import argparse
import json
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("arrays", help="the .npz file")
parser.add_argument("--cell", default="simple_rnn")
parser.add_argument("--units", type=int, default=8)
parser.add_argument("--num-words", type=int, default=1000)
parser.add_argument("--epochs", type=int, default=10)
arguments = parser.parse_args()

BATCH_SIZE, EMBEDDING_DIM = 32, 32
GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}[arguments.cell]


def initial(key: jax.Array) -> dict[str, jax.Array]:
    """Weights drawn as Keras draws them."""
    units, width = arguments.units, GATES * arguments.units
    keys = jax.random.split(key, 4)
    glorot, orthogonal = jax.nn.initializers.glorot_uniform(), jax.nn.initializers.orthogonal()
    forget = jnp.where((jnp.arange(width) // units == 1) & (arguments.cell == "lstm"), 1.0, 0.0)
    return {
        "embedding": jax.random.uniform(keys[0], (arguments.num_words, EMBEDDING_DIM), minval=-0.05, maxval=0.05),
        "kernel": glorot(keys[1], (EMBEDDING_DIM, width)),
        "recurrent": orthogonal(keys[2], (units, width)),
        "bias": forget,
        "recurrent_bias": jnp.zeros(width),
        "dense": glorot(keys[3], (units, 1)),
        "dense_bias": jnp.zeros(1),
    }


def step(state: tuple, token: jax.Array, recurrent: jax.Array) -> tuple:
    if arguments.cell == "simple_rnn":
        return (jnp.tanh(token + recurrent),)
    if arguments.cell == "lstm":
        i, f, c, o = jnp.split(token + recurrent, 4, axis=1)
        carry = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(c)
        return jax.nn.sigmoid(o) * jnp.tanh(carry), carry
    (z, r, c), (rz, rr, rc) = jnp.split(token, 3, axis=1), jnp.split(recurrent, 3, axis=1)
    update = jax.nn.sigmoid(z + rz)
    candidate = jnp.tanh(c + jax.nn.sigmoid(r + rr) * rc)
    return (update * state[0] + (1 - update) * candidate,)


def logits(weights: dict[str, jax.Array], ids: jax.Array) -> jax.Array:
    tokens = weights["embedding"][ids.T] @ weights["kernel"] + weights["bias"]
    bias = weights["recurrent_bias"] if arguments.cell == "gru" else 0.0

    def next_token(state: tuple, token: jax.Array) -> tuple:
        return step(state, token, state[0] @ weights["recurrent"] + bias), None

    start = (jnp.zeros((ids.shape[0], arguments.units)),) * (2 if arguments.cell == "lstm" else 1)
    (output, *_), _ = jax.lax.scan(next_token, start, tokens)
    return (output @ weights["dense"] + weights["dense_bias"])[:, 0]


def losses(weights: dict[str, jax.Array], ids: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
    output = logits(weights, ids)
    return optax.sigmoid_binary_cross_entropy(output, labels).mean(), ((output > 0) == (labels > 0)).mean()


optimizer = optax.adam(1e-3, eps=1e-7)


@jax.jit
def train_epoch(weights: dict, state: optax.OptState, ids: jax.Array, labels: jax.Array, order: jax.Array) -> tuple:
    def train_batch(carried: tuple, batch: jax.Array) -> tuple:
        weights, state = carried
        measured, gradients = jax.value_and_grad(losses, has_aux=True)(weights, ids[batch], labels[batch])
        updates, state = optimizer.update(gradients, state)
        return (optax.apply_updates(weights, updates), state), measured

    batches = order[: len(order) // BATCH_SIZE * BATCH_SIZE].reshape(-1, BATCH_SIZE)
    (weights, state), (loss, accuracy) = jax.lax.scan(train_batch, (weights, state), batches)
    return weights, state, loss.mean(), accuracy.mean()


@jax.jit
def validate(weights: dict, ids: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
    return losses(weights, ids, labels)


with np.load(arguments.arrays) as file:
    ids, labels, validation_ids, validation_labels = (file[name] for name in ("x", "y", "validation_x", "validation_y"))
ids, labels, validation = jnp.asarray(ids), jnp.asarray(labels, jnp.float32), jnp.asarray(validation_ids)
validation_labels = jnp.asarray(validation_labels, jnp.float32)
weights = initial(jax.random.key(0))
state = optimizer.init(weights)
start = time.perf_counter()
ends = []
for epoch in range(arguments.epochs):
    order = jnp.asarray(np.random.RandomState(epoch).permutation(len(ids)))
    weights, state, *row = train_epoch(weights, state, ids, labels, order)
    row += validate(weights, validation, validation_labels)
    jax.block_until_ready(row)
    ends.append(time.perf_counter())
print(json.dumps([end - start for end in ends]))
