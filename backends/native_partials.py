"""Reductions of many elements to one number, shared among threads: parts, each done by one, put together in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lazyarr.backends import native_threads
from lazyarr.backends.native_emit import Code, Element, Index

#: Parts that a reduction is cut into; a power of two.
PARTS = 32
#: Nanoseconds of work from which on it is cut.
_WORTH = 30_000.0


def shared(c: Code, elements: Index, each: float) -> bool:
    """Whether a reduction of so many elements, of so many nanoseconds each, is cut into parts."""
    if not isinstance(elements, int) or c.part is not None or c.recording is not None:
        return False
    return native_threads.threads() > 1 and elements >= 64 * PARTS and elements * each >= _WORTH


def parts(c: Code, types: Sequence[str], compute: Callable[[Index], Element]) -> list[Element]:
    """What `compute` gives for each part: numbers of LLVM's `types`."""
    slots = [c.alloca(type, PARTS) for type in types]
    with c.shared(PARTS, None) as part:
        for type, slot, value in zip(types, slots, compute(part), strict=True):
            c.do(f"store {type} {value}, ptr {c.emit(f'getelementptr inbounds {type}, ptr {slot}, i64 {part}')}")

    def number(type: str, slot: str, k: int) -> str:
        return c.emit(f"load {type}, ptr {c.emit(f'getelementptr inbounds {type}, ptr {slot}, i64 {k}')}")

    return [tuple(number(type, slot, k) for type, slot in zip(types, slots, strict=True)) for k in range(PARTS)]


def constant(c: Code, numbers: Sequence[int], at: Index) -> str:
    """The number of a list that stands at a place."""
    name = f"list{len(numbers)}_{hash(tuple(numbers)) & (1 << 64) - 1:x}"
    text = ", ".join(f"i64 {n}" for n in numbers)
    c.module.declare(name, f"@{name} = internal constant [{len(numbers)} x i64] [{text}]")
    return c.emit(f"load i64, ptr {c.emit(f'getelementptr inbounds i64, ptr @{name}, i64 {at}')}")
