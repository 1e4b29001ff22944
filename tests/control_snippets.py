"""Functions that a transformation of the source gets wrong if it is careless.

Each begins in a file of ``control_programs/`` with ``=== its name``; a comment with the arguments of its calls
follows. ``t(value, label)`` records that it is called and gives back the value; ``guard`` is `World.guard`.
"""

from __future__ import annotations

import re
from pathlib import Path

Snippet = tuple[str, list[tuple[object, ...]]]


def read(text: str) -> dict[str, Snippet]:
    """The programs of a file by name: the text, and the arguments of each call."""
    found: dict[str, Snippet] = {}
    for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        name, _, program = part.partition("\n")
        calls = program.partition("\n")[0].removeprefix("# ")
        if name in found:
            raise ValueError(f"there are two programs called {name!r}")
        found[name] = (program, list(eval(f"[{calls}]")))
    return found


SNIPPETS = {
    name: snippet
    for file in sorted((Path(__file__).parent / "control_programs").glob("*.txt"))
    for name, snippet in read(file.read_text()).items()
}
