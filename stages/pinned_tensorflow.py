"""TensorFlow and Keras, with what the processor would otherwise decide of their results pinned before they are imported.

On x86-64 with AVX2, the same inputs then give the same bytes on every processor and with any number of cores. (A GPU has
bits of its own.) Without `max_isa`, `platform_dependent_math` or DNNL_MAX_CPU_ISA, an AMD processor with AVX-512 and an Intel
Haswell trained different weights.
"""

import os

os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        # These instructions and no newer ones, and no approximations that only some processors have.
        "--xla_cpu_max_isa=AVX2",
        "--xla_cpu_enable_platform_dependent_math=false",
        "--xla_cpu_enable_fast_math=false",
        # For products as small as these, threads are slower.
        "--xla_cpu_multi_thread_eigen=false",
    ]
)
# XLA gives larger matrix products to oneDNN, which chooses its kernels by the processor.
os.environ["DNNL_MAX_CPU_ISA"] = "AVX2"
# Not what ~/.keras/keras.json says of the machine's user.
os.environ["KERAS_BACKEND"] = "tensorflow"
# TensorFlow logs a missing GPU as an error; what stops a stage is raised as an exception anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

keras.config.set_floatx("float32")
tf.config.threading.set_intra_op_parallelism_threads(1)

__all__ = ["keras", "tf"]
