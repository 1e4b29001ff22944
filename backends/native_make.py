"""From a graph to the text of a native program, and what is known of it: `native` makes it run."""

from __future__ import annotations

from collections.abc import Sequence

from lazyarr.backends import native_linked, native_little, native_outlined, native_threads
from lazyarr.backends.native_control import own
from lazyarr.backends.native_emit import Code
from lazyarr.backends.native_frame import Frame, Lowering, spill, unspill
from lazyarr.backends.native_module import Module
from lazyarr.backends.native_program import HOST, Failure, Form, Memory, Place, Program, Symbol
from lazyarr.backends.native_storage import Buffer, Scalar, Storage, Strided, copy_bytes
from lazyarr.ir import extents
from lazyarr.ir.graph import Check, Graph
from lazyarr.ir.node import Node


def make(graph: Graph, donate: Sequence[int] = ()) -> tuple[Program, str]:
    """A graph as a program, and its LLVM IR: a function ``run``.

    The function takes a table of addresses (parameters, then buffers), and a table for results. Parameters in `donate`
    are written where that saves a copy (`lazyarr.backends.base`).
    """
    surrendered = {-1 - k for k in donate if k < 0}
    donated = tuple(k for k in (k if k >= 0 else -1 - k for k in donate) if graph.params[k].type.shape)
    lowering, places, slots = _whole(graph, donated)
    while not all(allowed := [_may_write(lowering, graph, k, k in surrendered) for k in donated]):
        donated = tuple(k for k, ok in zip(donated, allowed, strict=True) if ok)
        lowering, places, slots = _whole(graph, donated)
    code, module = lowering.code, lowering.code.module
    native_outlined.outline(code)
    arguments = [f"ptr noalias %p{b.number}" for b in lowering.buffers]
    module.functions.append(
        f"define internal i32 @main({', '.join([*arguments, 'ptr %out', 'ptr %host'])}) noinline "
        f"{{\n{code.body()}\n}}"
    )
    for buffer in lowering.buffers[len(graph.params) :]:
        if buffer.part is not None:
            name = f"stride{buffer.number}"
            module.declare(name, f"@{name} = internal constant i64 {buffer.stride}")
    if lowering.calls:
        module.declare(HOST, f"@{HOST} = external global i8")
    module.functions.append(_entry(len(lowering.buffers), f"@{HOST}" if lowering.calls else "null"))
    program = Program(
        params=tuple(Form.of(p.type) for p in graph.params),
        roots=tuple(Form.of(r.type) for r in graph.roots),
        donated=donated,
        memory=tuple(Memory(b.number, b.capacity, b.size, tuple(p.number for p in b.peers)) for b in lowering.buffers),
        places=places,
        slots=slots,
        threads=native_threads.threads() if code.forks else 1,
        failures=tuple(_failure(check, graph) for check in lowering.checks),
        calls=tuple(lowering.calls),
        symbols=tuple(Symbol(name, native_linked.extension(name)) for name in _called(module)),
    )
    return program, str(module)


def ways(graph: Graph) -> dict[Node, str]:
    """How the loops of a graph are done, its regions included, where it is not one iteration after another.

    Returns
    -------
    dict of Node to str
        ``"points"``: each point of the arrays goes through all iterations; ``"blocks"``: each block of elements does;
        ``"passes"``: several iterations are one pass over memory; ``"shared"``: threads share the iterations.
    """
    return _lowered(graph)[0].lowering.ways


def called(graph: Graph) -> tuple[str, ...]:
    """The operations of a graph, those in its loops included, for which native code calls NumPy."""
    return tuple(sorted({call.operation for call in _lowered(graph)[0].lowering.calls}))


def _whole(graph: Graph, donated: Sequence[int]) -> tuple[Lowering, tuple[Place, ...], int]:
    """The graph as code that leaves its results in a table; says where, and how many words that takes."""
    frame, roots = _lowered(graph, donated)
    little = native_little.on_stack(frame.code.allocas, frame.lowering.buffers[len(graph.params) :])
    places, slots = _give(frame, roots, little)
    frame.leave()
    frame.code.do("ret i32 0")
    return frame.lowering, places, slots


