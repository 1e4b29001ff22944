"""Functions asked for dtypes that are not compiled: what they give is NumPy's, dtype included."""

from __future__ import annotations

import datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.settings import settings
from tests.agree import agree

pytestmark = pytest.mark.filterwarnings("ignore")

CALLS = """
np.arange(np.timedelta64(0, 'ns'), np.timedelta64(10, 'ns'), np.timedelta64(3, 'ns'))
np.arange(np.timedelta64(0, 'ns'), np.timedelta64(4, 'ns'))
np.arange(np.timedelta64(5, 'D'))
np.arange(np.datetime64('2020-01-01'), np.datetime64('2020-01-05'), np.timedelta64(1, 'D'))
np.arange(np.datetime64('2020-01-01'), 3)
np.arange(datetime.timedelta(0), datetime.timedelta(3))
np.arange('2020-01', '2020-05', dtype='M8[M]')
np.arange(3, dtype='>f4')
np.arange(1.5, 4, dtype='>i2')
np.arange(3, dtype=np.longdouble)
np.arange(3, dtype=object)
np.array(x.astype('>i2'))
np.asarray(x.astype('>i2'))
np.array(x.astype('>f4'), dtype=float)
np.copy(m.astype('>f4').T)
np.ascontiguousarray(m.astype('>f4').T)
np.zeros_like(x.astype('>c8'))
np.full_like(x.astype('>i8'), 3)
np.ones_like(x.astype('>i8'), dtype=int)
x + x.astype('>f4')
np.add(x.astype('>f4'), x.astype('>f4'))
np.array(x.astype('>i4')[0])
np.fft.fft(x.astype('g'), n=8)
np.fft.ifft(x.astype('G'), n=2)
np.fft.irfft(x.astype('G'))
np.fft.hfft(x.astype('g'))
np.nanmean(m, dtype='g')
np.nanvar(m, axis=0, dtype='G')
np.nanstd(m, dtype='g', axis=1)
np.nansum(m, dtype='g')
np.quantile(m.astype(int), Fraction(1, 2))
np.percentile(m[0].astype(int), [Fraction(30)])
np.subtract.outer(np.array(['2020-01-01', '2020-01-05'], 'M8[D]'), np.array(['2020-01-01'], 'M8[D]'))
np.multiply.outer(x.astype('g'), x)
np.multiply.outer(x, x.astype(object))
np.astype(np.int64(10), np.float64)
np.bincount(x.astype(np.uint64))
np.bincount(x.astype(np.uint64), weights=x)
np.rec.array(x)
np.rec.array(m, dtype=[('a', 'f8'), ('b', 'f8')])
np.rec.fromarrays([x, x * 2], names='a,b').b
np.rec.fromrecords(m[:, :2], names='a,b').a
""".strip().splitlines()


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("call", CALLS)
def test_as_numpy(call: str, eager_below: int) -> None:
    code = compile(call, "call", "eval")

    def program(np: Any, x: Any, m: Any) -> Any:
        given = {"np": np, "x": x, "m": m, "datetime": datetime, "Fraction": Fraction}
        found = eval(code, given)
        found = found if isinstance(found, (list, tuple)) else [found]
        return [(str(np.asarray(f).dtype), np.shape(f), np.asarray(f).tolist()) for f in found]

    with settings(eager_below=eager_below):
        agree(program, np.arange(5.0), np.arange(24.0).reshape(4, 6))


WRITES = """
x.flat[:] = m[0, :5].astype('g')
x.flat[1:3] = np.array([3, 4], object)
x.flat[[0, 2]] = np.array(['1', '2.5'])
x[1:] = m[0, :4].astype('G').real
x[x > 2] = np.array([7, 8], object)
x.fill(np.longdouble(2))
np.copyto(x, m[1, :5].astype('g'), casting='unsafe', where=[1, 0, 1, 0, 1])
np.copyto(x, 4, where=(True, False, True, False, True))
np.copyto(x, 4, where=np.array([1, 0, 1, 0, 1]))
np.put(x, [0, 1], np.ones(2, 'g'))
""".strip().splitlines()


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("write", WRITES)
def test_written_to_an_array(write: str, eager_below: int) -> None:
    code = compile(write, "write", "exec")

    def program(np: Any, x: Any, m: Any) -> Any:
        try:
            exec(code, {"np": np, "x": x, "m": m})
        except TypeError as error:
            return type(error).__name__, x
        return "", x

    with settings(eager_below=eager_below):
        agree(program, np.arange(5.0), np.arange(24.0).reshape(4, 6))


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize("below", [250_000, 0])
@pytest.mark.parametrize("values", [[1.0, 2.0, -3.0], [1.0, 2.5], [1.0, np.nan], [300.0], []])
@pytest.mark.parametrize("dtype", ["i8", "u1", "f4", "f8", "c16"])
def test_casts_that_keep_values(values: list[float], dtype: str, below: int) -> None:
    outcomes: list[Any] = []
    for n in (np, lnp):
        with settings(eager_below=below):
            try:
                found = n.array(values).astype(dtype, casting="same_value")
                outcomes.append((found.dtype, np.asarray(found).tolist()))
            except ValueError as error:
                outcomes.append(str(error))
    assert repr(outcomes[0]) == repr(outcomes[1])
