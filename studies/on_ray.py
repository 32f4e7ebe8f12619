"""Run what is new in the study on a Ray cluster, each run a task: `make study-on-ray`.

The cluster is the one that RAY_ADDRESS names, or else one that is started on this machine. All its machines need the packages
of requirements/stages.txt and requirements/ray.txt; code, parameters and reviews are sent to them. Writes the same
studies/models/*/*.keras as studies/train.py, byte for byte.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import ray
from tqdm import tqdm

from sentiment.common.errors import UserError
from studies.train import train, write_models
from studies.variants import STUDIES, read_variant

READ_BY_RUNS = "sentiment/**/*.py", "studies/*.py", "studies/variants.yaml", "params.yaml", "data/reviews/train.npz"


def new_variants() -> list[str]:
    """The variants that DVC would train, or take from its run cache. Raises UserError if DVC refuses, and has said why."""
    status = subprocess.run(["dvc", "status", "--json"], cwd=STUDIES, stdout=subprocess.PIPE, text=True)
    if status.returncode:
        raise UserError(f"`dvc status` in {STUDIES} ended with {status.returncode}.")
    return [name.removeprefix("train@") for name in json.loads(status.stdout) if name.startswith("train@")]


def main() -> None:
    runs = {variant: dict.fromkeys(read_variant(variant).seeds, b"") for variant in new_variants()}
    with tempfile.TemporaryDirectory() as sent:
        for path in (path for pattern in READ_BY_RUNS for path in Path().glob(pattern)):
            (sent / path.parent).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, sent / path)
        ray.init(runtime_env={"working_dir": sent})
    task = ray.remote(train)
    running = {task.remote(variant, seed): (variant, seed) for variant, seeds in runs.items() for seed in seeds}
    failed = []
    print(f"{len(running)} runs on {len(ray.nodes())} machines")
    with tqdm(total=len(running), unit="run", disable=None) as progress:
        while running:
            (done,), _ = ray.wait(list(running))
            variant, seed = running.pop(done)
            try:
                runs[variant][seed] = ray.get(done)
            except ray.exceptions.RayTaskError as error:
                failed.append(f"{variant}, seed {seed}: {error.cause}")
            if all(runs[variant].values()):
                write_models(variant, runs[variant])
            progress.update()
    if failed:
        raise UserError(
            "\n".join([*failed, "The others are in studies/models: `cd studies && dvc commit --force train` keeps them."])
        )


if __name__ == "__main__":
    main()
