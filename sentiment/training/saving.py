"""Saved models: the same model is the same bytes, and stock Keras opens it."""

import json
import re
import tempfile
import zipfile
from pathlib import Path

from sentiment.common.errors import UserError
from sentiment.common.files import atomic_write
from sentiment.training.reproducible import keras


def save_model(model: keras.Model, path: Path) -> None:
    """Save as Keras does, but so that the same model is the same bytes (Keras issues 15143 and 15948).

    Keras writes `date_saved` into metadata.json, memory addresses as `shared_object_id` into config.json, and the time
    at which the archive got each of its members.
    """
    numbers: dict[bytes, bytes] = {}
    with atomic_write(path) as part, tempfile.TemporaryDirectory(".part", dir=part.parent) as folder:
        saved = Path(folder, "model.keras")
        model.save(saved)
        with zipfile.ZipFile(saved) as source, zipfile.ZipFile(part, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "metadata.json":
                    content = json.dumps(json.loads(content) | {"date_saved": "1980-01-01@00:00:00"}).encode()
                if name == "config.json":
                    content = re.sub(
                        rb'(?<="shared_object_id": )\d+',
                        lambda address: numbers.setdefault(address[0], b"%d" % len(numbers)),
                        content,
                    )
                # A ZipInfo of nothing but a name has the first date that zip knows: 1980-01-01.
                target.writestr(zipfile.ZipInfo(name), content)


def read_model(path: Path) -> keras.Model:
    """Read a saved model.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # Whatever the reader of each part of the archive raises.
        raise UserError(f"{path} can't be read ({' '.join(str(error).split())}); run `dvc repro` to make it again.") from error
