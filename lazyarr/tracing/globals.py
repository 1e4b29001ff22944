"""The globals of traced functions: a dictionary that answers look-ups and keeps what the function stores."""

from __future__ import annotations

import builtins
import inspect
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace


class TracedGlobals(dict[str, Any]):
    """The globals of a traced function: look-ups are answered by the trace, stores stay here until it succeeds."""

    def __init__(self, trace: Trace, real: dict[str, Any]):
        # CPython looks for builtins, and for the globals of class bodies, in the raw dictionary.
        super().__init__(__builtins__={**vars(builtins), "__import__": self._import})
        self._trace = trace
        self.real = real
        self._given: dict[str, Any] = {}

    def _import(self, *args: Any, **kwargs: Any) -> Any:
        module = builtins.__import__(*args, **kwargs)
        replaced = self._trace.environment.replaced(module, module.__name__)
        return module if replaced is None else replaced

    def give_to_classes(self, code: types.CodeType) -> None:
        """Answer beforehand what the bodies of classes defined in `code` look up."""
        for part in code.co_consts:
            if isinstance(part, types.CodeType):
                if not part.co_flags & inspect.CO_OPTIMIZED:
                    # (In the body's order: what is met is compared with what other ranks meet.)
                    for name in [name for name in part.co_names if name in self.real]:
                        self._given[name] = self[name]
                        dict.__setitem__(self, name, self._given[name])
                self.give_to_classes(part)

    def __getitem__(self, name: str) -> Any:
        if dict.__contains__(self, name) and name != "__builtins__":
            return dict.__getitem__(self, name)
        if name in self.real:
            return self._trace.environment.global_value(self.real, name)
        return self._trace.environment.builtin(name)

    def written(self) -> dict[str, Any]:
        """Globals the function has set."""
        return {
            name: value
            for name, value in self.items()
            if name != "__builtins__" and not (name in self._given and self._given[name] is value)
        }


def is_traced(function: Any) -> bool:
    """Whether a function is one that a trace has made of the user's."""
    return isinstance(function, types.FunctionType) and type(function.__globals__) is TracedGlobals
