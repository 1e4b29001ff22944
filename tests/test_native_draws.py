"""Random numbers in native code: NumPy's bits, and the states that NumPy leaves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr.backends import native, native_ziggurat
from lazyarr.backends.native import Executable
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import make
from lazyarr.ir.op import OPS
from lazyarr.ir.types import of
from lazyarr.ops.draws import GENERATORS, distributions
from lazyarr.streams import SIZES, kind_of, put_words, seeded, some_words, stream_of, words_of

INTEGERS = (
    (0, 1), (0, 10), (-3, 40), (0, 2**32 - 1), (0, 2**32), (0, 2**32 + 1), (5, 3 * 2**30), (0, 2**62 + 12345),
    (-(2**63), 2**63 - 1),
)  # fmt: skip
PARAMETERS: dict[str, tuple[tuple[Any, ...], ...]] = {
    "integers": tuple((np.int64(low), np.int64(high)) for low, high in INTEGERS),
    "below": tuple((np.int64(n),) for n in (1, 2, 7, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**62 + 5, 2**63 - 1)),
    "poisson": tuple((np.float64(mean),) for mean in (0.0, 0.3, 9.9, 10.0, 1e3)),
    "binomial": tuple((np.int64(n), np.float64(p)) for n, p in ((0, 0.5), (9, 0.0), (9, 0.2), (500, 0.7), (9, 1.0))),
    "standard_gamma": tuple((np.float64(shape),) for shape in (0.0, 0.3, 1.0, 4.5)),
    **{
        name: tuple(tuple(np.float64(x * k) for x in example) for k in (1.0, 0.8, 1.25))
        for name, (_, example) in GENERATORS.items()
    },
}


def program(stream: str, distribution: str, shape: tuple[int, ...], operands: tuple[Any, ...]) -> tuple[Graph, Any]:
    params = [param(k, of(x)) for k, x in enumerate(operands)]
    attrs = {"stream": stream, "distribution": distribution, "shape": shape}
    graph = Graph(params, list(make(OPS["draw"], tuple(params), tuple(sorted(attrs.items()))).values))
    return graph, native.compile(graph)


@pytest.mark.parametrize(
    ("stream", "distribution"), [(stream, name) for stream in SIZES for name in distributions(stream)]
)
def test_bits_and_states(stream: str, distribution: str) -> None:
    for parameters in PARAMETERS.get(distribution, ((),)):
        for shape in ((700,),) if distribution == "permutation" else ((), (700,), (3, 5)):
            words: Any = some_words(stream).copy()
            graph, executable = program(stream, distribution, shape, (words, *parameters))
            for _ in range(4):
                expected, got = interpret(graph, [words, *parameters]), executable([words, *parameters])
                for x, y in zip(expected, got, strict=True):
                    assert np.asarray(x).dtype == np.asarray(y).dtype
                    assert np.asarray(x).tobytes() == np.asarray(y).tobytes(), (distribution, parameters, shape)
                words = np.asarray(got[1])


@pytest.mark.parametrize("stream", ["mt19937", "pcg64"])
@pytest.mark.parametrize("distribution", ["random", "standard_normal", "standard_exponential"])
def test_many_numbers(stream: str, distribution: str) -> None:
    words = some_words(stream)
    graph, executable = program(stream, distribution, (300_000,), (words,))
    for x, y in zip(interpret(graph, [words]), executable([words]), strict=True):
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def test_tables_of_the_ziggurats() -> None:
    for distribution in native_ziggurat.FORMS:
        found = native_ziggurat.tables(distribution)
        assert found is not None and len(found.limits) == len(found.widths) == 256
    normal = native_ziggurat.tables("standard_normal")
    assert normal is not None
    # (The last layer ends where the tail begins, at 3.654...)
    assert abs(normal.widths[255] * 2.0**52 - 3.6541528853610088) < 1e-12 and normal.limits[1] == 0


@pytest.mark.parametrize("stream", SIZES)
def test_what_is_native_code(stream: str) -> None:
    for distribution in distributions(stream):
        if distribution in ("permutation", "standard_gamma"):
            continue
        operands = some_words(stream), *PARAMETERS.get(distribution, ((),))[0]
        _, executable = program(stream, distribution, (), operands)
        assert isinstance(executable, Executable) and not executable.program.calls, distribution


@pytest.mark.parametrize("stream", ["mt19937", "pcg64"])
def test_words_are_the_state(stream: str) -> None:
    made = seeded(stream, 5)
    made.standard_normal()
    made.choice(7)
    words = words_of(made)
    assert kind_of(made) == stream and words.shape == (SIZES[stream],) and words.dtype == np.uint64
    again = stream_of(stream, words)
    assert (words_of(again) == words).all()
    expected = made.standard_normal(5), made.choice(9, 5), made.standard_normal()
    for x, y in zip(expected, (again.standard_normal(5), again.choice(9, 5), again.standard_normal()), strict=True):
        assert np.array_equal(x, y)
    put_words(made, words)
    assert np.array_equal(made.standard_normal(5), expected[0])


def test_other_objects_are_no_streams_of_words() -> None:
    class Own(np.random.RandomState):
        pass

    for other in (None, 3, np.random.Generator(np.random.Philox(3)), Own(3), np.random.Generator(np.random.MT19937(3))):
        assert kind_of(other) is None
