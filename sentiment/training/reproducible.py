"""TensorFlow and Keras, set up so that the processor decides nothing of their results. Import them from here.

On x86-64 with AVX2, the same inputs then give the same bytes on every processor and with any number of cores. (GPUs and arm64
processors have bits of their own.) Without the settings of instructions, approximations, Eigen or oneDNN, two of the processors
that were tried trained different weights: an AMD with AVX-512, an Intel Haswell, and an AMD with twice their level 1 cache.
"""

import gc
import os
import platform
import sys

import numpy as np

from sentiment.common.errors import UserError

# NumPy calls AVX2 and what came with it X86_V3. Without AVX2, the weights would differ; without AVX, TensorFlow would crash.
if platform.machine() in ("x86_64", "AMD64") and "X86_V3" not in np.show_config("dicts")["SIMD Extensions"].get("found", []):
    raise UserError(
        "This processor has no AVX2, which training needs: run on another machine "
        "or, where this one is virtual, have it pass on its host's processor."
    )

# Replaces flags that the user may have set: other flags change bytes as well.
os.environ.pop("TF_XLA_FLAGS", None)
os.environ["XLA_FLAGS"] = " ".join(
    [
        # These instructions and no newer ones, and no approximations that only some processors have.
        "--xla_cpu_max_isa=AVX2",
        "--xla_cpu_enable_platform_dependent_math=false",
        "--xla_cpu_enable_fast_math=false",
        # Matrix products in code of XLA's own. Eigen cuts long sums into pieces that fit the processor's cache, and its threads
        # would be slower for products as small as these. (XLA still calls it where a factor is transposed by a flag.)
        "--xla_cpu_multi_thread_eigen=false",
        # And three for speed, which are the same everywhere: a loop over tokens becomes one function, however much memory it
        # goes through, where it would call up to 20 for each token; the short loops within it are not unrolled; and the older
        # of two emitters compiles operations that are done at once, in four fifths of the time.
        "--xla_backend_extra_options=xla_force_enable_experimental_llvm_ir_gemm,"
        "xla_cpu_small_while_loop_byte_threshold=1000000000,xla_cpu_disable_loop_unrolling,xla_cpu_disable_new_fusion_emitters",
    ]
)
# The products that XLA still gives to Eigen, in the initial weights, go on to oneDNN, which chooses kernels by the processor.
os.environ["DNNL_MAX_CPU_ISA"] = "AVX2"
# Without this, TensorFlow says at each start that results may differ. Nothing here computes with what it switches off.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# Ignore ~/.keras/keras.json and the environment of the machine's user.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.pop("KERAS_NNX_ENABLED", None)
# Show only TensorFlow's errors. It warns of harmless things in every epoch, such as an array above a tenth of the free memory.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Where there are these packages, Keras imports them for tools of its own, which takes a third of its time. None hides them.
UNUSED = {"matplotlib", "sklearn"} - sys.modules.keys()
sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]
# The imports make over half a million objects, which stay. A third of the time to start and to end would go into looking
# for garbage among them.
gc.disable()
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

gc.freeze()
gc.enable()
for name in UNUSED:
    del sys.modules[name]

keras.config.set_floatx("float32")
tf.config.threading.set_intra_op_parallelism_threads(1)

__all__ = ["keras", "tf"]
