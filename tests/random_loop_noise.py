"""How precisely the values of a program with control flow are determined, found by running it with noise.

A compiler may round otherwise than NumPy: it contracts ``a * b + c``, adds in another order, has its own ``exp``. The
program's text is changed so that every intermediate result passes through a `Shaker`, and run by NumPy: once as it is,
which records every decision (truth values, comparisons, integers), and several times with noise of a few ulps on every
number that is not on a coarse grid, its arguments included. If a decision changes, rounding decides what the program
does, and there is nothing to compare (`Unstable`); else the spread of the results is their tolerance. Numbers on the
grid are exact in any order of operations; where all are, results are compared exactly but for the sign of their zeros.
"""

from __future__ import annotations

import ast
import copy
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.random_execution import Unstable, perturbed

#: Multiples of 2**-bits below the limit: their sums are exact, and what is rounded falls between them.
_GRID = {"float16": (2, 2.0**6), "float32": (6, 2.0**10), "float64": (16, 2.0**24)}
_PART = {"complex64": "float32", "complex128": "float64"}
#: Values that pass through a shaker in one run; a program that takes more is too long.
MOST_VALUES = 30_000
_LARGEST_INT = 2**100
#: Calls whose result is a view, an iterator, or has passed through a shaker already.
_NOT_SHAKEN = {"range", "enumerate", "zip", "reversed", "len", "reshape", "divmod"}


