"""Functions asked for dtypes that are not compiled: what they give is NumPy's, dtype included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

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
""".strip().splitlines()


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("call", CALLS)
def test_as_numpy(call: str, eager_below: int) -> None:
    code = compile(call, "call", "eval")

    def program(np: Any, x: Any, m: Any) -> Any:
        import datetime

        found = eval(code, {"np": np, "x": x, "m": m, "datetime": datetime})
        found = found if isinstance(found, (list, tuple)) else [found]
        return [(str(np.asarray(f).dtype), np.shape(f), np.asarray(f).tolist()) for f in found]

    with settings(eager_below=eager_below):
        agree(program, np.arange(5.0), np.arange(24.0).reshape(4, 6))
