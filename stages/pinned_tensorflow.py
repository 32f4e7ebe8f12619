"""TensorFlow and Keras, with what the processor would otherwise decide of their results pinned before they are imported.

On x86-64 with AVX2, the same inputs then give the same bytes on every processor, with any number of cores. (A GPU has
bits of its own.) Each of these changed the trained weights when it was left out:
"""

import os

# XLA compiles for these instructions and no newer ones, without approximations that only some processors have, and
# without threads, which are slower for products as small as these.
os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        "--xla_cpu_max_isa=AVX2",
        "--xla_cpu_enable_platform_dependent_math=false",
        "--xla_cpu_multi_thread_eigen=false",
    ]
)
# XLA gives larger matrix products to oneDNN, which otherwise chooses its kernels by the processor.
os.environ["DNNL_MAX_CPU_ISA"] = "AVX2"
# TensorFlow reports missing GPUs and unused instructions as errors; what stops a stage is raised as an exception anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

# Sums that are split between threads depend on their number; for networks of this size, one thread is also the fastest.
tf.config.threading.set_intra_op_parallelism_threads(1)

__all__ = ["keras", "tf"]
