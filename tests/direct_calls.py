"""What the tests of direct calls share: whether a call was one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lazyarr import accelerate
from lazyarr.tracing.accelerated import Accelerated
from tests.acceleration import assert_same


def same(expected: Any, got: Any) -> bool:
    """Whether `assert_same` holds."""
    try:
        assert_same(expected, got)
    except AssertionError:
        return False
    return True


@contextmanager
def general_calls() -> Iterator[list[Any]]:
    """The calls that go the general way meanwhile."""
    found: list[Any] = []
    original = Accelerated._generally

    def generally(self: Accelerated, args: Any, kwargs: Any) -> Any:
        found.append(self)
        return original(self, args, kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Accelerated, "_generally", generally)
        yield found


def compare(accelerated: Any, function: Any, make: Callable[[], tuple[Any, ...]], **named: Any) -> bool:
    """Call both: results, errors and arguments must agree. Whether the call was a direct one."""
    plain, own = make(), make()
    try:
        expected = function(*plain, **named)
    except Exception as error:  # noqa: BLE001  whatever NumPy raises
        with general_calls() as general, pytest.raises(type(error)):
            accelerated(*own, **named)
        # Compiled programs fail before they have changed anything.
        plain = plain if same(plain, own) else make()
    else:
        with general_calls() as general:
            got = accelerated(*own, **named)
        assert_same(expected, got)
    assert_same(plain, own)
    return not general


def ready(function: Any, make: Callable[[], tuple[Any, ...]], **named: Any) -> Any:
    """The accelerated function, which has been called until it knows these calls."""
    accelerated = accelerate(function)
    for _ in range(2):
        assert not compare(accelerated, function, make, **named)
    return accelerated


def check_direct(function: Any, make: Callable[[], tuple[Any, ...]], **named: Any) -> Any:
    """The accelerated function; its third and fourth call are direct, and right."""
    accelerated = ready(function, make, **named)
    for _ in range(2):
        assert compare(accelerated, function, make, **named)
    return accelerated
