"""Every processor and every environment gives the same bytes, and a processor that can't is told."""

import json
import os
import shutil
import sys
import sysconfig

import numpy as np
import pytest
from conftest import ROOT, Project, copy_of_project
from helpers import is_missing

from sentiment.common.reviews import Padded, load_padded, load_reviews, save_padded, save_reviews, take

# In one epoch of either, the bytes of the model changed with each setting of training/reproducible.py but the one of
# approximations, with Keras's own orthogonal initialiser, and with a product that was left to Eigen.
THE_LESSON = {}
LARGE = {
    "model__cell": "lstm",
    "model__units": 64,
    "model__bidirectional": True,
    "model__pooling": "max_mean",
    "model__dropout": 0.3,
    "model__output_dropout": 0.3,
    "train__schedule": "linear",
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((THE_LESSON, "EPYC-Milan,legacy-cache=on"), id="the lesson, AMD with a level 1 cache of 64 KiB"),
        pytest.param((LARGE, "Haswell"), id="large, Intel with 32 KiB"),
    ],
)
def project_outputs_and_processor(request, tmp_path_factory):
    """A project that has run on some of the real reviews, what it wrote, and a processor on which it could run."""
    changes, processor = request.param
    folder = tmp_path_factory.mktemp("project")
    copy_of_project(folder)
    project = Project(folder)
    project.set_params(train__epochs=1, **changes)
    for stage in "fetch", "split", "pad":
        project.run("python", "-m", f"stages.{stage}")
    for name, n in ("train", 80), ("validation", 50):
        path = folder / f"data/padded/{name}.npz"
        x, y = load_padded(path)
        save_padded(path, Padded(x[:n], y[:n]))
    # evaluate takes each token from each of these reviews: on an emulated processor, a few are enough.
    unpadded = folder / "data/split/validation.npz"
    save_reviews(unpadded, take(load_reviews(unpadded), np.arange(3)))
    return project, rerun(project), processor


def rerun(project: Project, **environment: str) -> dict[str, bytes]:
    for stage in "train", "evaluate":
        project.run("python", "-m", f"stages.{stage}", **environment)
    return project.outputs()


@pytest.mark.pipeline
@pytest.mark.slow
def test_the_environment_decides_no_byte(project_outputs_and_processor, tmp_path):
    project, outputs, _ = project_outputs_and_processor
    (tmp_path / "keras.json").write_text('{"floatx": "float64", "backend": "jax", "epsilon": 0.1}')
    assert outputs == rerun(
        project,
        TF_ENABLE_ONEDNN_OPTS="1",
        TF_NUM_INTRAOP_THREADS="8",
        OMP_NUM_THREADS="1",
        OPENBLAS_CORETYPE="Sandybridge",
        XLA_FLAGS="--xla_cpu_max_isa=SSE4_2 --xla_cpu_enable_fast_math=true --xla_cpu_use_fusion_emitters=false "
        "--xla_backend_optimization_level=0 --xla_of_no_release=true",
        TF_XLA_FLAGS="--tf_xla_enable_xla_devices=true",
        DNNL_MAX_CPU_ISA="SSE41",
        KERAS_HOME=str(tmp_path),
        KERAS_NNX_ENABLED="true",
        PYTHONHASHSEED="1",
        LC_ALL="C",
        TZ="Asia/Tokyo",
        MPLBACKEND="svg",
    )


def run_emulated(project: Project, processor: str, *command: str, status: int = 0) -> str:
    """Run Python on an emulated processor.

    qemu runs the interpreter itself, which finds the packages of its virtual environment through PYTHONPATH alone.
    """
    if not shutil.which("qemu-x86_64"):
        is_missing("qemu-x86_64 (Debian's package qemu-user) is not installed")
    emulated = "qemu-x86_64", "-cpu", processor, os.path.realpath(sys.executable)
    return project.run(*emulated, *command, status=status, PYTHONPATH=sysconfig.get_path("purelib"))


