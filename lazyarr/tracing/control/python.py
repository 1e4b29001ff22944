"""What the statements of a transformed function do: by default, exactly what they do in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

State = tuple[Any, ...]


@dataclass(frozen=True)
class Info:
    """What is known of a statement from its source alone. There is one for each statement, not for each execution.

    Attributes
    ----------
    names : tuple of str
        The statement's state: the local names that it assigns, in the order in which they appear. Names that begin
        with ``__break_``, ``__continue_``, ``__return_`` or ``__value_`` stand for jumps (see `jumps`).
    live_in : tuple of bool
        For each name, whether its value on entry may be read. Of a loop: whether the value that one iteration leaves
        may be read by a later one (by the test, by the body before it assigns the name, or after a body that does not
        assign it on all paths), in other words whether the name is carried. A name that is live out but not in keeps
        the value from before the loop if there is no iteration.
    live_out : tuple of bool
        For each name, whether it may be read after the statement.
    line : int
        Line of the statement in `file`.
    file : str
        Name of the user's file.
    outside : tuple of str
        Names declared global or nonlocal that the statement assigns. They are no part of the state.
    raises : tuple of bool
        Of an ``if``: whether each of its ways ends in a ``raise``.
    """

    names: tuple[str, ...]
    live_in: tuple[bool, ...]
    live_out: tuple[bool, ...]
    line: int
    file: str
    outside: tuple[str, ...] = ()
    raises: tuple[bool, bool] = (False, False)


class Undefined:
    """The value of a local name to which nothing is assigned yet, or that was deleted: any use of it is an error.

    Parameters
    ----------
    name : str
        The name, as Python's message has it.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str):
        self._name = name

    def _fail(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise UnboundLocalError(
            f"cannot access local variable {self._name!r} where it is not associated with a value"
        )

    def _fail_free(self) -> NoReturn:
        raise NameError(
            f"cannot access free variable {self._name!r} where it is not associated with a value in enclosing scope",
            name=self._name,
        )

    def __repr__(self) -> str:
        return f"Undefined({self._name!r})"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") and name.endswith("__"):
            # A protocol that is looked up (copy, pickle, numpy's __array__) must find that there is none.
            raise AttributeError(name)
        self._fail()


_FAILING = (
    "add radd iadd sub rsub isub mul rmul imul truediv rtruediv itruediv floordiv rfloordiv ifloordiv mod rmod imod "
    "divmod rdivmod pow rpow ipow matmul rmatmul imatmul lshift rlshift ilshift rshift rrshift irshift and rand iand "
    "or ror ior xor rxor ixor neg pos abs invert lt le gt ge eq ne bool int float complex index round trunc floor ceil "
    "len iter next getitem setitem delitem contains call enter exit str format hash array"
).split()
for _name in _FAILING:
    setattr(Undefined, f"__{_name}__", Undefined._fail)


class Control:
    """The plain Python meaning of every statement and expression that a transformed function hands over.

    Transformed code has an object of this kind as its free name ``__control__``. A subclass may do anything that gives
    the same values; `get` and `set` of a statement then read and write its state, the values of `Info.names`, where a
    name without a value is an `Undefined`.
    """

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
        """``for``: call `body` with each item, as long as `test` (of a loop with ``break`` or ``return``) is true.

        `test` reads nothing but flags that are False when the loop begins. `lists` grow in each iteration by the same
        number of items, and nothing else happens to them in the loop (see `growth`).
        """
        for item in iterable:
            body(item)
            if test is not None and not test():
                break

    def while_(
        self,
        test: Callable[[], Any],
        body: Callable[[], None],
        get: Callable[[], State],
        set: Callable[[State], None],
        info: Info,
    ) -> None:
        """``while``: call `body` as long as `test` is true."""
        while test():
            body()

    def if_(
        self,
        condition: Any,
        then: Callable[[], None],
        orelse: Callable[[], None],
        get: Callable[[], State],
        set: Callable[[State], None],
        info: Info,
    ) -> None:
        """``if``: call one of `then` and `orelse`."""
        if condition:
            then()
        else:
            orelse()

    def if_expression(self, condition: Any, then: Callable[[], Any], orelse: Callable[[], Any], line: int) -> Any:
        """``a if c else b``."""
        return then() if condition else orelse()

    def and_(self, first: Any, *others: Callable[[], Any]) -> Any:
        """``a and b and c``: the first operand that is false, or the last."""
        for other in others:
            if not first:
                break
            first = other()
        return first

    def or_(self, first: Any, *others: Callable[[], Any]) -> Any:
        """``a or b or c``: the first operand that is true, or the last."""
        for other in others:
            if first:
                break
            first = other()
        return first

    def not_(self, value: Any) -> Any:
        """``not x``."""
        return not value

    def is_bool(self, value: Any, known: bool) -> Any:
        """``x is True``, ``x is False``."""
        return value is known

    def call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """``f(x, k=y)``."""
        return function(*args, **kwargs)

    def over(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """``f(x, k=y)`` of which a ``for`` runs over the result, and nobody else sees it."""
        return self.call(function, *args, **kwargs)

    def list_(self, display: list[Any]) -> list[Any]:
        """``[x, y]``: a list that grows in loops."""
        return display

    def append(self, found: list[Any], item: Any) -> None:
        """``found.append(item)``, of such a list."""
        found.append(item)

    def listed(self, iterable: Iterable[Any], item: Callable[[Any], Any], line: int) -> list[Any]:
        """``[item for ... in iterable]``."""
        return [item(x) for x in iterable]

    def asked(
        self, function: Any, iterable: Iterable[Any], item: Callable[[Any], Any], name: str, line: int
    ) -> Any:
        """``any(item for ... in iterable)``, or ``all``; `function` is what has that name."""
        return function(item(x) for x in iterable)

    def assert_(self, condition: Any, message: Callable[[], Any] | None = None) -> None:
        """``assert c, m``."""
        if not condition:
            raise AssertionError() if message is None else AssertionError(message())

    def read(self, value: Any) -> Any:
        """A local name's value, where the name may have none."""
        if type(value) is Undefined:
            value._fail()
        return value

    def read_free(self, value: Any) -> Any:
        """The value of a name of an enclosing function, where the name may have none."""
        if type(value) is Undefined:
            value._fail_free()
        return value
