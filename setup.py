"""The part of lazyarr that is compiled when it is installed; all else stands in pyproject.toml."""

import numpy
from setuptools import Extension, setup

_FOLDER = "lazyarr/little/c"

setup(
    ext_modules=[
        Extension(
            "lazyarr.little._fast_path",
            [f"{_FOLDER}/{name}.c" for name in ("module", "operands", "loops", "elements", "functions", "attributes", "slots")],
            depends=[f"{_FOLDER}/fast_path.h"],
            include_dirs=[numpy.get_include()],
            # Without a compiler lazyarr works as well, and operations on little data take longer.
            optional=True,
        )
    ]
)
