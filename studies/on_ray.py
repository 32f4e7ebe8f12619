"""Run what is new in the study on a Ray cluster, each run a task: `make study-on-ray`.

The cluster is the one that RAY_ADDRESS names, or else one that is started on this machine. All its machines need the packages
of requirements.txt and requirements-ray.txt; code, parameters and reviews are sent to them. Writes the same
studies/runs/*.json as studies/train.py, byte for byte.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import ray
from tqdm import tqdm

from stages import StageError
from studies import STUDIES
from studies.train import save_run, train_and_score

READ_BY_RUNS = "stages/*.py", "studies/*.py", "studies/variants.yaml", "params.yaml", "data/reviews/*.npz"


def new_runs() -> list[tuple[str, int]]:
    """Variant and seed of each run that DVC would do, or take from its run cache.

    Raises:
        StageError: DVC refuses, and has said why.
    """
    status = subprocess.run(["dvc", "status", "--json"], cwd=STUDIES, stdout=subprocess.PIPE, text=True)
    if status.returncode:
        raise StageError(f"`dvc status` in {STUDIES} ended with {status.returncode}.")
    changed = json.loads(status.stdout)
    names = [name.removeprefix("train@") for name in changed if name.startswith("train@")]
    names += ["preset-0"] if "preset" in changed else []
    return [(variant, int(seed)) for variant, seed in (name.rsplit("-", 1) for name in names)]


def main() -> None:
    with tempfile.TemporaryDirectory() as sent:
        for path in (path for pattern in READ_BY_RUNS for path in Path().glob(pattern)):
            (sent / path.parent).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, sent / path)
        ray.init(runtime_env={"working_dir": sent})
    task = ray.remote(train_and_score)
    runs = {task.remote(variant, seed): f"{variant}-{seed}" for variant, seed in new_runs()}
    failed = []
    print(f"{len(runs)} runs on {len(ray.nodes())} machines")
    with tqdm(total=len(runs), unit="run", disable=None) as progress:
        while runs:
            (done,), _ = ray.wait(list(runs))
            name = runs.pop(done)
            try:
                save_run(name, ray.get(done))
            except ray.exceptions.RayTaskError as error:
                failed.append(f"{name}: {error.cause}")
            progress.update()
    if failed:
        raise StageError("\n".join(failed))


if __name__ == "__main__":
    main()
