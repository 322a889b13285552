"""Writes reviews.csv.gz from the file that it comes from: the same texts and ratings, as CSV.

    python3 convert.py amazonReviewSnippets_GroundTruth.txt > reviews.csv.gz

The same input always gives the same bytes with the same zlib; README.md beside this file says where the
input is found and what its sha256 is.
"""

import csv
import gzip
import io
import sys


def rows(text):
    for line in text.split("\r\n"):
        sentence, rating, words = line.split("\t")
        yield sentence.split("_") + [rating, words]


def converted(source):
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["review", "sentence", "rating", "text"])
    writer.writerows(rows(source.decode("ascii")))
    # No time of day in it.
    return gzip.compress(table.getvalue().encode(), mtime=0)


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        sys.stdout.buffer.write(converted(file.read()))