def _lowered(graph: Graph, donated: Sequence[int] = ()) -> tuple[Frame, list[Storage]]:
    """A graph as code, and where its roots are."""
    code = Code(Module())
    lowering = Lowering(code, graph)
    lowering.in_place = bool(donated)
    bound: list[Storage] = []
    for k, p in enumerate(graph.params):
        buffer = lowering.buffer(k in donated, Form.of(p.type).bytes if k in donated else 0)
        if p.type.shape:
            shape = tuple(map(int, extents.bounded(p.type.shape)))
            bound.append(Strided.whole(code, p.type.dtype, buffer, shape, shape))
        else:
            bound.append(Scalar(p.type.dtype, unspill(code, f"%p{buffer.number}", p.type.dtype)))
    frame = Frame(lowering, graph, bound, outermost=True)
    return frame, frame.run()


def _give(frame: Frame, roots: Sequence[Storage], little: set[Buffer]) -> tuple[tuple[Place, ...], int]:
    """Code that writes where the results are; gives the number of words. The `little` leave the stack."""
    code, at = frame.code, 0
    places: list[Place] = []
    arrays = iter(own(frame, [r for r in roots if r.shape]))
    for root, value in zip(roots, frame.graph.roots, strict=True):
        place = code.emit(f"getelementptr inbounds i64, ptr %out, i64 {at}")
        array = next(arrays) if value.type.shape else None
        places.append(Place(at, array.buffer.number if array else -1))
        if array is None:
            spill(code, place, value.type.dtype, root.element(code, (), {}))
            at += 2
            continue
        pointer = code.emit(f"load ptr, ptr {array.buffer.variable}")
        if array.buffer in little:
            copy_bytes(code, f"%p{array.buffer.number}", pointer, array.buffer.capacity)
            pointer = f"%p{array.buffer.number}"
        code.do(f"store ptr {pointer}, ptr {place}")
        for k, n in enumerate(array.shape):
            place = code.emit(f"getelementptr inbounds i64, ptr %out, i64 {at + 1 + k}")
            code.do(f"store i64 {n}, ptr {place}")
        at += 1 + len(array.shape)
    return tuple(places), at


def _failure(check: Check, graph: Graph) -> Failure:
    """What it means that a check of the program fails: one of the graph's own is a result like another."""
    # (Two may require the same: whichever of them a reader looks at says so.)
    conditions = tuple(c.ok != check.ok for c in graph.checks) if check in graph.checks else None
    return Failure(check.exception, check.message, conditions)


def _called(module: Module) -> list[str]:
    """Names of functions outside the module and LLVM."""
    texts = module.declarations.items()
    return [name for name, text in texts if text.startswith("declare ") and " @llvm." not in text]


def _may_write(lowering: Lowering, graph: Graph, k: int, surrendered: bool) -> bool:
    """Whether parameter `k` may be written as the lowering does: within its memory, where nothing fails any more.

    (Of what is surrendered nobody looks at the data after a failure.)
    """
    buffer = lowering.buffers[k]
    return buffer.capacity == Form.of(graph.params[k].type).bytes and (surrendered or lowering.untouched(buffer))


def _entry(count: int, host: str) -> str:
    """The function that is called: it takes the addresses out of a table."""
    lines = ["define i32 @run(ptr %table, ptr %out) {", "entry:"]
    for k in range(count):
        lines.append(f"  %a{k} = getelementptr inbounds ptr, ptr %table, i64 {k}")
        lines.append(f"  %p{k} = load ptr, ptr %a{k}")
    given = ", ".join([*(f"ptr %p{k}" for k in range(count)), "ptr %out", f"ptr {host}"])
    return "\n".join([*lines, f"  %outcome = call i32 @main({given})", "  ret i32 %outcome", "}"])
