"""NumPy of every kind on arrays that are split: what tests/test_mpi.py compares on several ranks."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np
np.set_printoptions(precision=7)
def show(name, *xs):
    for x in xs:
        x = np.asarray(x)
        form = {"float16": "%.1g", "float32": "%.3g"}.get(x.dtype.name, "%.7g")
        some = [form % abs(v) for v in (*x.ravel()[:3].tolist(), *x.ravel()[-3:].tolist())]
        print(name, x.shape, x.dtype, form % float(abs(x.astype(complex)).sum()), *some)


rng = np.random.default_rng(5)
a = rng.random((60, 60)); a += a.T; show('aT', a)
a[::2], a[1::2] = a[1::2].copy(), a[::2].copy(); show('swap', a)
a[1:] += a[:-1]; show('overlap', a)
a[:-1] = a[1:]; show('shift', a)
b = a[::-1, ::-2]; b *= 2; show('neg', a, b)
m = a > a.mean(); a[m] = a[m][::-1]; show('mask', a)
np.add(a, 1, out=a); np.multiply(a[:30], 2, out=a[30:]); show('out', a)
v = a.reshape(30, 120); v[3:5] = 7; show('reshape', a)
v = a.ravel(); v[100:200] = -1; show('ravel', a)
i = rng.integers(0, 60, 500); np.add.at(a, i, 1.0); show('at', a)
a[[3, 3, 5]] += 1; show('fancy', a)
show('take', a[i], a[:, i[:7]], a[i, i], np.take(a, i, axis=1))
show('red', a.sum(0), a.sum(1), a.max(), a.min(0), a.mean(), a.std(axis=1), a.var(), np.median(a), a.argmax(), a.argmin(axis=0), a.prod(axis=1), (a > 2).any(0), (a > 2).all(1), np.cumsum(a), np.cumsum(a, axis=1), np.cumprod(a, 0))
show('lin', a @ a, a @ a[0], a[0] @ a, np.dot(a[0], a[1]), np.outer(a[0], a[1]), np.einsum('ij,kj->ik', a, a), np.trace(a), np.linalg.norm(a), np.linalg.solve(a + 100 * np.eye(60), a[0]), np.kron(a[:5, :5], a[:9]), np.tensordot(a, a, 1))
show('sort', np.sort(a, axis=0), np.sort(a), np.argsort(a[:, 0], kind='stable'), np.unique(np.round(a)), np.searchsorted(np.sort(a[0]), a[:, 1]), np.percentile(a, [10, 50], axis=0))
show('shape', np.concatenate([a, a], 1), np.stack([a, a]), np.tile(a, (2, 2)), np.repeat(a, 3, axis=0), np.roll(a, (3, -5), (0, 1)), np.pad(a, 3, mode='edge'), np.pad(a, ((1, 2), (3, 4))), np.flip(a), np.rot90(a), np.swapaxes(a, 0, 1), np.diff(a, axis=0), np.gradient(a)[0], np.triu(a), np.where(a > 0, a, -a), np.clip(a, 0, 1), np.diagonal(a), np.split(a, 3)[1], a[None, :, :, None], a.T[::3], np.meshgrid(a[0], a[:, 0])[0])
show('fft', np.fft.fft(a), np.fft.fft(a, axis=0), np.fft.rfft2(a), np.convolve(a.ravel(), np.ones(5)), np.interp(a[0], np.arange(60), a[1]), np.histogram(a, 20)[0], np.bincount(i, minlength=70), np.digitize(a, np.arange(5.0)))
c = (a * 100).astype(np.int64); show('int', c // 7, c % 7, c & 3, c << 2, ~c, np.bitwise_xor.reduce(c, 0), c.astype(np.uint8), np.gcd(c, 12))
f = a.astype(np.float32); show('f32', f.sum(), f @ f, f.mean(0)); h = a.astype(np.float16); show('f16', h.sum(0), h.max())
z = a + 1j * a.T; show('cplx', z.conj() @ z, abs(z), z.real, np.angle(z), z.sum()); z.imag = 0; show('imag', z)
e = np.empty((0, 2000)); show('empty', e + 1, e.sum(0), np.concatenate([e, np.ones((3, 2000))]))
one = np.ones((1, 5000)); show('one', one + one.T[:7], one.sum(), one * np.arange(3.0)[:, None])
d = np.zeros((50, 40)); 
for k in range(1, 49):
    d[k] = d[k - 1] * 0.5 + np.arange(40) * k
show('rows', d)
for k in range(1, 40):
    d[:, k] += d[:, k - 1] * 0.1
show('cols', d)
w = 0
while d.max() > 1: d *= 0.5; w += 1
print(w)
it = sum(float(r.sum()) for r in d); print(round(it, 9))
for x in np.nditer(np.arange(3)): print(int(x), end=' ')
print(len(d), d.tolist()[0][:3], d.shape, d.strides, 3 in d, d[3, 4].item(), bool((d == d).all()), d.copy(order='F').strides)
