"""Write demo.html, in which one types a review and sees what the network makes of it; `--open` opens it in a browser.

Takes the model alone. The page has it inside, and needs no network.
"""

import argparse
import webbrowser
from pathlib import Path

from report.page import make_page, write_page
from sentiment.inference.model_folder import read_model

# As in predictions: the threshold is a parameter of evaluate, and no part of the model.
THRESHOLD = 0.5


def main() -> None:
    parser = argparse.ArgumentParser("python -m report.demo", description="Write demo.html, a page to try the network in.")
    parser.add_argument("--model", type=Path, default=Path("data/model"), metavar="DIR", help="the model (%(default)s)")
    parser.add_argument("--open", action="store_true", help="open the page in a browser, if there is one")
    arguments = parser.parse_args()
    path = Path("demo.html")
    write_page(path, make_page("demo.html", read_model(arguments.model), "What the network says of a review", THRESHOLD))
    print(f"The page is {path.absolute()}")
    if arguments.open:
        webbrowser.open(path.absolute().as_uri())


if __name__ == "__main__":
    main()
