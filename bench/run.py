"""`make bench`: this project against stock Keras, stock Keras with the two arguments that make it faster, and plain JAX.

Stock Keras gets `compile(jit_compile=True, steps_per_execution=625)`. All are timed in turn; a table has the medians.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
JAX = str(ROOT / ".venv/jax/bin/python")
REPEATS = 3
# What was timed; the values of stock Keras, of stock Keras with its two arguments, of JAX and of this project; and their unit.
Row = tuple[str, float, float | None, float | None, float, str]
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def run(command: list[str], folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds(command: list[str], folder: Path = ROOT) -> float:
    """Wall-clock seconds of a command as a whole process."""
    start = time.perf_counter()
    run(command, folder)
    return time.perf_counter() - start


def ends(way: str, *options: str) -> list[float]:
    """The ends of the epochs of a fit in a process of its own, in seconds after its start."""
    command = [JAX, "bench/jax_way.py"] if way == "jax" else [sys.executable, "-m", "bench.fit", way]
    return json.loads(run([*command, *options]).splitlines()[-1])["ends"]


def epoch(way: str, *options: str) -> float:
    """Seconds of the median epoch after the first, which compiles."""
    return statistics.median(after - before for before, after in itertools.pairwise(ends(way, *options)))


def ten_epochs(way: str, *options: str) -> float:
    """Seconds of ten epochs; where fewer were run, of the first and nine times the median of the others."""
    after = ends(way, *options)
    epochs = [end - start for start, end in itertools.pairwise(after)]
    return after[-1] if len(after) == 10 else after[0] + 9 * statistics.median(epochs)


def peak_bytes(command: list[str], folder: Path) -> int:
    """Peak memory of a command as a whole process."""
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    return usage.ru_maxrss * 1024


def alternately(*measured: Callable[[], float]) -> list[float]:
    """The median of each of several measurements that are taken in turn."""
    return [
        statistics.median(values) for values in zip(*([measure() for measure in measured] for _ in range(REPEATS)), strict=True)
    ]


def fresh_project(folder: Path) -> Path:
    """A clone in which nothing has run: no cache, no outputs, no lock."""
    run(["git", "clone", "--quiet", str(ROOT), str(folder)])
    (folder / "dvc.lock").unlink()
    for name in "metrics", "plots":
        shutil.rmtree(folder / name)
    return folder


def trivial_project(folder: Path) -> Path:
    """Five stages that copy a file, all of them run."""
    folder.mkdir()
    (folder / "0").write_text("x")
    stages = {f"stage{i}": {"cmd": f"cp {i} {i + 1}", "deps": [str(i)], "outs": [str(i + 1)]} for i in range(5)}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    run(["git", "init", "--quiet"], folder)
    run(["dvc", "init", "--quiet"], folder)
    shutil.copyfile(ROOT / ".dvc/config", folder / ".dvc/config")
    run(["dvc", "repro"], folder)
    return folder


def machine() -> str:
    cpu = next(line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in ("tensorflow", "keras", "dvc"))
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {packages}"


def fits(folder: Path) -> Iterator[Row]:
    """Ten epochs of the lesson's networks."""
    arrays = str(folder / "arrays.npz")
    run([sys.executable, "-m", "bench.fit", "save", "--to", arrays])
    for cell in "simple_rnn", "lstm", "gru":
        usual, jitted, jax, ours = alternately(
            partial(ten_epochs, "usual", "--cell", cell, "--epochs", "3"),
            partial(ten_epochs, "jitted", "--cell", cell, "--epochs", "3"),
            partial(ten_epochs, "jax", arrays, "--cell", cell),
            partial(ten_epochs, "pipeline", "--cell", cell),
        )
        yield f"ten epochs, `{cell}` of 8 units", usual, jitted, jax, ours, "s"


def large(folder: Path) -> Iterator[Row]:
    """An epoch of a large network, one run each."""
    arrays = str(folder / "large.npz")
    size = "--cell=lstm", "--units=64", "--num-words=10000", "--epochs=2"
    run([sys.executable, "-m", "bench.fit", "save", "--to", arrays, "--num-words=10000", "--maxlen=400"])
    jax = epoch("jax", arrays, *size)
    usual, jitted, ours = (epoch(way, *size, "--maxlen=400") for way in ("usual", "jitted", "pipeline"))
    yield "an epoch, `lstm` of 64 units, 10,000 words, `maxlen` 400", usual, jitted, jax, ours, "s"


def whole(folder: Path) -> Iterator[Row]:
    """Everything, from the raw reviews to the metrics, as whole processes; and the memory that they need."""
    script, numbers = [sys.executable, "bench/usual_way.py"], itertools.count()
    usual, jitted, ours = alternately(
        lambda: seconds(script),
        lambda: seconds([*script, "--jitted"]),
        lambda: seconds(["dvc", "repro"], fresh_project(folder / str(next(numbers)))),
    )
    yield "everything, from the raw reviews to the metrics", usual, jitted, None, ours, "s"
    usual, ours = alternately(
        lambda: peak_bytes(script, ROOT) / 2**20,
        lambda: peak_bytes([sys.executable, "-m", "stages.train"], folder / "0") / 2**20,
    )
    yield "peak memory, of the whole script and of the train stage", usual, None, None, ours, "MiB"


def repro(folder: Path) -> Iterator[Row]:
    """A second `dvc repro`, which runs nothing, against that of five stages that copy a file."""
    trivial, project = trivial_project(folder / "trivial"), fresh_project(folder / "project")
    run(["dvc", "repro"], project)
    bare, ours = alternately(lambda: seconds(["dvc", "repro"], trivial), lambda: seconds(["dvc", "repro"], project))
    yield "a second `dvc repro`: five trivial stages / this project", bare, None, None, ours, "s"


def growth(folder: Path) -> Iterator[Row]:
    """An epoch of train on more reviews, and on longer ones."""
    for what, option in ("twice the reviews", "--times-the-reviews=2"), ("twice the `maxlen`", "--maxlen=200"):
        twice, base = alternately(partial(epoch, "pipeline", option), partial(epoch, "pipeline"))
        yield f"an epoch on {what} / on the lesson's", twice, None, None, base, "s"


PARTS = {part.__name__: part for part in (fits, large, whole, repro, growth)}


def main() -> None:
    parser = argparse.ArgumentParser("python -m bench.run", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to time (none: all)")
    parts = parser.parse_args().parts or PARTS
    run(["dvc", "repro", "fetch"])
    print("| | stock `fit` | with two arguments | JAX | this project | ratios |\n| --- | --- | --- | --- | --- | --- |")
    for name in parts:
        with tempfile.TemporaryDirectory() as folder:
            for what, *others, ours, unit in PARTS[name](Path(folder)):
                times = [f"{value:.2f} {unit}" if value else "" for value in (*others, ours)]
                ratios = ", ".join(f"{value / ours:.2f}" for value in others if value)
                print(f"| {' | '.join([what, *times, ratios])} |", flush=True)
    print(f"\n{machine()}; medians of {REPEATS}, but for the large network")


if __name__ == "__main__":
    main()
