"""A control object that takes away every value that the analysis says nobody will read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lazyarr.tracing.control import Control, Info


class Poison:
    """A value that nobody may read."""

    def _read(self, *args: Any) -> Any:
        raise SystemError("a name that is not live is read")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _read
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __call__ = __repr__ = __iter__ = _read
    __hash__ = object.__hash__


State = tuple[Any, ...]
POISON = Poison()


class PoisoningControl(Control):
    """Python's meaning of every statement, but names that are not live lose their values.

    It goes through `get` and `set` at every statement, as a tracer does.
    """

    @staticmethod
    def _kill(state: State, live: tuple[bool, ...]) -> State:
        assert len(state) == len(live)
        return tuple(value if lives else POISON for value, lives in zip(state, live))

    def _between(
        self, test: Callable[[], Any] | None, get: Callable[[], State], set: Callable[[State], None], info: Info
    ) -> bool:
        """Between two iterations, and before the first: whether there is another."""
        goes_on = True
        if test is not None:
            before = get()
            set(self._kill(before, info.live_in))
            try:
                goes_on = bool(test())
            finally:
                # After the last iteration its values are needed.
                set(tuple(old if new is POISON else new for old, new in zip(before, get())))
        if goes_on:
            set(self._kill(get(), info.live_in))
        return goes_on

    def for_(
        self,
        iterable: Iterable[Any],
        body: Callable[[Any], None],
        get: Callable[[], State],
        set: Callable[[State], None],
        info: Info,
        test: Callable[[], Any] | None = None,
        lists: tuple[list[Any], ...] = (),
    ) -> None:
        for item in iterable:
            set(self._kill(get(), info.live_in))
            body(item)
            if test is not None:
                before = get()
                set(self._kill(before, info.live_in))
                goes_on = test()
                set(before)
                if not goes_on:
                    break
        set(self._kill(get(), info.live_out))

    def while_(
        self,
        test: Callable[[], Any],
        body: Callable[[], None],
        get: Callable[[], State],
        set: Callable[[State], None],
        info: Info,
    ) -> None:
        while self._between(test, get, set, info):
            body()
        set(self._kill(get(), info.live_out))

    def if_(
        self,
        condition: Any,
        then: Callable[[], None],
        orelse: Callable[[], None],
        get: Callable[[], State],
        set: Callable[[State], None],
        info: Info,
    ) -> None:
        set(self._kill(get(), info.live_in))
        if condition:
            then()
        else:
            orelse()
        set(self._kill(get(), info.live_out))
