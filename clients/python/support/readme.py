"""Finds the commands that README.md promises to work: the blocks marked with `<!-- test -->`."""

import re

BLOCK = re.compile(
    r"^<!-- test -->[ \t]*\n+```(console|sh|bash|shell)[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL
)


def commands(text):
    """The shell scripts of all marked blocks, one a block.

    In a console block only the lines after a `$ ` prompt are commands, with their continuations.
    """
    scripts = []
    for kind, block in BLOCK.findall(text):
        if kind != "console":
            scripts.append(block)
            continue
        lines, continued = [], False
        for line in block.splitlines():
            if line.startswith("$ ") or continued:
                line = line.removeprefix("$ ") if not continued else line.removeprefix("> ")
                lines.append(line)
                continued = line.endswith("\\")
        scripts.append("\n".join(lines) + "\n")
    return scripts
