"""Removes DVC's list of locks where it is cut, as after a kill while DVC wrote it: every later command of DVC would refuse it.

`make` runs this, in the folder with dvc.yaml, before it runs DVC.
"""

import json
from pathlib import Path

import psutil


def dvc_runs() -> bool:
    """Whether a DVC is at work in this folder or below."""
    here = Path.cwd()
    for process in psutil.process_iter(["cmdline", "cwd"]):
        folder = Path(process.info["cwd"] or "/")
        if here in (folder, *folder.parents) and "dvc" in (Path(word).name for word in process.info["cmdline"] or []):
            return True
    return False


for locks in Path(".dvc/tmp/rwlock"), Path("studies/.dvc/tmp/rwlock"):
    try:
        json.loads(locks.read_bytes())
    except FileNotFoundError:
        continue
    except ValueError:
        if not dvc_runs():
            locks.unlink()
            print(f"{locks}, DVC's list of locks, was cut when DVC was killed. No DVC runs, so it is removed.")
