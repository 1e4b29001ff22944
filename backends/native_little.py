"""Little arrays live on the stack: LLVM unrolls their loops, and keeps their elements in registers.

Memory that comes from outside is written in each iteration of a loop, and read in the next: that takes longer than the
arithmetic of a state of three numbers. So little arrays are copied, too, where larger ones exchange their addresses.
"""

from __future__ import annotations

from collections.abc import Sequence

from lazyarr.backends.native_emit import Code
from lazyarr.backends.native_storage import Buffer, copy_bytes

#: Bytes of a little array, at most: what fits four of the longest vectors.
_LITTLE = 256


def little(buffer: Buffer) -> bool:
    """Whether an array is so small that a copy costs no more than an address."""
    return 0 < buffer.capacity <= _LITTLE


def own(buffer: Buffer) -> bool:
    """Whether nobody else gets to know where a little array is."""
    return little(buffer) and buffer.owned and len(buffer.peers) == 1


def local(buffer: Buffer) -> list[str]:
    """Memory on the stack, as the address of a buffer."""
    name = f"%local{buffer.number}"
    return [
        f"  {name} = alloca [{buffer.capacity} x i8], align 64",
        f"  store ptr {name}, ptr {buffer.variable}",
    ]


def copies(code: Code, moves: dict[Buffer, Buffer]) -> None:
    """Give each buffer what another one holds, all at once."""
    sizes = {target: min(target.capacity, source.capacity) for target, source in moves.items()}
    between: dict[Buffer, str] = {}
    for target, source in moves.items():
        # (In between only where the source gets something new itself.)
        between[target] = code.emit(f"load ptr, ptr {source.variable}")
        if source in moves:
            kept = code.alloca("i8", sizes[target])
            copy_bytes(code, kept, between[target], sizes[target])
            between[target] = kept
    for target in moves:
        copy_bytes(code, code.emit(f"load ptr, ptr {target.variable}"), between[target], sizes[target])


def on_stack(allocas: list[str], buffers: Sequence[Buffer]) -> set[Buffer]:
    """Put the little ones of a function's buffers on its stack; gives them."""
    found = set()
    for buffer in buffers:
        # (A function that was made for a part of the program has its address from a table.)
        line = f"  store ptr %p{buffer.number}, ptr {buffer.variable}"
        if own(buffer) and buffer.part is None and line in allocas:
            at = allocas.index(line)
            allocas[at : at + 1] = local(buffer)
            found.add(buffer)
    return found
