"""The command line as ``python -m lazyarr``."""

from lazyarr.cli import main

if __name__ == "__main__":
    main(prog_name="lazyarr")
