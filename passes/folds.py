"""Numbers that a loop carries and that do not tie its iterations together: each may start with values of its own.

A count, a sum of integers, an extremum, "all of them", the place of the largest: what iterations pass on of these can
be put together afterwards, in the order of the iterations. Sums of floats cannot: their order is part of the result.
"""

from __future__ import annotations

from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value
from lazyarr.ops.folds import BEST, EXACT, KEPT, LAST, PARTS, SAME, Contest, fitting, is_read
from lazyarr.passes.accesses import Dependent

#: Operations of two operands whose order and grouping do not matter, by the fold they belong to.
_KINDS = {"add": "add", "subtract": "add", "maximum": "maximum", "minimum": "minimum", "bitwise_and": "bitwise_and",
          "bitwise_or": "bitwise_or", "bitwise_xor": "bitwise_xor", "logical_and": "logical_and",
          "logical_or": "logical_or"}  # fmt: skip


def roles(body: Graph, carried: int, arrays: list[int | None]) -> tuple[str, ...]:
    """The role of each carried value; `arrays` says which results are carried arrays, written in place.

    Raises
    ------
    Dependent
        If one ties the iterations together.
    """
    params = body.params[1 : 1 + carried]
    changing = {p for p, result in zip(params, body.results, strict=True) if p != result}
    if any(scalar in changing for p in body.params for scalar in extents.lengths(p.type.shape)):
        raise Dependent
    found: list[str] = []
    for k, (param, result) in enumerate(zip(params, body.results, strict=True)):
        if result == param:
            found.append(SAME)
        elif param.type.shape:
            if arrays[k] != k:
                raise Dependent("each makes an array of the one before", result.node)
            found.append(PARTS)
        elif not is_read(body, param):
            found.append(LAST)
        else:
            found.append(_role(body, k, params))
    return tuple(found)


def _role(body: Graph, k: int, params: tuple[Value, ...]) -> str:
    fold = _Fold(body, params[k], body.results[k])
    if fold.holds and fold.kinds:
        return EXACT if fold.exact else next(iter(fold.kinds))
    contest = Contest.find(body, k)
    if contest is None:
        result = body.results[k]
        if result.node.op.name in ("add", "subtract") and result.type.dtype.kind in "fc":
            raise Dependent("they add up floats, in NumPy's order", result.node)
        raise Dependent("a number goes on from one to the next", result.node)
    return BEST if contest.leader == k else KEPT


# --- folds of one number


class _Fold:
    """Whether `result` is ``source op a op b ...``, and `source` is used for nothing else."""

    def __init__(self, graph: Graph, source: Value, result: Value):
        self.kinds: set[str] = set()
        self.exact = False
        self._source = source
        self._visited: set[Node] = set()
        #: For loops and branches on the way: which operand and which result are the number.
        self._through: dict[Node, tuple[int, int]] = {}
        self._tainted = {source}
        # That a sum fits is true if the program goes on.
        fits = {v for check in graph.checks for v in fitting(check.ok)}
        for node in graph.nodes:
            if any(v in self._tainted for v in node.operands):
                self._tainted.update(v for v in self._changed(node) if v not in fits)
        dtype = source.type.dtype
        users = {node for node in graph.nodes if any(v in self._tainted for v in node.operands)}
        self.holds = (
            self._reaches(result)
            and users <= self._visited
            and sum(v in self._tainted for v in graph.results) == 1
            and not any(check.ok in self._tainted for check in graph.checks)
            and len(self.kinds) <= 1
            # Zeros of unlike sign, NaN, rounding: of floats the order shows.
            and (dtype.kind in "iu" or not self.kinds & {"add", "maximum", "minimum"})
        )

    def _changed(self, node: Node) -> tuple[Value, ...]:
        """The results of a node that depend on the number."""
        if not list(node.regions):
            return node.values
        lead = {"loop": 3, "while": 0, "cond": 1}.get(node.op.name, 0)
        at = [k - lead for k, v in enumerate(node.operands) if v in self._tainted]
        if len(at) != 1 or at[0] < 0 or node.op.name == "region":
            return node.values
        for result in range(len(node.values)) if node.op.name == "cond" else at:
            if result < len(node.values) and self._inside(node, at[0], result):
                self._through[node] = (lead + at[0], result)
                return (node.values[result],)
        return node.values

    def _inside(self, node: Node, operand: int, result: int) -> bool:
        """Whether all regions only fold into the number."""
        kinds, exact = set(self.kinds), self.exact
        if node.kw.get("until") == operand:
            return False
        for name, region in node.attrs:
            if not isinstance(region, Graph):
                continue
            param = (region.params[1:] if node.op.name == "loop" else region.params)[operand]
            if name == "cond":
                if is_read(region, param):
                    return False
                continue
            inner = _Fold(region, param, region.results[result])
            if not inner.holds:
                return False
            kinds |= inner.kinds
            exact = exact or inner.exact
        self.kinds, self.exact = kinds, exact
        return True

    def _reaches(self, value: Value) -> bool:
        """Whether a value is the number, folded into; notes the nodes on the way."""
        # (Selections of one another's results are met on very many ways.)
        waiting, met = [value], {self._source}
        while waiting:
            value = waiting.pop()
            if value in met:
                continue
            if value not in self._tainted:
                return False
            met.add(value)
            node, name = value.node, value.node.op.name
            self._visited.add(node)
            if list(node.regions):
                if node not in self._through:
                    return False
                waiting.append(node.operands[self._through[node][0]])
                continue
            on = [v in self._tainted for v in node.operands]
            if name == "select":
                if on[0]:
                    return False
                waiting += node.operands[1:]
                continue
            kind = node.kw["kind"] if name == "exact" else name
            if kind not in _KINDS or (name == "exact" and (value.index or _KINDS[kind] != "add")):
                return False
            if sum(on) != 1 or (kind == "subtract" and on[1]):
                return False
            self.kinds.add(_KINDS[kind])
            self.exact = self.exact or name == "exact"
            waiting.append(node.operands[on.index(True)])
        return True
