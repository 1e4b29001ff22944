"""Numbers that are other ones in each of the iterations which one pass over memory does.

In ``for n in range(steps): u[0] = np.sin(w * t); u[1:-1] += r * (u[:-2] - 2 * u[1:-1] + u[2:]); t += dt`` the
iterations are alike but for some numbers, which the index and carried numbers decide and no array does. They are
computed before a pass, for all its iterations, and each iteration of the pass reads its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, Element, Index, register
from lazyarr.backends.native_storage import Scalar
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import Node, Value, make


class Unknown(Exception):
    """A number of one iteration is needed where many are prepared."""


class Varying(Scalar):
    """A number with one value for each iteration of a pass, in a table."""

    def __init__(self, dtype: np.dtype[Any]):
        super().__init__(dtype, ())
        self._tables: list[str] = []
        self._iteration: Index | None = None

    @property
    def value(self) -> Element:
        """Not known: it is read where it is used."""
        raise Unknown

    @value.setter
    def value(self, value: Element) -> None:
        assert not value

    def allocate(self, code: Code, iterations: int) -> None:
        """The table, for so many iterations."""
        parts = 2 if self.dtype.kind == "c" else 1
        self._tables = [code.alloca(register(self.dtype), iterations) for _ in range(parts)]

    def put(self, code: Code, iteration: Index, value: Element) -> None:
        """Note what the number is in an iteration."""
        for place, x in zip(self._places(code, iteration), value, strict=True):
            code.do(f"store {register(self.dtype)} {x}, ptr {place}")

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        if self._iteration is None:
            raise Unknown
        places = self._places(code, self._iteration)
        return tuple(code.emit(f"load {register(self.dtype)}, ptr {place}") for place in places)

    def _places(self, code: Code, iteration: Index) -> list[str]:
        type = register(self.dtype)
        return [code.emit(f"getelementptr inbounds {type}, ptr {t}, i64 {iteration}") for t in self._tables]

    @contextmanager
    def during(self, iteration: Index) -> Iterator[None]:
        """Code of one iteration."""
        self._iteration = iteration
        try:
            yield
        finally:
            self._iteration = None


@dataclass
class Numbers:
    """The numbers of a loop's body that vary with its iterations, apart from what is done to arrays.

    Attributes
    ----------
    body : Graph
        What is done to arrays; the numbers that it needs are further parameters. Carried numbers are left as they are.
    graph : Graph
        The numbers, of the body's parameters: first those that the arrays need, then what carried ones become.
    varying : list of Varying
        The further parameters.
    """

    body: Graph
    graph: Graph
    varying: list[Varying]

    @staticmethod
    def find(body: Graph, constants: set[Value], carried: dict[int, Value]) -> Numbers | None:
        """The numbers of a body, where no array decides them.

        Parameters
        ----------
        body : Graph
            Its first parameter is the index.
        constants : set of Value
            Parameters that are the same in all iterations.
        carried : dict of int to Value
            The parameters that are carried numbers which change, by the results that they become.
        """
        fixed, varying = set(constants), {body.params[0], *carried.values()}
        apart: set[Node] = set()
        for node in body.nodes:
            if all(v in fixed for v in node.operands):
                fixed.update(node.values)
            elif not any(t.shape for t in node.types) and all(
                v in varying or v in constants or (v in fixed and not v.type.shape) for v in node.operands
            ):
                varying.update(node.values)
                apart.add(node)
        if any(body.results[k] not in varying | fixed for k in carried):
            return None
        rest = [node for node in body.nodes if node not in apart]
        needed = list(dict.fromkeys(v for node in rest for v in node.operands if v in varying))
        graph = Graph(body.params, [*needed, *(body.results[k] for k in carried)])
        more = [param(len(body.params) + k, v.type) for k, v in enumerate(needed)]
        new = {**{p: p for p in body.params}, **dict(zip(needed, more, strict=True))}
        nodes = []
        for node in rest:
            nodes.append(make(node.op, tuple(new[v] for v in node.operands), node.attrs))
            new.update(zip(node.values, nodes[-1].values, strict=True))
        results = [carried.get(k) or new[v] for k, v in enumerate(body.results)]
        alone = Graph((*body.params, *more), results, (), nodes)
        return Numbers(alone, graph, [Varying(v.type.dtype) for v in needed])
