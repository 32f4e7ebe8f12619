"""`make bench`: the pipeline against the usual way of writing it, in one run; prints a table of medians and their ratios."""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPEATS = 3
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


def fit(way: str, *options: str) -> dict:
    """The result of bench/fit.py, which times a fit in a process of its own."""
    return json.loads(run([sys.executable, "-m", "bench.fit", way, *options]).splitlines()[-1])


def fit_seconds(way: str, cell: str) -> float:
    return fit(way, "--cell", cell)["fit_seconds"]


def epoch_seconds(*options: str) -> float:
    """The median time of an epoch of train."""
    return fit("pipeline", *options)["epoch_seconds"]


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


def main() -> None:
    rows = []

    def row(what: str, usual: float, ours: float, unit: str = "s") -> None:
        rows.append(f"| {what} | {usual:.2f} {unit} | {ours:.2f} {unit} | {usual / ours:.2f} | {ours / usual:.2f} |")
        print(rows[-1], flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        numbers = iter(range(1000))
        usual, ours = alternately(
            lambda: seconds([sys.executable, "bench/usual_way.py"]),
            lambda: seconds(["dvc", "repro"], fresh_project(folder / str(next(numbers)))),
        )
        row("everything, from the raw reviews to the metrics: script / `dvc repro`", usual, ours)

        trivial, project = trivial_project(folder / "trivial"), folder / "0"
        bare, ours = alternately(
            lambda: seconds(["dvc", "repro"], trivial),
            lambda: seconds(["dvc", "repro"], project),
        )
        row("a second `dvc repro`: five trivial stages / this project", bare, ours)

        usual, ours = alternately(
            lambda: peak_bytes([sys.executable, "bench/usual_way.py"], ROOT),
            lambda: peak_bytes([sys.executable, "-m", "stages.train"], project),
        )
        row("peak memory: script / train", usual / 2**20, ours / 2**20, "MiB")

    run(["dvc", "repro", "fetch"])
    for cell in "simple_rnn", "lstm", "gru":
        usual, ours = alternately(partial(fit_seconds, "usual", cell), partial(fit_seconds, "pipeline", cell))
        row(f"10 epochs of {cell}: `model.fit` / train", usual, ours)
    for what, option in ("twice the reviews", "--times-the-reviews=2"), ("twice the maxlen", "--maxlen=200"):
        base, twice = alternately(epoch_seconds, partial(epoch_seconds, option))
        row(f"an epoch of train: as it is / {what}", base, twice)

    large = "--cell=lstm", "--units=64", "--num-words=10000", "--maxlen=400", "--epochs=2"
    usual, ours = (fit(way, *large)["epoch_seconds"] for way in ("usual", "pipeline"))
    row("an epoch of lstm, 64 units, 10,000 words, maxlen 400, one run", usual, ours)

    print(f"\n{machine()}; medians of {REPEATS}\n\n| what: A / B | A | B | A / B | B / A |\n| --- | --- | --- | --- | --- |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