@pytest.mark.pipeline
@pytest.mark.slow
def test_another_processor_with_avx2_gives_the_same_bytes(project_outputs_and_processor):
    """Emulated processors, which have AVX2 and nothing newer. One process runs both stages, and imports TensorFlow once."""
    project, outputs, processor = project_outputs_and_processor
    both = "import stages.train as train, stages.evaluate as evaluate; train.main(); evaluate.main()"
    run_emulated(project, processor, "-c", both)
    assert project.outputs() == outputs


@pytest.mark.pipeline
@pytest.mark.slow
def test_without_avx2_training_is_refused_and_predictions_and_metrics_are_the_same_bytes(project):
    """This processor has no AVX either: TensorFlow itself would end with an illegal instruction."""
    processor = "Nehalem"
    predict = "-m", "sentiment.predict", "--json", "A wonderful film", "Awful and boring, a waste"
    predicted, outputs = project.run("python", *predict).splitlines(), project.outputs()
    assert len(predicted) == 2
    assert run_emulated(project, processor, *predict).splitlines()[-2:] == predicted, "after qemu's own warnings"
    run_emulated(project, processor, "-m", "stages.evaluate")
    assert project.outputs() == outputs
    printed = run_emulated(project, processor, "-m", "stages.train", status=1)
    assert printed.splitlines()[-1].startswith("ERROR: This processor has no AVX2, which training needs: ")
    assert "Traceback" not in printed


@pytest.mark.training
def test_an_arm64_processor_needs_no_avx2():
    """This processor under another name, its AVX2 hidden from NumPy, which the first run shows."""
    script, hidden = "import platform; platform.machine = lambda: {!r}; import sentiment.training.reproducible", "X86_V3"
    printed = Project(ROOT).run("python", "-c", script.format("x86_64"), status=1, NPY_DISABLE_CPU_FEATURES=hidden)
    assert "This processor has no AVX2" in printed
    Project(ROOT).run("python", "-c", script.format("aarch64"), NPY_DISABLE_CPU_FEATURES=hidden)


@pytest.mark.slow
def test_the_network_that_is_given_ratios_has_the_same_bytes_on_another_processor():
    """A product that was left to Eigen had others here: its sums have a part for each token of a batch."""
    program = """import hashlib, numpy as np; from studies.with_ratios import Inputs, LONGEST, NUM_WORDS, PADDING, Network
random, size = np.random.default_rng(0), (128, PADDING.maxlen)
ids, ratios = random.integers(0, NUM_WORDS, size, np.int32), random.standard_normal((*size, LONGEST), np.float32)
network = Network(0)
network.fit(Inputs(ids, ratios, random.standard_normal(128, np.float32)), random.integers(0, 2, 128, np.uint8), 0)
print(hashlib.sha256(b"".join(variable.numpy().tobytes() for variable in network.variables)).hexdigest())"""
    project = Project(ROOT)
    digest = project.run("python", "-c", program).splitlines()[-1]
    assert run_emulated(project, "Haswell", "-c", program).splitlines()[-1] == digest


REGRESSION = """
from sentiment.common.parameters import read_params
from sentiment.corpus.sources import SOURCES
from sentiment.evaluation.regression import bag_of_words, fit_regression
from sentiment.evaluation.scores import Predicted, score
from sentiment.preprocessing import training_and_validation
params = read_params()
reviews = SOURCES["package"].read(params.fetch, None).train
training, validation = training_and_validation(reviews, params.split, params.pad)
num_words = params.split.num_words
decisions = fit_regression(training, num_words).decision_function(bag_of_words(validation.x, num_words))
print({name: round(value, 6) for name, value in score(Predicted(validation.y, decisions), 0.5).items()})
"""


@pytest.mark.slow
def test_the_regression_that_networks_are_compared_with_is_the_same_on_other_processors():
    """OpenBLAS computes in another order on each of these."""
    printed = set()
    for processor in "Haswell", "Sandybridge", "Prescott":
        printed.add(Project(ROOT).run("python", "-c", REGRESSION, OPENBLAS_CORETYPE=processor))
    recorded = json.loads((ROOT / "studies/metrics/study.json").read_text())["linear"]["validation_accuracy"]["mean"]
    (the_same,) = printed
    assert f"'accuracy': {recorded}," in the_same
