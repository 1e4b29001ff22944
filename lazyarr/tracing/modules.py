"""Modules as traced functions see them."""

from __future__ import annotations

import random
import types
from typing import TYPE_CHECKING, Any

from lazyarr.scipy import counterpart as of_scipy
from lazyarr.tracing.foreign import is_foreign
from lazyarr.tracing.lookups import OfModule
from lazyarr.tracing.packages import STDLIB, is_users, top_level
from lazyarr.tracing.scalars import python_call
from lazyarr.tracing.standins import noting

if TYPE_CHECKING:
    from lazyarr.tracing.environment import Environment

#: Modules whose functions depend on their arguments alone.
PURE_MODULES = {
    "math", "cmath", "functools", "itertools", "operator", "typing", "dataclasses", "enum", "abc", "collections",
    "numbers", "copy", "string", "types", "contextlib", "warnings", "__future__", "scipy",
}  # fmt: skip


class TracedModule:
    """A module as a traced function sees it."""

    def __init__(self, environment: Environment, module: types.ModuleType):
        self.__dict__["_environment"] = environment
        self.__dict__["_module"] = module

    def __getattr__(self, name: str) -> Any:
        environment, module = self._environment, self._module
        if dict.__contains__(environment.globals_of(vars(module)), name):
            return environment.globals_of(vars(module))[name]
        value = getattr(module, name)
        top = top_level(module.__name__)
        if top in ("math", "cmath"):
            return environment.one(value, lambda: python_call(value)) if callable(value) else value
        if isinstance(value, types.ModuleType) and (top == "scipy" or top not in PURE_MODULES):
            return environment.replaced(value, name)
        if type(getattr(value, "__self__", None)) is random.Random:
            return environment.one(value, lambda: environment._trace.drawing.method(value))
        others = isinstance(value, type) and not is_users(value.__module__)
        if others or (top in PURE_MODULES and not is_foreign(value)):
            return of_scipy(value) or environment._scipys(value) or value
        if top in STDLIB:
            if callable(value):
                return environment.one(value, lambda: noting(environment._trace, value, f"calls {top}.{name}"))
            if not issubclass(type(value), (int, float, complex, str, bytes, tuple, type(None))):
                environment._trace.observed(f"looks at {top}.{name}")
            return value
        key = (id(vars(module)), name)
        if key not in environment._answers:
            environment._answers[key] = environment.answer(OfModule(module, name), f"{module.__name__}.{name}")
        return environment._answers[key]

    def __setattr__(self, name: str, value: Any) -> None:
        self._environment.globals_of(vars(self._module))[name] = value

    def __delattr__(self, name: str) -> None:
        environment, names = self._environment, vars(self._module)
        environment._trace.observed(f"deletes {self._module.__name__}.{name}")
        delattr(self._module, name)
        environment._answers.pop((id(names), name), None)
        dict.pop(environment.globals_of(names), name, None)
