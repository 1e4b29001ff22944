"""Lists that a compiled loop appends to: what each iteration appends is a row of an array."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from lazyarr import soft
from lazyarr.array import Cell, LazyArray
from lazyarr.computed import ComputedScalar
from lazyarr.growing import Column, Growing, leaves, row_types
from lazyarr.ir.node import Value
from lazyarr.runtime import NotCaptured, recording
from lazyarr.tracing.capture.counted import Counted
from lazyarr.tracing.capture.slots import Slot
from lazyarr.tracing.capture.state import cells_of, form

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace


class Rows:
    """What a loop appends to lists, while it is captured.

    The first trace of the body finds what is appended; then there are arrays for each ``append``, and the body writes a
    row of them.

    Parameters
    ----------
    trace : Trace
    lists : tuple of Growing
        See `control.growth`.
    source : Counted or None
        What the loop runs over.

    Attributes
    ----------
    fit : bool
        Whether the arrays hold what the latest trace has appended.
    """

    def __init__(self, trace: Trace, lists: tuple[list[Any], ...], source: Counted | None):
        self._trace = trace
        self._lists = [x for x in lists if isinstance(x, Growing)]
        self._source = source
        self._columns: list[list[Column]] = [[] for _ in self._lists]
        #: What the latest trace has appended to each list: forms.
        self._forms: list[list[Any]] = []
        #: Storage of arrays among it, and what it held then.
        self._appended: dict[Cell, Value] = {}
        #: Lists among it, and what they held then.
        self._inner: list[tuple[Growing, Any]] = []
        self._first = 0
        self._trip: Any = None
        self._number: Any = None
        self.fit = True

    @contextmanager
    def collected(self, number: Any) -> Iterator[None]:
        """Collect what the body appends in the iteration of an index.

        Where the number of iterations is not known, lists grow otherwise (see `buffers`).
        """
        self._appended, self._inner = {}, []
        if not self._lists or self._source is None or self._source.trips is None:
            yield
            return
        start, step = self._source.start, self._source.step
        self._number = number
        self._trip = number - start if step == 1 else (number - start) // step
        self._forms = [[] for _ in self._lists]
        self._first = Growing().number
        before = [x.collector for x in self._lists]
        for k, x in enumerate(self._lists):
            x.collector = partial(self._collect, k)
        try:
            yield
        finally:
            for x, collector in zip(self._lists, before, strict=True):
                x.collector = collector
        self.fit = [[c.form for c in columns] for columns in self._columns] == self._forms

    def _collect(self, k: int, item: Any) -> None:
        at = len(self._forms[k])
        known = self._known(item)
        if known is not None:
            # (1 and True are equal, and so are two zeros.)
            self._forms[k].append(("known", tuple(known), repr(known[:1])))
            return
        soft.settle(item)
        found = self._form(item)
        assert self._source is not None and self._source.trips is not None
        if row_types(found, self._source.trips) is None:
            raise NotCaptured(f"a list grows by a {type(item).__name__} in each iteration")
        self._forms[k].append(found)
        if not isinstance(item, Growing):
            self.note(item)
        if at < len(self._columns[k]) and self._columns[k][at].form == found:
            for rows, leaf in zip(self._columns[k][at].rows, leaves(item), strict=True):
                rows[self._trip] = leaf

    def note(self, item: Any) -> None:
        """Note arrays that an iteration appends to another list."""
        self._appended.update((cell, cell.value) for cell in cells_of(item))

    def _form(self, item: Any) -> Any:
        """`state.form`, and that of a list which grew in an inner loop."""
        if not isinstance(item, Growing):
            return form(item)
        if item.elements() or not item.columns or any(c.known is not None for c in item.columns):
            return None
        if item.number < self._first:
            raise NotCaptured("a list gets a list that is no new one in each iteration")
        self._inner.append((item, item.columns))
        return "rows", item.trips, tuple(c.form for c in item.columns)

    def _known(self, item: Any) -> Sequence[Any] | None:
        """What all iterations append, where Python knows it: lengths and indices that are read from it stay known."""
        assert self._source is not None and self._source.trips is not None
        if type(item) in (bool, int, float, complex, str, type(None)):
            return [item] * self._source.trips
        if type(item) is not ComputedScalar or item.kind is not int or soft.of(item) is not None:
            return None
        if type(self._number) is not ComputedScalar or any(atom not in self._number.terms for atom in item.terms):
            return None
        factor, constant = next(iter(item.terms.values()), 0), item.constant
        return [factor * k + constant for k in range(self._source.start, self._source.stop, self._source.step)]

    def make_room(self) -> bool:
        """Make the arrays for what the latest trace has appended, outside of the loop; False if they are there."""
        if self.fit:
            return False
        from lazyarr.numpy import zeros

        assert self._source is not None and self._source.trips is not None
        for k, forms in enumerate(self._forms):
            self._columns[k] = []
            for found in forms:
                known = found[1] if found[0] == "known" else None
                types = row_types(found, self._source.trips) if known is None else None
                rows = tuple(zeros(t.shape, t.dtype) for t in types or ())
                self._columns[k].append(Column(rows, found, known))
        return True

    def hold(self, cells: list[Cell]) -> bool:
        """Whether a variable is, after an iteration, an array that a list holds."""
        return any(cell in self._appended for cell in cells)

    def require_own(self, outside: Collection[Cell], given: Mapping[Cell, Value], held: list[Slot]) -> None:
        """Require of arrays in lists that they are new ones of their iterations, which nothing changes afterwards.

        Parameters
        ----------
        outside : collection of Cell
            Storage from before the loop.
        given : mapping of Cell to Value
            Storage of arrays that enter an iteration as variables, and what it holds then.
        held : list of Slot
            Variables that are arrays of the lists after an iteration.

        Raises
        ------
        NotCaptured
            If a list would hold an array that is not.
        """
        for cell, value in self._appended.items():
            if cell in outside or cell in given or cell.value != value or cell in recording().frozen:
                raise NotCaptured("a list gets an array that is no new one in each iteration, or is changed afterwards")
        if any(x.elements() or x.columns is not columns for x, columns in self._inner):
            raise NotCaptured("a list is read or changed that another list holds")
        for slot in held:
            if any(cell.value != given.get(cell, cell.value) for cell in cells_of(slot.entry)):
                raise NotCaptured("an array is changed that a list got in the iteration before")

    def finish(self, shared: bool) -> None:
        """Give the lists what all iterations have appended; `shared`: variables may be arrays of theirs."""
        for x, columns in zip(self._lists, self._columns, strict=True):
            if columns:
                x.settle()
                x.trips = self._source.trips or 0 if self._source is not None else 0
                x.columns = tuple(
                    Column(tuple(LazyArray._new(rows._value()) for rows in c.rows), c.form, c.known, shared)
                    for c in columns
                )
