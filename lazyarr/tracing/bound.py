"""Accelerated functions as methods, and as what others are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lazyarr.tracing.accelerated import Accelerated


class Wraps:
    """What `accelerate` gives, for those that know nothing else of it.

    Attributes
    ----------
    function : callable
        The function itself.
    """

    function: Callable[..., Any]


class BoundAccelerated:
    """An accelerated method of an object."""

    def __init__(self, accelerated: Accelerated, instance: Any):
        self.__func__ = accelerated
        self.__self__ = instance

    def __repr__(self) -> str:
        return f"<bound {self.__func__!r} of {self.__self__!r}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__func__(self.__self__, *args, **kwargs)

    def explain(self, *args: Any, **kwargs: Any) -> Any:
        """As `Accelerated.explain`, the object being the first argument."""
        return self.__func__.explain(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__func__, name)


__all__ = ["BoundAccelerated", "Wraps"]
