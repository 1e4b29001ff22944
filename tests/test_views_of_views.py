"""Views of views of views: as many as a loop makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr.settings import settings
from tests.agree import agree

#: What a loop makes of a view, again and again.
STEPS: dict[str, Any] = {
    "first": lambda x: x[1:],
    "last": lambda x: x[:-1],
    "both": lambda x: x[1:-1],
    "backwards": lambda x: x[-2::-1],
    "turned": lambda x: x[1:].T[::-1],
    "columns": lambda x: x[:, 1:] if x.shape[1] > 2 else x[1:],
    "shaped": lambda x: x[1:].reshape(-1, x.shape[1])[:, ::-1],
    "axes": lambda x: x[None, 1:, :, None][0, :, :, 0],
}


@pytest.mark.parametrize("eager_below", [0, 100, 50_000])
@pytest.mark.parametrize("name", STEPS)
def test_each_is_read_and_written_to(name: str, eager_below: int) -> None:
    step = STEPS[name]

    def program(np: Any, x: Any) -> Any:
        view, found = x, []
        for i in range(45):
            view = step(view)
            if i % 4 == 0:
                found.append((view.shape, view.strides, view.copy()))
            if i % 5 == 0:
                view[-1] += i
            if i % 7 == 0:
                view[...] = view * 2
        x[0] = 7
        return found, view, x, view.flags.writeable

    with settings(eager_below=eager_below):
        agree(program, np.arange(60.0 * 50).reshape(60, 50))


@pytest.mark.parametrize("eager_below", [0, 100])
def test_more_than_python_may_nest(eager_below: int) -> None:
    def program(np: Any, x: Any) -> Any:
        view, total = x, 0.0
        while view.size > 8:
            view = view[2:-1]
            if view.size % 1000 < 3:
                view[0] += 1
                total += float(view[-1])
        view[:] = 5
        return total, view, x

    with settings(eager_below=eager_below):
        agree(program, np.arange(6000.0))


def test_read_only_ones_stay_so() -> None:
    def program(np: Any, x: Any) -> Any:
        view = np.broadcast_to(x, (80, 40))
        for _ in range(70):
            view = view[1:]
        view[0] = 1

    agree(program, np.arange(40.0))
