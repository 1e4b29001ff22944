"""What a script on ranks does to the world outside: all ranks run it, but there is one world.

Standard input is rank 0's, and every rank gets what is read.
"""

from __future__ import annotations

import sys

from lazyarr import imports, world
from lazyarr.outside import asking, standard_input


def share(script: str) -> None:
    """From now on have rank 0 do what a script, and what it calls, does to the world outside.

    Nothing is done where it is alone, or asks mpi4py for the ranks: then it says itself what they do.
    """
    ranks = world.current()
    if ranks is None or asking.scripts or imports.knows_ranks:
        return
    asking.scripts.append(asking.Script(script, ranks))
    # (A script that is started without standard input has none on any rank.)
    if ranks.communicator.from_first(sys.stdin is not None):
        sys.stdin = standard_input.shared(ranks.rank)


def end() -> None:
    """The script has come to its end: what Python does from here on, ranks do each in its own order."""
    if asking.scripts:
        asking.scripts[0].ended = True
