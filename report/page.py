"""What both pages share: the network as data for their script, where they come from, and how a template becomes a page."""

import base64
import hashlib
import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import jinja2
import numpy as np

from sentiment.common.files import write_bytes
from sentiment.common.vocabulary import FIRST_ID
from sentiment.corpus.encoding import ENTITY, as_ascii, tokenise
from sentiment.corpus.tokenizers import EMOJI, INVISIBLE, TAG, UNFOLDED, WORD
from sentiment.inference.classifier import classify
from sentiment.inference.model_folder import Model

HERE = Path(__file__).parent
# Bytes of the network's data in a page. Its weights are in base64, a third more than in float32.
LARGEST = 5_000_000
# To begin with, where it is in the model's language.
SAMPLE = "Not a bad movie, it is great. The story is simple, and I loved the end!"


class Commit(NamedTuple):
    """What a page was made of; `changed`: the working tree has other files than the commit."""

    id: str
    date: str
    changed: bool


def git(*arguments: str) -> str | None:
    """What git prints; None without git, or where this folder is not the top of a repository with a commit."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, encoding="utf-8", errors="replace", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def read_commit() -> Commit | None:
    """The commit that is checked out, with the date that it has itself: no clock is read."""
    # A folder within a repository of something else has another top.
    if git("rev-parse", "--show-prefix") != "\n" or (shown := git("log", "-1", "--format=%h %cs")) is None:
        return None
    name, date = shown.split()
    return Commit(name, date, changed=git("status", "--porcelain", "--untracked-files=no") != "")


def network_data(model: Model) -> str:
    """The network and its preprocessing as JSON that can stand in a page: what `unpack` in network.js reads."""

    def encoded(array: np.ndarray) -> str:
        return base64.b64encode(array.astype("<f4").tobytes()).decode()

    network, preprocessing = model.network, model.preprocessing
    directions = []
    for direction in network.directions:
        # Of a GRU, the projected output has a bias of its own.
        bias, recurrent_bias = direction.bias if network.cell == "gru" else (direction.bias, np.zeros_like(direction.bias))
        directions.append([encoded(array) for array in (direction.kernel, direction.recurrent_kernel, bias, recurrent_bias)])
    data = preprocessing.model_dump(include={"num_words", "skip_top", "maxlen", "padding", "truncating", "tokenizer"}) | {
        "cell": network.cell,
        "pooling": network.pooling,
        "embedding": None if network.embedding is None else encoded(network.embedding),
        "directions": directions,
        "kernel": encoded(network.kernel),
        "bias": network.bias,
        "first_id": FIRST_ID,
        "vocabulary": [word.decode() for word in model.ranks],
        "ascii": {typed: as_ascii(typed) for typed in map(chr, range(0x80, 0x10000)) if as_ascii(typed) != typed},
        "patterns": {"entity": ENTITY, "tag": TAG, "emoji": EMOJI, "word": WORD, "unfolded": UNFOLDED, "invisible": INVISIBLE},
        "separators": "".join(chr(code) for code in range(128) if len(tokenise(as_ascii(f"a{code:c}a").encode())) == 2),
    }
    # A word such as </script> must not end the element that the data is in.
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def size_of_data(model: Model) -> int:
    """About the bytes that `network_data` would have."""
    arrays = [array for d in model.network.directions for array in (d.kernel, d.recurrent_kernel, d.bias)]
    arrays += [] if model.network.embedding is None else [model.network.embedding]
    return sum(map(len, model.ranks)) + sum(16 * array.size // 3 for array in arrays)


def make_page(template: str, model: Model, title: str, threshold: float, **values: object) -> str:
    """A template of this folder as HTML, with the style, the scripts and the network inside.

    A text with a probability above the threshold is positive.
    """

    def digest(content: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"

    style, *scripts = (HERE.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "network.js", "demo.js"))
    script = "".join(scripts)
    size = size_of_data(model)
    network = None if size > LARGEST else network_data(model)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template(template).render(
        title=title,
        # Nothing runs but this script, and nothing is loaded: whatever a review or a word may hold.
        policy=f"default-src 'none'; img-src data:; style-src {digest(style)}; script-src {digest(script)}",
        style=style,
        script=script,
        network=network,
        size=size,
        largest=LARGEST,
        maxlen=model.preprocessing.maxlen,
        directions=len(model.network.directions),
        threshold=threshold,
        starts_at=classify(model, [""])[0].item(),
        sample=SAMPLE if model.preprocessing.tokenizer == "keras_imdb" else "",
        commit=read_commit(),
        **values,
    )


def write_page(path: Path, page: str) -> None:
    write_bytes(path, page.encode())
