"""Functions that a transformation of the source gets wrong if it is careless: texts, and the arguments of their calls.

`SNIPPETS` maps a name to the text of a program with a function ``f``; the first line of the text, a comment, lists the
argument tuples. ``t(value, label)`` records that it is called and gives back the value.
"""

from __future__ import annotations

import re

_TEXT = '''
=== for over a range
# (0,), (1,), (5,)
def f(n):
    s = 0
    for i in range(n):
        s += i * i
    return s

=== the loop variable stays
# (0,), (3,)
def f(n):
    i = "before"
    for i in range(n):
        pass
    return i

=== the loop variable without an iteration has no value
# (0,), (3,)
def f(n):
    for i in range(n):
        pass
    return i

=== the loop variable may be assigned in the body
# (4,)
def f(n):
    out = []
    for i in range(n):
        out.append(i)
        i = i * 10
        out.append(i)
    return out, i

=== nested loops share names
# (3, 2), (0, 2), (2, 0)
def f(n, m):
    out = []
    for i in range(n):
        for j in range(m):
            out.append((i, j))
        for i in range(m):
            out.append(i)
    return out, i

=== bounds are evaluated once
# (3,)
def f(n):
    for i in range(t(n, "bound")):
        n = n - 1
        t(n)
    return n

=== targets are tuples
# ([(1, (2, 3)), (4, (5, 6))],)
def f(pairs):
    s = 0
    for a, (b, c) in pairs:
        s += a * b - c
    return s, a, b, c

=== a starred target
# ([(1, 2, 3), (4,)],), ([()],)
def f(rows):
    out = []
    for first, *rest in rows:
        out.append((first, rest))
    return out, rest

=== targets are elements and attributes
# ([0, 0, 0],)
def f(x):
    class_ = t
    class_.k = 0
    return x

=== an element as target
# ([0, 0, 0],), ([],)
def f(x):
    for x[1] in range(3):
        t(list(x))
    return x

=== unpacking fails in the target
# ([(1, 2), (3,)],), ([(1, 2, 3)],), ([1],)
def f(rows):
    s = 0
    for a, b in rows:
        s += a
    return s

=== not iterable
# (5,), (None,)
def f(n):
    for i in (
        n
    ):
        t(i)

=== the iterator fails halfway
# (3,)
def f(n):
    def numbers():
        return iter([1, 2, 1 // (n - 3)])
    for k in numbers():
        t(k)

=== a list that grows while it is iterated
# ([1, 2],)
def f(x):
    for k in x:
        if len(x) < 6:
            x.append(k + 10)
    return x

=== StopIteration of the body is an error like others
# (1,)
def f(n):
    for k in range(3):
        next(iter([]))
    return n

=== break
# (0,), (3,), (10,)
def f(n):
    for i in range(10):
        if i == n:
            break
        t(i)
    return i

=== break takes no more items
# (2,)
def f(n):
    it = iter(range(10))
    for i in it:
        if i == n:
            break
    return next(it)

=== continue
# (0,), (7,)
def f(n):
    out = []
    for i in range(n):
        if i % 3 == 0:
            continue
        out.append(i)
    return out

=== continue and break behind other statements
# (3, 5), (9, 1), (0, 0)
def f(a, b):
    out = []
    for i in range(10):
        out.append(-i)
        if i > a:
            if i > b:
                break
            if i % 2:
                out.append("odd")
                continue
            out.append("even")
        else:
            if i == 1:
                continue
        out.append(i)
    return out

=== else of a for loop
# (2,), (20,)
def f(n):
    for i in range(5):
        if i == n:
            t("break")
            break
    else:
        t("else")
    return i

=== else of a for loop without break
# (0,), (2,)
def f(n):
    for i in range(n):
        t(i)
    else:
        i = "else"
    return i

=== else of a while loop
# (2,), (20,)
def f(n):
    i = 0
    while i < 5:
        if i == n:
            break
        i += 1
    else:
        return "all", i
    return "some", i

=== break in the else clause belongs to the outer loop
# (2,), (9,)
def f(n):
    for k in range(3):
        for i in range(4):
            if i == n:
                break
        else:
            t("no break")
            break
        t(k)
    else:
        t("outer else")
    return k, i

=== continue in the else clause
# (2,), (9,)
def f(n):
    for k in range(3):
        for i in range(4):
            if i == n:
                break
        else:
            continue
        t(k)
    return k, i

=== return out of nested loops
# (3,), (99,)
def f(n):
    for i in range(5):
        for j in range(5):
            if i * j == n:
                return i, j
        t(i)
    return None

=== return without a value
# (3,), (0,)
def f(n):
    for i in range(5):
        if i == n:
            return
        t(i)

=== return in some branches, falling off in others
# (0,), (1,), (2,), (3,)
def f(n):
    if n == 0:
        return "zero"
    if n == 1:
        t("one")
    elif n == 2:
        return "two"
    t("rest")

=== many returns one after the other
# (0,), (1,), (2,), (3,), (4,)
def f(n):
    if n == 0:
        return "a"
    if n == 1:
        return "b"
    t("c")
    if n == 2:
        return "c"
    else:
        if n == 3:
            return "d"
        t("e")
    return "e"

=== return in the else clause of a loop
# (2,), (9,)
def f(n):
    for i in range(4):
        if i == n:
            break
    else:
        return "else"
    return "break"

=== statements after a return are dropped, and their names are local
# (1,)
x = 5
def f(n):
    return n
    x = 3

=== a name that only unreachable code assigns
# (1,)
x = 5
def f(n):
    if n:
        y = x
    return y
    x = 3

=== while
# (10,), (1,), (0,)
def f(n):
    steps = 0
    while n > 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps

=== while True
# (4,)
def f(n):
    i = 0
    while True:
        x = i * i
        if x > n:
            break
        i += 1
    return x, i

=== while True with return only
# (4,)
def f(n):
    i = 0
    while True:
        i += 1
        if i * i > n:
            return i

=== while 0 and while 1
# (4,)
def f(n):
    while 0:
        n = 1 // 0
    while 1:
        n += 1
        if n > 7:
            break
    return n

=== the test has an effect
# (3,)
def f(n):
    while t(n, "test"):
        n -= 1
    return n

=== the test binds a name
# ([1, 2, 3],), ([],)
def f(x):
    while (k := len(x)) > 1:
        x.pop()
    return k

=== break after the test binds a name
# ([1, 2, 3],), ([],)
def f(x):
    while (k := len(x)) > 0 and (last := x[-1]) != 2:
        x.pop()
        if k == 9:
            break
    else:
        return "ended", k
    return k, last

=== the test of a stopped loop is not evaluated again
# (3,)
def f(n):
    while t(True, "test"):
        n -= 1
        if n == 0:
            break
    return n

=== the test fails with an exception
# (3,)
def f(n):
    while 6 // n:
        n -= 1
        t(n)

=== if, elif, else
# (0,), (1,), (2,), (3,)
def f(n):
    if t(n == 0, 0):
        a = "zero"
    elif t(n == 1, 1):
        a = "one"
    elif t(n == 2, 2):
        pass
    else:
        a = "many"
    return a

=== an if without else leaves the value
# (0,), (1,)
def f(n):
    a = 1
    if n:
        a = 2
    return a

=== a name that one branch deletes
# (0,), (1,)
def f(n):
    a = 1
    if n:
        del a
    return a

=== a name deleted in a loop
# (0,), (1,), (2,)
def f(n):
    a = 1
    for i in range(n):
        t(a)
        del a
    return n

=== deleted and assigned again
# (3,)
def f(n):
    for i in range(n):
        a = i
        del a
    a = 5
    return a

=== del of several, in order
# (1,), (0,)
def f(n):
    a, c = 1, 2
    if n:
        b = 3
    del a, (b, c)
    return a

=== del of an argument
# (1,), (0,)
def f(n):
    if n:
        del n
    return n

=== del of elements
# ([1, 2, 3, 4],)
def f(x):
    for k in range(2):
        del x[t(k)]
    return x

=== augmented assignment of a name without a value
# (0,), (1,)
def f(n):
    if n:
        a = 1
    a += t(2)
    return a

=== augmented assignment of elements, in Python's order
# ([1, 2, 3], 1)
def f(x, i):
    for k in range(2):
        t(x, "array")[t(i, "index")] += t(5, "value")
    return x

=== augmented assignment in place
# ([1], [2])
def f(x, y):
    z = x
    for k in range(2):
        z += y
    return z is x, x

=== swaps
# (1, 2, 5), (1, 2, 0)
def f(u, v, n):
    for i in range(n):
        u, v = v, u
    return u, v

=== several targets
# (3,)
def f(n):
    a = b = [0] * n
    for i in range(n):
        a[i] = c = d = i
    return a is b, a, c, d

=== an int that becomes a float
# (3,), (0,)
def f(n):
    x = 1
    for i in range(n):
        x = x / 2
    return x

=== and gives the operand
# (0, 1, 2), (1, 0, 2), (1, 2, 3), ([], 0, 1)
def f(a, b, c):
    return t(a, "a") and t(b, "b") and t(c, "c")

=== or gives the operand
# (0, 1, 2), (1, 0, 2), (0, 0, 3), ([], 0, ())
def f(a, b, c):
    return t(a, "a") or t(b, "b") or t(c, "c")

=== and within or within not
# (0, 1, 2), (1, 0, 2), (1, 2, 3), (0, 0, 0)
def f(a, b, c):
    return not (a and t(b) or not t(c) and t(a))

=== comparisons in a chain
# (1, 2, 3), (3, 2, 1), (2, 1, 5), (1, 5, 2)
def f(a, b, c):
    return t(a, "a") < t(b, "b") <= t(c, "c") != t(2, "d")

=== a chain of names
# (1, 2, 3), (3, 2, 1)
def f(a, b, c):
    if 0 <= a < b < c <= 10:
        return "in"
    return a is not None is not b, a in [a, b] == [a, b]

=== a chain where the middle changes
# ([1, 2],)
def f(x):
    return 0 < x.pop() < 5 > x.pop() == 1

=== a chain fails in the middle
# (1, "a", 2), (1, 2, "a"), (3, 1, "a")
def f(a, b, c):
    return (
        a
        < b
        < c
    )

=== conditional expressions
# (0,), (1,), (2,)
def f(n):
    return (t("none") if n == 0 else t("one") if n == 1 else t("many")) + "."

=== a conditional expression with := in it
# (0,), (1,)
def f(n):
    a = (b := t(1)) if n else (b := t(2))
    return a, b

=== := in operands
# (0, 0), (0, 1), (1, 0), (1, 1)
def f(n, m):
    if n and (a := m + 1) > 1 or (a := 5) < 0:
        return a
    return a

=== := in a comprehension
# ([1, 2, 3],), ([],)
def f(x):
    y = [last := k for k in x if k != 2]
    return y, last

=== := in a comprehension in a loop
# ([1, 2, 3],), ([],)
def f(x):
    total = 0
    for k in range(2):
        if any((found := v) > 1 for v in x):
            total += found
    return total

=== := in the iterable
# (3,), (0,)
def f(n):
    for i in range(m := n + 1):
        m -= 1
    return i, m

=== comprehensions of all kinds
# ([1, 2, 3],)
def f(x):
    k = 100
    a = [t(k) for k in x if k > 1 and k < 3 or k == 1]
    b = {k: v for k, v in zip(x, x[::-1])}
    c = {k % 2 for k in x}
    d = tuple(k if k > 1 else -k for k in x)
    return a, b, c, d, k

=== nested comprehensions
# (3,)
def f(n):
    rows = [[i * j for j in range(i) if not j % 2] for i in range(n + 1) if 0 < i < n]
    return rows, [j for i in range(n) for j in range(i)]

=== a comprehension over a name of the function
# (3,)
def f(n):
    x = [n + k for n in range(n) for k in range(n)]
    return x, n

=== a lambda in a comprehension
# (3,)
def f(n):
    fs = [lambda: i + n for i in range(n)]
    n = 10
    return [g() for g in fs]

=== a generator expression reads later
# (3,)
def f(n):
    g = (n * k for k in range(3))
    for k in range(2):
        n += 1
    return list(g), k

=== a lambda reads later
# (3,)
def f(n):
    g = lambda k=n: (k, n) if n > 3 else None
    for i in range(2):
        n += 1
    return g(), g(5)

=== a nested function reads and writes
# (3,)
def f(n):
    total = 0
    def add(k):
        nonlocal total
        total += k
        return total if total < 5 else -total
    out = []
    for i in range(n):
        out.append(add(i))
        total *= 2
    return out, total

=== a nested function in a loop
# (3,)
def f(n):
    fs = []
    for i in range(n):
        def g(x, y=i):
            for k in range(2):
                if k == y:
                    return x, i
            return None
        fs.append(g)
    return [g(7) for g in fs], g.__name__, g.__qualname__

=== recursion of a nested function
# (6,)
def f(n):
    def fib(k):
        if k < 2:
            return k
        return fib(k - 1) + fib(k - 2)
    return fib(n)

=== a nested function reads a name without a value
# (0,), (1,)
def f(n):
    def g():
        return x
    if n:
        x = 1
    return g()

=== a nested function deletes a name
# (0,), (1,)
def f(n):
    x = 1
    def g():
        nonlocal x
        if n:
            del x
    g()
    return x

=== a nested function deletes a name that has no value
# (0,), (1,)
def f(n):
    if n:
        x = 1
    def g():
        nonlocal x
        del x
    g()
    return n

=== a nested function assigns the loop's variable
# (4,)
def f(n):
    def skip():
        nonlocal i
        i = 100
    out = []
    for i in range(n):
        if i == 2:
            skip()
        out.append(i)
    return out, i

=== nested functions two deep
# (3,)
def f(n):
    x = 0
    def g():
        def h():
            nonlocal x
            for k in range(n):
                x += k
        h()
        while x < 20:
            h()
    g()
    return x

=== a function with a keyword, and arguments unpacked
# ([1, 2], {"c": 3})
def f(args, named):
    def g(a, b=5, /, *rest, c=7, **more):
        return a, b, rest, c, more
    return g(*args, *args, **named), g(1, c=2, self=3, function=4), g(*args)

=== wrong arguments
# (1,)
def f(n):
    def g(a):
        return a
    return g(n, n)

=== a call of what is no function
# (1,)
def f(n):
    return n(
        3
    )

=== methods on several lines
# ("abc",), (5,)
def f(s):
    for k in range(1):
        s = (
            s
            .upper()
            .replace("A", "x" *
                     3)
            .split(
                "x"
            )
            [5]
            .lower()
        )
    return s

=== arguments in order
# (1,)
def f(n):
    def g(*a, **k):
        return a, k
    return t(g)(t(1), *t([2]), k=t(3), **t({"m": 4}))

=== global names
# (3,)
count = 0
def f(n):
    global count, fresh
    for i in range(n):
        count += i
        fresh = i
    return count, fresh

=== a global of a nested function hides the name of the outer one
# (3,)
x = 5
def f(n):
    x = 1
    def g():
        global x
        for i in range(n):
            x += i
        return x
    return g(), x

=== a global that does not exist
# (0,), (1,)
def f(n):
    if n:
        return missing
    return 0

=== a global for a loop variable
# (3,)
def f(n):
    global k
    for k in range(n):
        if k == 1:
            break
    return k

=== global after an if
# (1,)
def f(n):
    if n:
        global g
        g = n
    return g

=== try in a loop
# ([1, 0, 2, 0],)
def f(x):
    out = []
    for k in x:
        try:
            out.append(6 // k)
        except ZeroDivisionError as e:
            out.append(str(e))
            continue
        else:
            out.append("else")
        finally:
            out.append("finally")
        out.append("end")
    return out

=== break out of try
# (0,), (1,), (2,), (5,)
def f(n):
    for i in range(4):
        try:
            t(i)
            if i == n:
                break
            t("not")
        except ValueError:
            t("no")
        else:
            t("else")
        finally:
            t("finally")
        t("end")
    else:
        t("loop else")
    return i

=== return out of try
# (0,), (1,), (2,)
def f(n):
    try:
        if n == 0:
            return t("try")
        if n == 1:
            raise ValueError("one")
        t("on")
    except ValueError as e:
        return t("except"), e.args
    else:
        t("else")
    finally:
        t("finally")
    return t("end")

=== return out of try in a loop
# (0,), (1,), (2,), (5,)
def f(n):
    for i in range(3):
        try:
            if i == n:
                return t(i)
        finally:
            t("finally")
    return "end"

=== the result is computed before finally runs
# ([1],)
def f(x):
    for k in range(3):
        try:
            return list(x)
        finally:
            x.append(2)

=== finally fails after a jump
# (0,), (1,)
def f(n):
    for i in range(3):
        try:
            try:
                if i == 1:
                    break
                t(i)
            finally:
                1 // n
        except ZeroDivisionError:
            t("failed")
        t("goes on")
    else:
        t("else")
    return i

=== finally fails after a return
# (0,), (1,)
def f(n):
    for i in range(3):
        try:
            try:
                if i == 1:
                    return "inner"
            finally:
                1 // n
        except ZeroDivisionError:
            t("failed")
    return "end"

=== the exception's name has no value afterwards
# (0,), (1,)
def f(n):
    e = 1
    try:
        6 // n
    except ZeroDivisionError as e:
        t(str(e))
    return e

=== the exception's name in a loop
# ([1, 0, 2],)
def f(x):
    for k in x:
        e = k
        try:
            6 // k
        except ZeroDivisionError as e:
            t(type(e).__name__)
        else:
            t(e)
    return e

=== the exception's name, deleted in the handler
# (0,)
def f(n):
    try:
        6 // n
    except ZeroDivisionError as e:
        del e
    return n

=== the exception's name, captured
# (0,)
def f(n):
    try:
        6 // n
    except ZeroDivisionError as e:
        g = lambda: str(e)
        t(g())
    return g()

=== raise again
# (0,)
def f(n):
    try:
        6 // n
    except ZeroDivisionError:
        if not n:
            raise
        t("no")

=== raise from
# (0,), (1,)
def f(n):
    for k in range(2):
        try:
            6 // (n - k)
        except ZeroDivisionError as e:
            if k:
                raise ValueError("new", k) from e
            raise KeyError(k) from None

=== an exception in a handler
# (0,)
def f(n):
    try:
        6 // n
    except ZeroDivisionError:
        for k in range(1):
            [][k]

=== names assigned in try
# (0,), (1,)
def f(n):
    try:
        a = 1
        b = 6 // n
    except ZeroDivisionError:
        t(a)
    t(a)
    return b

=== names assigned before the loop fails
# ([1, 2, 0, 4],)
def f(x):
    s = 0
    try:
        for k in x:
            s += 6 // k
    except ZeroDivisionError:
        return s, k
    return s

=== except of a tuple, and of everything
# (0,), (1,), (2,)
def f(n):
    for k in range(1):
        try:
            [1 // n, [][n - 1] if n == 1 else None.x]
        except (ZeroDivisionError, KeyError):
            return "a"
        except LookupError:
            return "b"
        except:
            return "c"

=== try within try
# (0,), (1,), (2,)
def f(n):
    try:
        try:
            if n == 0:
                return 1 // n
            elif n == 1:
                raise KeyError("k")
        except KeyError as e:
            raise ValueError("v") from e
        finally:
            t("inner")
    except (ZeroDivisionError, ValueError) as e:
        return type(e).__name__, type(e.__context__).__name__
    finally:
        t("outer")
    return "end"

=== a loop in finally
# (0,), (1,)
def f(n):
    s = 0
    try:
        s = 6 // n
    finally:
        for k in range(3):
            if k == 1:
                break
            s += k
        t(s)
    return s

=== except star
# (0,), (1,)
def f(n):
    out = []
    for k in range(2):
        try:
            if n:
                raise ExceptionGroup("g", [ValueError(k), KeyError(k)])
        except* ValueError as e:
            out.append(("v", len(e.exceptions)))
        except* KeyError as e:
            out.append(("k", len(e.exceptions)))
    return out

=== with
# (0,), (1,), (2,)
def f(n):
    with guard() as g:
        if n == 0:
            return t("in")
        for k in range(3):
            if k == n:
                break
    return k, g

=== with takes the exception
# (0,), (1,)
def f(n):
    with guard(ZeroDivisionError) as g:
        a = 6 // n
        t(a)
    return a

=== with takes the exception after a jump
# (0,), (1,)
def f(n):
    for i in range(3):
        with guard(KeyError):
            with guard(fails=n == 0):
                if i == 1:
                    break
                t(i)
            t("body")
        t("end")
    else:
        t("else")
    return i

=== with of several, and break in it
# (0,), (1,)
def f(n):
    for i in range(3):
        with guard() as a, guard(ValueError) as b:
            if i == n:
                continue
            if i == 2:
                raise ValueError
        t(a)
    return a, b

=== return in with in a loop
# (0,), (1,), (7,)
def f(n):
    for i in range(3):
        with guard(ValueError):
            if i == n:
                return i
            raise ValueError
    return "end"

=== with whose return is taken back
# (0,)
def f(n):
    with guard(KeyError):
        with guard(fails=True):
            return "inner"
    return "outer"

=== match
# (0,), ((1, 2),), ((1, 2, 3),), ({"k": 5, "m": 6},), ([],), ("x",)
def f(x):
    for k in range(2):
        match x:
            case 0 | 5:
                r = "number"
            case (a, b) if t(a < b < 3 and b):
                r = a + b
                if k:
                    break
            case [a, *rest]:
                r = rest
                continue
            case {"k": v, **more}:
                return v, more
            case [] as empty:
                r = empty
            case str(s):
                r = s
        t(r)
    else:
        return "else", r
    return r

=== match without a match
# (0,), (1,)
def f(n):
    match n:
        case 1:
            a = 1
    return a

=== match ends every way
# (0,), (1,), (2,)
def f(n):
    for k in range(2):
        match n:
            case 0:
                return "zero"
            case 1:
                break
            case _:
                raise ValueError(n)
    return "end"

=== assert
# (0,), (1,)
def f(n):
    for k in range(2):
        assert n >= k, t(f"{n} < {k}")
    return n

=== assert without a message
# (0,), (1,)
def f(n):
    assert t(n)

=== assert with := in the message
# (0,), (1,)
def f(n):
    assert n, (m := "message")
    return n

=== annotations of local names
# (0,), (2,)
def f(n: int, *a: int, k: "missing" = 3) -> "none":
    x: undefined_type = 0
    y: int
    for i in range(n):
        x: float = i
        z: int = x + 1
    return x, z

=== an annotated element
# ([1, 2],)
def f(x):
    for k in range(1):
        x[t(0)]: int = t(5)
        x[t(1)]: int
    return x

=== an annotated name without a value is local
# (0,)
x = 1
def f(n):
    x: int
    return x

=== f-strings
# (3,)
def f(n):
    return [f"{i:{t(5)}d} {i if i else 'zero'!r} {t(n) and i=}" for i in range(n)], f"{n=}"

=== a docstring
# (1,)
def f(n):
    """The docstring."""
    for i in range(n):
        """No docstring."""
    return i

=== only a docstring
# ()
def f(*n):
    """The docstring."""

=== nothing
# (1,)
def f(n):
    pass

=== imports in the function
# (4,)
def f(n):
    for i in range(2):
        import math
        import os.path as p, xml.dom
        from math import sqrt as root, floor
    return root(n), floor(2.5), math.floor(1.5), p.basename("a/b"), xml.dom.__name__

=== a missing import
# (4,)
def f(n):
    if n:
        from math import (
            nothing_of_this_name,
        )

=== subscripts and slices
# ([1, 2, 3, 4, 5], 2)
def f(x, k):
    for i in range(k):
        x[i:], x[:i] = x[i:][::-1], x[:i]
        x[t(i) if i else t(-1)] -= 1
    return x

=== starred in a tuple and a call
# ([1, 2],)
def f(x):
    for i in range(2):
        x = [*x, *map(lambda v: v + i, x)]
    a, *b, c = x
    return a, b, c

=== a lambda's own control flow
# (3,)
def f(n):
    g = lambda x, *, y=n if n > 2 else 0: x < y < 5 and (lambda: x or y)() or not x
    return [g(k) for k in range(4)], g(1, y=0)

=== a lambda with := in it
# (3,)
def f(n):
    g = lambda x: (y := x + 1) and y * n
    return g(2), [(lambda v: [w := v, w + n])(k) for k in range(2)]

=== deep nesting
# (2,), (3,)
def f(n):
    s = 0
    for a in range(n):
        for b in range(a + 1):
            while s % 7 != 5:
                for c in range(b, n):
                    if c == 1:
                        if s > 50:
                            return s, a, b, c
                        continue
                    if c > s:
                        break
                    s += 3
                else:
                    s += 1
                s += 1
                if s > 90:
                    break
            else:
                s += 2
        s += 1
    return s

=== a helper's exception passes through
# (0,), (2,)
def helper(x):
    for k in range(3):
        x = x - 1
        if x < 0:
            raise ValueError(
                "negative", x
            )
    return x

def f(n):
    for i in range(2):
        if True:
            n = helper(
                n
            )
    return n

=== sums over lines
# ("a",), (1,)
def f(n):
    for i in range(1):
        x = (
            1 +
            n
        )
    return x

=== an object whose truth fails
# (0,)
def f(n):
    class_ = type("Odd", (), {"__bool__": lambda self: 1 // n})
    while True:
        if class_():
            return "in"

=== an object's truth is asked once
# (2,)
def f(n):
    odd = type("Odd", (), {"__bool__": lambda self: t(True, "truth")})()
    if odd:
        t("if")
    while odd and n:
        n -= 1
    return (odd and 1), (odd or 1) is odd, not odd, 1 if odd else 2, [1 for k in range(1) if odd]

=== a loop variable hides an argument
# (4,)
def f(n):
    for n in range(n):
        if n == 2:
            break
    return n

=== bubble sort
# ([3, 1, 2, 5, 4],), ([],), ([1, 2],)
def f(x):
    n = len(x)
    swaps = 0
    while True:
        done = True
        for i in range(1, n):
            if x[i - 1] > x[i]:
                x[i - 1], x[i] = x[i], x[i - 1]
                done = False
                swaps += 1
        if done:
            break
        n -= 1
    return x, swaps

=== primes
# (30,), (2,)
def f(n):
    found = []
    for k in range(2, n):
        for p in found:
            if p * p > k:
                found.append(k)
                break
            if k % p == 0:
                break
        else:
            found.append(k)
    return found

=== longest common subsequence
# ("nematode", "eternal"), ("", "a")
def f(a, b):
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a)):
        for j in range(len(b)):
            table[i + 1][j + 1] = table[i][j] + 1 if a[i] == b[j] else max(table[i][j + 1], table[i + 1][j])
    i, j, out = len(a), len(b), ""
    while i > 0 and j > 0:
        if a[i - 1] == b[j - 1]:
            i, j, out = i - 1, j - 1, a[i - 1] + out
        elif table[i - 1][j] >= table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return out

=== bisection
# (2.0, 1e-9), (2.0, 3.0)
def f(x, tol):
    lo, hi = 0.0, max(x, 1.0)
    while hi - lo > tol:
        mid = (lo + hi) / 2
        lo, hi = (mid, hi) if mid * mid < x else (lo, mid)
    return lo

=== permutations
# (3,)
def f(n):
    out = []
    def go(prefix, rest):
        if not rest:
            out.append(prefix)
            return
        for k, x in enumerate(rest):
            go(prefix + [x], rest[:k] + rest[k + 1:])
    go([], list(range(n)))
    return out

=== a parser by hand
# ("1+2*(3-4)",), ("2*(3",), ("(((7)))*8",)
def f(text):
    k = 0
    def peek():
        return text[k] if k < len(text) else ""
    def factor():
        nonlocal k
        if peek() == "(":
            k += 1
            value = total()
            if peek() != ")":
                raise SyntaxError(f"expected ) at {k}")
            k += 1
            return value
        start = k
        while peek() and peek() in "0123456789":
            k += 1
        return int(text[start:k])
    def product():
        nonlocal k
        value = factor()
        while peek() == "*":
            k += 1
            value *= factor()
        return value
    def total():
        nonlocal k
        value = product()
        while (sign := peek()) and sign in "+-":
            k += 1
            value = value + product() if sign == "+" else value - product()
        return value
    return total()
'''


def _split() -> dict[str, tuple[str, list[tuple[object, ...]]]]:
    found = {}
    for part in re.split(r"^=== ", _TEXT, flags=re.MULTILINE)[1:]:
        name, _, text = part.partition("\n")
        calls = text.partition("\n")[0].removeprefix("# ")
        assert name not in found
        found[name] = (text, list(eval(f"[{calls}]")))
    return found


#: The programs by name: the text, and the arguments of each call.
SNIPPETS = _split()
