"""The model names that people use, as the documents of the replaced systems have them (names.tsv)."""

import csv
import pathlib
from typing import NamedTuple


class Name(NamedTuple):
    name: str
    ids: tuple
    kind: str
    needs: str | None
    document: str

    def __str__(self):
        return f"{self.document}: {self.name}"


def read():
    lines = pathlib.Path(__file__).with_name("names.tsv").read_text().splitlines()
    rows = csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t")
    return [
        Name(
            row["name"],
            tuple(row["id"].split("|")),
            row["kind"],
            None if row["needs"] == "-" else row["needs"],
            row["document"],
        )
        for row in rows
    ]


NAMES = read()
# Those that a gateway knows without having been told anything.
KNOWN = [name for name in NAMES if not name.needs]
# The others, and the settings with which it knows them, in the form of `outcrop.toml`.
TOLD = [name for name in NAMES if name.needs]
SETTINGS = """
default_model = "anthropic.claude-3-sonnet-20240229-v1:0"
default_embedding_model = "cohere.embed-multilingual-v3"

[[aliases]]
name = "bedrock-claude-v1"
model = "anthropic.claude-instant-v1"
"""
