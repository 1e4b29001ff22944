"""The command line as ``python -m lazyarr``."""
from __future__ import annotations

from lazyarr.cli import main

if __name__ == "__main__":
    main(prog_name="lazyarr")
