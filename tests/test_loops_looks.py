"""Loops and branches that change the shape, the dtype, the memory or the flags of an array that is older than they."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same, programs
from tests.written import module_of

#: What is done to `w`, of 6 elements, where `x` says so; `k` counts iterations.
CHANGES = (
    "w.resize(6)", "w.resize(7, refcheck=False)", "w.resize((3, 2))", "w.shape = (2, 3)", "w.shape = w.shape[::-1]",
    "w.dtype = np.int64", "w.flags.writeable = False", "w.setflags(write=False)", "w.shape = (2, 3); w.shape = (6,)",
    "w.flags.writeable = False; w.flags.writeable = True",
)  # fmt: skip
#: Where it stands.
PLACES = (
    "if x[0] > 0:\n    {change}\n",
    "if x[0] > 0:\n    w += 1\nelse:\n    {change}\n",
    "for k in range(9):\n    w[...] = w + x[0]\n    {change}\n    if w.flags.writeable:\n        w.flat[1] = k\n",
    "for k in range(int(x[1])):\n    {change}\n",
    "for k in range(8):\n    if x[k % 3] > 0:\n        {change}\n",
    "k = 0\nwhile k < x[1]:\n    {change}\n    k += 1\n",
    "def inner():\n    {change}\nfor k in range(int(x[1])):\n    inner()\n",
)
#: What `w` is.
HOLDERS = ("w = np.arange(6.0)", "v = np.arange(6.0); w = v.view()", "w = y", "w = held[0]", "w = GLOBAL")


def changing(change: str, place: str, holder: str) -> Any:
    lines = place.format(change=change).splitlines()
    source = f"import numpy as np\nGLOBAL = np.arange(6.0)\ndef function(x, y, held):\n    {holder}\n"
    source += "\n".join("    " + line for line in lines) + "\n    return w.shape, w * 1, w.dtype, w.flags.writeable\n"
    return module_of(source, f"{change} in {place} of {holder}.py")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("change", CHANGES)
def test_changes_of_arrays_in_loops_and_branches(change: str, place: str) -> None:
    for holder in HOLDERS:
        module = changing(change, place, holder)
        accelerated = accelerate(module.function, always=True)
        for sign in (-1.0, 1.0, -1.0):
            said = []
            for function in (module.function, accelerated):
                module.GLOBAL = np.arange(6.0)
                arguments = np.array([sign, 3.0 * (sign > 0), -sign]), np.arange(6.0), [np.arange(6.0)]
                try:
                    result = function(*arguments)
                except ValueError as error:
                    result = str(error)
                said.append((result, *arguments, module.GLOBAL))
            assert_same(*said)


def test_resizing_to_the_size_it_has_stays_in_the_program() -> None:
    def function(weights: Any, x: Any) -> Any:
        for k in range(20):
            weights *= x + k
            weights /= weights.sum()
            if weights.max() > 0.4:
                weights.resize(len(x))
                weights.fill(1.0 / len(x))
        return weights.max()

    accelerated = accelerate(function, always=True)
    x = np.array([3.0, 1, 4, 1, 5])
    mine, own = np.ones(5), np.ones(5)
    assert_same(function(mine, x), accelerated(own, x))
    assert_same(mine, own)
    assert programs(accelerated) == 1
