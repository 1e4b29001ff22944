"""XLA: loops, branches and Python's integers, without a step on the host.

A check in a region cannot raise while the program runs. Its number goes from the region to what runs it, and so out of
the program, where a number other than 0 is the check that failed first; loops end where one has failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

#: The number of a check that did not hold, 0 if all did. None: there is nothing that can fail.
Failed = Any


class Checked(NamedTuple):
    """What a region, or an operation that runs some, gives."""

    results: tuple[Any, ...]
    failed: Failed


class Region(Protocol):
    """A graph among the attributes of an operation, as its XLA lowering meets it."""

    #: Whether something in it can fail.
    checked: bool
    #: Arithmetic operations and bytes of one run, or infinity if it holds loops.
    work: float

    def __call__(self, *arrays: Any) -> Checked:
        """Run it."""
        ...


def first_failed(jax: Any, *failed: Failed) -> Failed:
    """The first of several numbers that is not 0."""
    found: Failed = None
    for number in failed:
        if number is not None:
            found = number if found is None else jax.numpy.where(found == 0, number, found)
    return found


def _number(failed: Failed) -> Any:
    """A number to carry."""
    return np.int32(0) if failed is None else failed


def _known(jax: Any, x: Any) -> int | None:
    """A scalar as an int if it is a constant of the program."""
    return None if isinstance(x, jax.core.Tracer) else int(x)


def trips(jax: Any, start: Any, stop: Any, step: Any) -> Any:
    """How many elements ``range(start, stop, step)`` has, an int64; exact wherever the bounds are."""
    known = [_known(jax, x) for x in (start, stop, step)]
    if None not in known and known[2] != 0:
        return np.int64(len(range(*known)))  # type: ignore[arg-type]
    lax, jnp = jax.lax, jax.numpy

    def unsigned(x: Any) -> Any:
        return lax.bitcast_convert_type(jnp.asarray(x), np.uint64)

    up = step > 0
    span = unsigned(jnp.where(up, stop - start, start - stop))
    size = unsigned(jnp.where(up, step, -step))
    # (A step of 0 is a check that has failed.)
    number = lax.div(span - np.uint64(1), jnp.maximum(size, np.uint64(1))) + np.uint64(1)
    number = jnp.where(jnp.where(up, start < stop, start > stop), number, np.uint64(0))
    return jnp.minimum(number, np.uint64(2**63 - 1)).astype(np.int64)


def loop(
    jax: Any, start: Any, stop: Any, step: Any, *rest: Any, body: Region, carried: int, until: int,
    shared: tuple[str, ...] = (),
) -> Checked:
    """``for index in range(start, stop, step)``."""
    state, consts = rest[:carried], rest[carried:]
    number = trips(jax, start, stop, step)

    def goes_on(carry: Any) -> Any:
        at, failed, state = carry
        found = at < number
        if until >= 0:
            found &= ~state[until]
        return found & (failed == 0) if body.checked else found

    def iterate(carry: Any) -> Any:
        at, _, state = carry
        after = body(start + at * step, *state, *consts)
        return at + 1, _number(after.failed), after.results

    _, failed, state = jax.lax.while_loop(goes_on, iterate, (np.int64(0), np.int32(0), state))
    return Checked(state, failed if body.checked else None)


def while_loop(jax: Any, *rest: Any, cond: Region, body: Region, carried: int) -> Checked:
    """``while cond(...)``."""
    consts = rest[carried:]
    checked = cond.checked or body.checked

    def asked(failed: Any, state: Any) -> tuple[Any, Any]:
        """Whether there is another iteration, and what has failed."""
        found = cond(*state, *consts)
        failed = first_failed(jax, failed, found.failed)
        return (found.results[0] & (failed == 0) if checked else found.results[0]), failed

    def iterate(failed: Any, state: Any) -> tuple[Any, Any]:
        after = body(*state, *consts)
        return first_failed(jax, failed, after.failed), after.results

    state, none = rest[:carried], np.int32(0)
    if not cond.checked:
        failed, state = jax.lax.while_loop(lambda carry: asked(*carry)[0], lambda carry: iterate(*carry), (none, state))
        return Checked(state, failed if checked else None)

    # XLA's conditions give nothing but the answer: what fails in one is found at the end of the iteration before.
    def next_one(carry: Any) -> Any:
        _, failed, state = carry
        failed, state = iterate(failed, state)
        return *asked(failed, state), state

    _, failed, state = jax.lax.while_loop(lambda carry: carry[0], next_one, (*asked(none, state), state))
    return Checked(state, failed)


#: Branches of at most so much work (`Region.work`) are both computed, and one is chosen: a conditional ends what XLA
#: fuses, and on a GPU the host waits for the condition.
_LITTLE = 200.0


def branch(jax: Any, pred: Any, *rest: Any, then: Region, orelse: Region) -> Checked:
    """``if pred: ... else: ...``."""
    checked = then.checked or orelse.checked
    if then.work + orelse.work <= _LITTLE:
        first, second = then(*rest), orelse(*rest)
        results = tuple(jax.lax.select(pred, a, b) for a, b in zip(first.results, second.results, strict=True))
        failed = jax.numpy.where(pred, _number(first.failed), _number(second.failed)) if checked else None
        return Checked(results, failed)

    def run(region: Region) -> Callable[..., Any]:
        def chosen(*rest: Any) -> Any:
            found = region(*rest)
            return found.results, _number(found.failed)

        return chosen

    results, failed = jax.lax.cond(pred, run(then), run(orelse), *rest)
    return Checked(results, failed if checked else None)


# --- Python's integers -----------------------------------------------------------------------------------


def exact(jax: Any, a: Any, b: Any, *, kind: str) -> Sequence[Any]:
    """Integer arithmetic in 64 bits, and whether the result fits."""
    jnp = jax.numpy
    a, b = jnp.asarray(a), jnp.asarray(b)
    if kind == "add":
        found = a + b
        return found, ((a ^ found) & (b ^ found)) >= 0
    if kind == "subtract":
        found = a - b
        return found, ((a ^ b) & (a ^ found)) >= 0
    if kind == "multiply":
        return _product(jax, a, b)
    found, fits = _shifted(jax, a, b) if kind == "left_shift" else _power(jax, a, b)
    return jnp.where(fits, found, np.int64(0)), fits


def _product(jax: Any, a: Any, b: Any) -> tuple[Any, Any]:
    found = a * b
    divisor = jax.numpy.where((a == 0) | (a == -1), np.int64(1), a)
    whole = jax.lax.div(found, divisor) == b
    # By -1 all but the least number fits.
    return found, (a == 0) | jax.numpy.where(a == -1, b != np.int64(-(2**63)), whole)


def _shifted(jax: Any, a: Any, b: Any) -> tuple[Any, Any]:
    by = jax.numpy.clip(b, 0, 63)
    found = jax.lax.shift_left(a, by)
    fits = (b < 64) & (jax.lax.shift_right_arithmetic(found, by) == a)
    return found, (b >= 0) & ((a == 0) | fits)


def _power(jax: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """By squaring; a square that does not fit is in order as long as no product takes it."""
    jnp = jax.numpy
    small = (a >= -1) & (a <= 1)
    # Of 0, 1 and -1 only the parity counts.
    exponent = jnp.where(small & (b > 1), 2 - (b & 1), b)
    found, fits = jnp.ones_like(a), (exponent >= 0) & (exponent < 64)
    base, base_fits = a, jnp.ones_like(fits)
    for bit in range(6):
        taken = (exponent >> bit) & 1 == 1
        product, product_fits = _product(jax, found, base)
        found = jnp.where(taken, product, found)
        fits &= ~taken | (base_fits & product_fits)
        base, square_fits = _product(jax, base, base)
        base_fits &= square_fits
    return found, fits