class Shaker:
    """Adds noise to inexact values, and records the decisions of a run.

    Parameters
    ----------
    rng : numpy.random.Generator, optional
        Of the noise; without it values stay as they are.
    """

    def __init__(self, rng: np.random.Generator | None = None) -> None:
        self.rng = rng
        self.inexact = False
        self.decisions: list[Any] = []
        self.count = 0

    def value(self, x: Any, amplitude: float = 2.0, never: float | None = None) -> Any:
        """The value with noise, `never` included: what is only ever rounded to it.

        Raises
        ------
        Unstable
            What follows from the value is not the same everywhere, or the program runs for too long.
        """
        self.count += 1
        if self.count > MOST_VALUES:
            raise Unstable("runs for too long")
        if isinstance(x, (bool, np.bool_)):
            self.decisions.append(bool(x))
            return x
        if isinstance(x, int):
            if abs(x) > _LARGEST_INT:
                raise Unstable("a huge integer")
            self.decisions.append(x)
            return x
        if isinstance(x, tuple):
            return tuple(self.value(item, amplitude) for item in x)
        if not isinstance(x, (float, complex, np.ndarray, np.generic)):
            return x
        array = np.asarray(x)
        if array.dtype.kind in "biu":
            self.decisions.append(array.tobytes())
            return x
        if array.dtype.kind == "c" and not np.isfinite(array).all():
            raise Unstable("complex and not finite")
        off = _off_grid(array)
        if never is not None:
            off = off | (np.abs(array) == never)
        if not off.any():
            return x
        self.inexact = True
        if self.rng is None:
            return x
        noisy = perturbed(array, amplitude, self.rng)
        if isinstance(x, np.ndarray):
            return np.where(off, noisy, x).astype(x.dtype)
        return noisy[()] if isinstance(x, np.generic) else noisy.item()

    def product(self, multiply: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
        """A product of matrices or vectors.

        Raises
        ------
        Unstable
            It overflows: the order of the terms decides where, and what is infinite or NaN then.
        """
        found = multiply(x, y)
        arrays = [np.asarray(a) for a in (x, y, found)]
        if all(a.dtype.kind in "fc" for a in arrays):
            *given, result = (np.isfinite(a).all() for a in arrays)
            if all(given) and not result:
                raise Unstable("a product overflows")
        return found

    def call(self, x: Any) -> Any:
        """The result of a function, which may be an approximation."""
        return self.value(x, 8.0)

    def tanh(self, x: Any) -> Any:
        """A hyperbolic tangent: 1 is rounded."""
        return self.value(x, 8.0, never=1.0)

    def source(self, target: Callable[[], Any], x: Any) -> Any:
        """What is assigned to a part of an array.

        Raises
        ------
        Unstable
            NumPy copies one axis element by element where both sides overlap, and reads what it has just written
            (docs/semantics.md, "Memory").
        """
        if isinstance(x, np.ndarray) and x.ndim == 1:
            try:
                part = target()
            except Exception:  # noqa: BLE001  what is wrong with the target, the assignment itself raises
                return x
            if isinstance(part, np.ndarray) and part.shape == x.shape and np.shares_memory(part, x):
                before, wanted = part.copy(), x.copy().astype(part.dtype)
                part[...] = x
                same = np.array_equal(part, wanted, equal_nan=part.dtype.kind in "fc")
                part[...] = before
                if not same:
                    raise Unstable("NumPy reads what it has just written")
        return x

    def truth(self, x: Any) -> Any:
        """A condition."""
        self.decisions.append(bool(x))
        return x

    def in_place(self, target: Any) -> Any:
        """What an augmented assignment left: an array is changed, a scalar returned with noise."""
        if isinstance(target, np.ndarray):
            if target.size:
                target[...] = self.value(target)
            return target
        return self.value(target)


def _off_grid(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if x.dtype.kind == "c":
        return np.asarray(_off_grid(x.real) | _off_grid(x.imag))
    bits, limit = _GRID[x.dtype.name]
    with np.errstate(all="ignore"):
        scaled = x.astype(np.float64) * 2.0**bits
        on = (scaled == np.rint(scaled)) & (np.abs(scaled) <= limit * 2.0**bits)
    return np.asarray(np.isfinite(scaled) & ~on)


class _Shaken(ast.NodeTransformer):
    """Lets every intermediate result pass through ``__shaker__``."""

    def _through(self, method: str, node: ast.expr) -> ast.expr:
        function = ast.Attribute(ast.Name("__shaker__", ast.Load()), method, ast.Load())
        return ast.copy_location(ast.Call(function, [node], []), node)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.MatMult):
            return self._through("value", self._product("operator.matmul", node, [node.left, node.right]))
        return self._through("value", node)

    def _product(self, function: str, node: ast.expr, operands: list[ast.expr]) -> ast.expr:
        multiply = ast.parse(function.replace("operator", "__operator__"), mode="eval").body
        method = ast.Attribute(ast.Name("__shaker__", ast.Load()), "product", ast.Load())
        return ast.copy_location(ast.Call(method, [multiply, *operands], []), node)

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        return self._through("value", node)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name == "dot" and len(node.args) == 2 and ast.unparse(node.func) == "np.dot":
            return self._through("call", self._product("np.dot", node, node.args))
        return node if name in _NOT_SHAKEN else self._through("tanh" if name == "tanh" else "call", node)

    def visit_Assign(self, node: ast.Assign) -> Any:
        [target] = node.targets if len(node.targets) == 1 else [None]
        calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)] if target is not None else []
        self.generic_visit(node)
        if not isinstance(target, ast.Subscript) or any(_may_act(call) for call in calls):
            return node
        part = copy.deepcopy(node.targets[0])
        part.ctx = ast.Load()  # type: ignore[attr-defined]
        nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        function = ast.Attribute(ast.Name("__shaker__", ast.Load()), "source", ast.Load())
        source = ast.Call(function, [ast.Lambda(nothing, part), node.value], [])
        node.value = ast.copy_location(source, node.value)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        node.values = [self._through("truth", value) for value in node.values]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            node.operand = self._through("truth", node.operand)
        return node

    def _tested(self, node: ast.If | ast.While | ast.IfExp) -> Any:
        self.generic_visit(node)
        node.test = self._through("truth", node.test)
        return node

    def visit_If(self, node: ast.If) -> Any:
        return self._tested(node)

    def visit_While(self, node: ast.While) -> Any:
        return self._tested(node)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        return self._tested(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        node.value = self._through("value", node.value)
        # The target is read once more, so its indices must not be of what the statement may have changed.
        inner = ast.walk(node.target.slice) if isinstance(node.target, ast.Subscript) else ()
        if any(isinstance(part, ast.Subscript | ast.Call) for part in inner):
            return node
        after = copy.deepcopy(node.target)
        after.ctx = ast.Load()
        shake = ast.Assign([copy.deepcopy(node.target)], self._through("in_place", after))
        return [node, ast.copy_location(shake, node)]


def _may_act(call: ast.Call) -> bool:
    """Whether a call may do something that it must not do twice: the program's own functions."""
    return isinstance(call.func, ast.Name) and call.func.id in ("helper", "change", "local")


def shaken(source: str, name: str, function: str) -> Callable[[Shaker], Callable[..., Any]]:
    """A function of a module's source whose intermediate results pass through a shaker."""
    tree = ast.fix_missing_locations(_Shaken().visit(ast.parse(source, name)))
    code = compile(tree, name, "exec")

    def make(shaker: Shaker) -> Callable[..., Any]:
        namespace: dict[str, Any] = {"__shaker__": shaker, "__operator__": operator, "__name__": "random_loops"}
        exec(code, namespace)
        made: Callable[..., Any] = namespace[function]
        return made

    return make


def run(function: Callable[..., Any], arguments: list[Any]) -> tuple[Any, BaseException | None]:
    """What a call returns and raises.

    Raises
    ------
    Unstable
        It converts a number to an integer type that does not hold it.
    """
    error: BaseException | None = None
    result: Any = None
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore", invalid="warn"):
        warnings.simplefilter("always")
        try:
            result = flat(function(*arguments))
        except Unstable:
            raise
        except Exception as raised:  # noqa: BLE001  compared with what another implementation raises
            error = raised
    if any("in cast" in str(warning.message) for warning in caught):
        raise Unstable("a number out of the range of an integer type")
    return result, error


def flat(result: Any) -> Any:
    """A program's results with what is in lists and dicts one after the other, each of which is compared."""
    return tuple(part for x in result for part in _parts(x)) if isinstance(result, tuple) else result


def _parts(x: Any) -> list[Any]:
    if isinstance(x, list):
        return [f"a list of {len(x)}", *(part for item in x for part in _parts(item))]
    if isinstance(x, dict):
        return [f"a dict of {list(x)}", *(part for item in x.values() for part in _parts(item))]
    return [x]
