"""The part of lazyarr that is compiled when it is installed; all else stands in pyproject.toml."""

from __future__ import annotations

import os

import numpy
from setuptools import Extension, setup

_FOLDER = "lazyarr/little/c"
_FILES = (
    "module", "data", "operands", "loops", "reductions", "recorded", "spare", "masks", "elements", "functions",
    "results", "calls", "scatter", "sizes", "attributes", "slots", "pending",
    "boxes", "recipes",
)  # fmt: skip

setup(
    ext_modules=[
        Extension(
            "lazyarr.little._fast_path",
            [f"{_FOLDER}/{name}.c" for name in _FILES],
            depends=[f"{_FOLDER}/fast_path.h", f"{_FOLDER}/functions.h", f"{_FOLDER}/recording.h"],
            include_dirs=[numpy.get_include()],
            # (Pythons are configured with -O2, too, with which loops over elements are not vectorized.)
            extra_compile_args=["-O3"] if os.name == "posix" else [],
            # Without a compiler lazyarr works as well, and operations on little data take longer.
            optional=True,
        ),
        Extension(
            "lazyarr.ir._walk", ["lazyarr/ir/walk.c", "lazyarr/ir/make.c"], depends=["lazyarr/ir/walk.h"],
            optional=True,
        ),
    ]
)
