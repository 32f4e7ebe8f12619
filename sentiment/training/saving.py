"""Saved models: the same model is the same bytes, and stock Keras opens it."""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from sentiment.common.files import atomic_write
from sentiment.training.reproducible import keras

# Keys of Keras's newest releases; where they are null, earlier ones open the file without them.
NEW_KEYS = "quantization_config", "input_axes", "output_axes"


def save_model(model: keras.Model, path: Path) -> None:
    """Save as Keras does, but so that the same model is the same bytes (Keras issues 15143 and 15948).

    Keras writes `date_saved` into metadata.json, memory addresses as `shared_object_id` into config.json, and the time
    at which the archive got each of its members.
    """
    with atomic_write(path) as part, tempfile.TemporaryDirectory(".part", dir=part.parent) as folder:
        saved = Path(folder, "model.keras")
        model.save(saved)
        with zipfile.ZipFile(saved) as source, zipfile.ZipFile(part, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "metadata.json":
                    content = json.dumps(json.loads(content) | {"date_saved": "1980-01-01@00:00:00"}).encode()
                if name == "config.json":
                    content = json.dumps(_lasting(json.loads(content), {})).encode()
                # A ZipInfo of nothing but a name has the first date that zip knows: 1980-01-01.
                target.writestr(zipfile.ZipInfo(name), content)


def _lasting(config: Any, numbers: dict[int, int]) -> Any:  # noqa: ANN401
    """A configuration without NEW_KEYS, its memory addresses replaced by numbers, in the order in which they come."""
    if isinstance(config, list):
        return [_lasting(value, numbers) for value in config]
    if not isinstance(config, dict):
        return config
    kept = {key: value for key, value in config.items() if value is not None or key not in NEW_KEYS}
    return {
        key: numbers.setdefault(value, len(numbers)) if key == "shared_object_id" else _lasting(value, numbers)
        for key, value in kept.items()
    }
