"""numpy.fft over lazy arrays: values, dtypes, shapes, layouts and errors are NumPy's."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr.numpy
from lazyarr import accelerate
from lazyarr import settings as lazy_settings
from tests.calls import compare
from tests.random_compare import public_class
from tests.test_functions import close, differences, outcome

DTYPES = "?bBhHiIqQefdFD"
ONE_AXIS = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
SEVERAL = ("fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2")


def inputs() -> dict[str, Any]:
    """`x` real and `z` complex with three axes; `v` and `odd` one axis; `four` axes; `none` empty."""
    rng = numpy.random.default_rng(3)
    x = rng.standard_normal((4, 6, 5))
    return {
        "x": x, "z": x + 1j * rng.standard_normal(x.shape), "v": rng.standard_normal(8), "odd": rng.standard_normal(7),
        "prime": rng.standard_normal(101), "four": rng.standard_normal((2, 3, 2, 4)), "none": numpy.zeros((0, 4)),
        "d": numpy.float64(0.25),
    }  # fmt: skip


LINES = """
fft(v)
fft(odd)
fft(prime)
fftn(x, (3, None), axes=(0, 1))
ifftn(z, (None, 2), axes=(1, 2))
rfftn(x, (None, None), axes=(0, 2))
irfftn(z, (4, None), axes=(2, 1))
rfft2(x, (None, 4))
irfft2(z, (3, None))
fft(z)
fft(z, axis=0)
fft(z, 3, 1)
fft(z, n=9, axis=1, norm="ortho")
fft(z, norm="forward")
fft(z, norm="backward")
fft(z, norm=None)
fft(z.T)
fft(z.transpose(1, 0, 2), axis=0)
fft(z[::-1, ::2])
fft([1, 2, 3, 4])
fft(none)
fft(none, axis=0)
fft(none, n=3, axis=0)
fft(d)
fft(z, 0)
fft(z, -1)
fft(z, 2.5)
fft(z, axis=3)
fft(z, 4, axis=3)
fft(z, norm="bad")
fft(z, norm=3)
fft(z, out=np.zeros(z.shape, complex))
fft(z, out=np.zeros(z.shape, "c8"))
fft(z, out=np.zeros(z.shape))
fft(z, out=np.zeros((4, 6, 6), complex))
ifft(z)
ifft(z, 4, 0, "ortho")
ifft(z, norm="forward")
ifft(z, norm="bad")
ifft(v)
rfft(v)
rfft(odd)
rfft(x, axis=1)
rfft(x, 7, 0, "ortho")
rfft(x, norm="forward")
rfft(z)
rfft(x, 1)
irfft(z)
irfft(z, 7)
irfft(z, 8, 0)
irfft(z, 4, norm="ortho")
irfft(z, norm="forward")
irfft(v)
irfft(z, 1)
irfft(z[:, :, :1])
hfft(z)
hfft(z, 7, 1)
hfft(z, norm="ortho")
hfft(z, norm="bad")
ihfft(v)
ihfft(x, 7, 1)
ihfft(x, norm="forward")
fftn(z)
fftn(z, (3, 9), (0, 2))
fftn(z, (3, -1), (1, 2))
fftn(z, axes=(2, 0, 1), norm="ortho")
fftn(z, axes=(0, 0))
fftn(z, axes=())
fftn(z, (3, 3, 3), (0, 1))
fftn(z, (0, 4), (0, 1))
fftn(z, axes=(0, 7))
fftn(z, s=(2, 3))
fftn(four)
fftn(four, axes=(3, 1, 0, 2))
fftn(none, axes=(1,))
fftn(none)
fftn(z.T)
fftn(z, norm="forward")
fftn(z, out=np.zeros(z.shape, complex))
ifftn(z)
ifftn(four, norm="ortho")
ifftn(z, (2, 8), (1, 0))
rfftn(x)
rfftn(four)
rfftn(x, (3, 9), (0, 2), "ortho")
rfftn(x, axes=())
rfftn(x, axes=(1, 0), norm="forward")
rfftn(z)
irfftn(z)
irfftn(four)
irfftn(z, (3, 9), (0, 2))
irfftn(z, axes=(1,), norm="ortho")
irfftn(z, norm="forward")
fft2(z)
fft2(x, (3, 3))
fft2(v)
ifft2(z, axes=(0, 1))
rfft2(x)
rfft2(x, axes=(1, 0))
irfft2(z)
irfft2(z, s=(3, 5))
fftfreq(8)
fftfreq(7, 0.5)
fftfreq(8, d)
fftfreq(2.5)
fftfreq(0)
rfftfreq(8)
rfftfreq(7, d)
fftshift(z)
fftshift(z, 0)
fftshift(z, (0, 1))
fftshift(z, 5)
ifftshift(x)
ifftshift(odd)
""".strip().splitlines()


@pytest.mark.parametrize("line", LINES)
def test_interpreted(line: str) -> None:
    with lazy_settings.settings(compile_after=1000):
        assert compare(f"np.fft.{line}", inputs()) == []


@pytest.mark.filterwarnings("ignore:`axes` should not be `None`:DeprecationWarning")
def test_accelerated() -> None:
    """All lines that give arrays as one program, compiled by XLA."""
    known = inputs()
    wanted = {line: outcome(f"np.fft.{line}", {"np": numpy, **known}) for line in LINES}
    lines = [line for line in LINES if wanted[line][1] is None]

    def program(arrays: dict[str, Any]) -> list[Any]:
        return [eval(f"np.fft.{line}", {"np": numpy, **arrays}) for line in lines]

    accelerated: Any = accelerate(program)  # type: ignore[operator, unused-ignore]
    for line, got in zip(lines, accelerated(known)):
        want = wanted[line][0]
        assert (want.shape, want.dtype) == (got.shape, got.dtype), line
        assert close(want, got), f"{line}: {want} != {got}"


@pytest.mark.parametrize("name", [*ONE_AXIS, *SEVERAL])
def test_dtypes(name: str) -> None:
    x = inputs()["z"]
    for char in DTYPES:
        value = x if char in "FD" else x.real * 3
        array = (abs(value) if char in "BHIQ" else value).astype(char)
        # NumPy rounds the factor of an inverse transform of float16 to float16: that is left to NumPy.
        mode = "allow" if char == "e" else "error"
        with lazy_settings.settings(fallback=mode, compile_after=1000):
            want, raised = outcome(f"np.fft.{name}(y)", {"np": numpy, "y": array})
            got, error = outcome(f"np.fft.{name}(y)", {"np": lazyarr.numpy, "y": lazyarr.numpy.array(array)})
            if raised is not None:
                assert isinstance(error, public_class(raised)), char
            else:
                assert error is None, char
                assert differences(want, got) == [], char


def test_every_public_name_is_called() -> None:
    assert [name for name in numpy.fft.__all__ if not any(line.startswith(f"{name}(") for line in LINES)] == []
    assert set(numpy.fft.__all__) <= set(dir(lazyarr.numpy.fft))


def test_out_is_written() -> None:
    z = inputs()["z"]
    out = lazyarr.numpy.ones((4, 6, 5), "c8")
    fft: Any = lazyarr.numpy.fft
    found = fft.fftn(lazyarr.numpy.array(z), out=out)
    want = numpy.ones((4, 6, 5), "c8")
    numpy.fft.fftn(z.astype("c8"), out=want)
    assert found is out
    assert close(want, out)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_several_axes(data: st.DataObject) -> None:
    """Any axes, lengths and norms."""
    shape = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    axes = data.draw(st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=4))
    lengths = data.draw(st.none() | st.lists(st.integers(-1, 6), min_size=len(axes), max_size=len(axes)))
    norm = data.draw(st.sampled_from([None, "ortho", "forward", "backward"]))
    name = data.draw(st.sampled_from(["fftn", "ifftn", "rfftn", "irfftn"]))
    rng = numpy.random.default_rng(len(shape))
    x = rng.standard_normal(shape)
    call = f"{name}(y, {lengths}, {axes}, {norm!r})"
    if name in ("rfftn", "irfftn") and len({axis % len(shape) for axis in axes}) < len(axes):
        return  # the same axis more than once, of a real transform: left to NumPy
    with lazy_settings.settings(compile_after=1000):
        assert compare(f"np.fft.{call}", {"y": x if name == "rfftn" else x + 1j * rng.standard_normal(shape)}) == []


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize(
    ("shape", "axes", "lengths"),
    [
        ((20000,), (0,), None), ((16385,), (0,), None), ((130, 131), (0, 1), None), ((131, 130), (1, 0), None),
        ((129, 2, 128), (0, 2), None), ((128, 2, 129), (2, 1, 0), (40, 3, 200)), ((3, 8000), (0,), (1,)),
        ((2, 9000), (1,), (2,)), ((9000, 2), (0, 1), (9001, 1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("norm", ["backward", "ortho"])
def test_large_real_arrays(shape: Any, axes: Any, lengths: Any, dtype: str, norm: Any) -> None:
    x = numpy.random.default_rng(3).standard_normal(shape).astype(dtype)
    expected, public = numpy.fft.fftn(x, lengths, axes, norm), vars(lazyarr.numpy)["fft"]
    found = numpy.asarray(public.fftn(lazyarr.numpy.asarray(x), lengths, axes, norm))
    assert found.dtype == expected.dtype and found.shape == expected.shape
    error = numpy.abs(found - expected).max() / numpy.abs(expected).max()
    assert error < 8 * numpy.finfo(dtype).eps
