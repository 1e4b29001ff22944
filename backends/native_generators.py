"""The steps of NumPy's generators of random numbers, and what is made of words without NumPy, as LLVM's text.

Mersenne Twister is M. Matsumoto's and T. Nishimura's (ACM TOMACS 8, 1998), PCG64 M. O'Neill's (HMC-CS-2014-0905),
integers are drawn with D. Lemire's method (ACM TOMACS 29, 2019) or, as `RandomState` has it, by masks until one is in
range, its normal numbers by G. Marsaglia's polar method. States are as `lazyarr.streams` has them.
"""

from __future__ import annotations

#: How a function begins that makes two normal numbers at a time: by giving the one that is left.
_LEFT = """entry:
  %has = getelementptr inbounds i64, ptr %s, i64 313
  %kept = getelementptr inbounds i64, ptr %s, i64 314
  %is = load i64, ptr %has, align 8
  %there = icmp ne i64 %is, 0
  br i1 %there, label %take, label %make
take:
  %old = load double, ptr %kept, align 8
  store i64 0, ptr %has, align 8
  store double 0.0, ptr %kept, align 8
  ret double %old
make:
"""
TWISTER = (
    """
define internal i32 @draw_mixed(i32 %a, i32 %b, i32 %c) alwaysinline nounwind {
  %high = and i32 %a, -2147483648
  %low = and i32 %b, 2147483647
  %y = or i32 %high, %low
  %half = lshr i32 %y, 1
  %odd = and i32 %y, 1
  %all = sub i32 0, %odd
  %twist = and i32 %all, -1727483681
  %x = xor i32 %half, %c
  %new = xor i32 %x, %twist
  ret i32 %new
}
define internal void @draw_mix(ptr %key, i64 %begin, i64 %end, i64 %from) alwaysinline nounwind {
entry:
  br label %body
body:
  %i = phi i64 [ %begin, %entry ], [ %next, %body ]
  %next = add i64 %i, 1
  %other = add i64 %i, %from
  %p = getelementptr inbounds i32, ptr %key, i64 %i
  %q = getelementptr inbounds i32, ptr %key, i64 %next
  %r = getelementptr inbounds i32, ptr %key, i64 %other
  %a = load i32, ptr %p, align 4
  %b = load i32, ptr %q, align 4
  %c = load i32, ptr %r, align 4
  %new = call i32 @draw_mixed(i32 %a, i32 %b, i32 %c)
  store i32 %new, ptr %p, align 4
  %more = icmp slt i64 %next, %end
  br i1 %more, label %body, label %done
done:
  ret void
}
define internal void @draw_refill(ptr %key) noinline nounwind {
  call void @draw_mix(ptr %key, i64 0, i64 227, i64 397)
  call void @draw_mix(ptr %key, i64 227, i64 623, i64 -227)
  %p = getelementptr inbounds i32, ptr %key, i64 623
  %r = getelementptr inbounds i32, ptr %key, i64 396
  %a = load i32, ptr %p, align 4
  %b = load i32, ptr %key, align 4
  %c = load i32, ptr %r, align 4
  %new = call i32 @draw_mixed(i32 %a, i32 %b, i32 %c)
  store i32 %new, ptr %p, align 4
  ret void
}
define internal i32 @draw_next32(ptr %s) nounwind {
entry:
  %place = getelementptr inbounds i32, ptr %s, i64 624
  %pos = load i32, ptr %place, align 4
  %spent = icmp sge i32 %pos, 624
  br i1 %spent, label %refill, label %read, !prof !{!"branch_weights", i32 1, i32 623}
refill:
  call void @draw_refill(ptr %s)
  br label %read
read:
  %at = phi i32 [ 0, %refill ], [ %pos, %entry ]
  %after = add i32 %at, 1
  store i32 %after, ptr %place, align 4
  %index = zext i32 %at to i64
  %p = getelementptr inbounds i32, ptr %s, i64 %index
  %y0 = load i32, ptr %p, align 4
  %t0 = lshr i32 %y0, 11
  %y1 = xor i32 %y0, %t0
  %t1 = shl i32 %y1, 7
  %m1 = and i32 %t1, -1658038656
  %y2 = xor i32 %y1, %m1
  %t2 = shl i32 %y2, 15
  %m2 = and i32 %t2, -272236544
  %y3 = xor i32 %y2, %m2
  %t3 = lshr i32 %y3, 18
  %y4 = xor i32 %y3, %t3
  ret i32 %y4
}
define internal i64 @draw_next64(ptr %s) nounwind {
  %first = call i32 @draw_next32(ptr %s)
  %second = call i32 @draw_next32(ptr %s)
  %wide = zext i32 %first to i64
  %high = shl i64 %wide, 32
  %low = zext i32 %second to i64
  %both = or i64 %high, %low
  ret i64 %both
}
define internal double @draw_random(ptr %s) nounwind {
  %first = call i32 @draw_next32(ptr %s)
  %second = call i32 @draw_next32(ptr %s)
  %a = lshr i32 %first, 5
  %b = lshr i32 %second, 6
  %x = uitofp i32 %a to double
  %y = uitofp i32 %b to double
  %scaled = fmul double %x, 67108864.0
  %sum = fadd double %scaled, %y
  %found = fdiv double %sum, 9007199254740992.0
  ret double %found
}
define internal double @draw_standard_exponential(ptr %s) nounwind {
  %x = call double @draw_random(ptr %s)
  %left = fsub double 1.0, %x
  %size = call double @log(double %left)
  %found = fneg double %size
  ret double %found
}
define internal double @draw_standard_normal(ptr %s) nounwind {
"""
    + _LEFT
    + """  %u = call double @draw_random(ptr %s)
  %v = call double @draw_random(ptr %s)
  %u2 = fmul double 2.0, %u
  %v2 = fmul double 2.0, %v
  %x = fsub double %u2, 1.0
  %y = fsub double %v2, 1.0
  %xx = fmul double %x, %x
  %yy = fmul double %y, %y
  %r = fadd double %xx, %yy
  %out = fcmp oge double %r, 1.0
  %nothing = fcmp oeq double %r, 0.0
  %again = or i1 %out, %nothing
  br i1 %again, label %make, label %found
found:
  %size = call double @log(double %r)
  %twice = fmul double -2.0, %size
  %part = fdiv double %twice, %r
  %f = call double @llvm.sqrt.f64(double %part)
  %other = fmul double %f, %x
  %this = fmul double %f, %y
  store i64 1, ptr %has, align 8
  store double %other, ptr %kept, align 8
  ret double %this
}
"""
)
CONGRUENTIAL = """
define internal i128 @draw_after(ptr %s) alwaysinline nounwind {
  %q = getelementptr inbounds i64, ptr %s, i64 2
  %old = load i128, ptr %s, align 8
  %step = load i128, ptr %q, align 8
  %times = mul i128 %old, 47026247687942121848144207491837523525
  %new = add i128 %times, %step
  ret i128 %new
}
define internal i64 @draw_word(i128 %new) alwaysinline nounwind {
  %top = lshr i128 %new, 64
  %high = trunc i128 %top to i64
  %low = trunc i128 %new to i64
  %mixed = xor i64 %high, %low
  %turn = lshr i128 %new, 122
  %by = trunc i128 %turn to i64
  %found = call i64 @llvm.fshr.i64(i64 %mixed, i64 %mixed, i64 %by)
  ret i64 %found
}
define internal i64 @draw_next64(ptr %s) nounwind {
  %new = call i128 @draw_after(ptr %s)
  store i128 %new, ptr %s, align 8
  %found = call i64 @draw_word(i128 %new)
  ret i64 %found
}
define internal i32 @draw_next32(ptr %s) nounwind {
entry:
  %has = getelementptr inbounds i32, ptr %s, i64 8
  %kept = getelementptr inbounds i32, ptr %s, i64 9
  %is = load i32, ptr %has, align 4
  %there = icmp ne i32 %is, 0
  br i1 %there, label %take, label %make
take:
  %old = load i32, ptr %kept, align 4
  store i32 0, ptr %has, align 4
  ret i32 %old
make:
  %both = call i64 @draw_next64(ptr %s)
  %top = lshr i64 %both, 32
  %high = trunc i64 %top to i32
  %low = trunc i64 %both to i32
  store i32 1, ptr %has, align 4
  store i32 %high, ptr %kept, align 4
  ret i32 %low
}
define internal double @draw_random(ptr %s) nounwind {
  %bits = call i64 @draw_next64(ptr %s)
  %above = lshr i64 %bits, 11
  %x = uitofp i64 %above to double
  %found = fmul double %x, 0x3CA0000000000000
  ret double %found
}
"""
#: What Python's `random` makes of words (CPython's Lib/random.py): J. Kinderman's and J. Monahan's normal numbers (ACM
#: TOMS 3, 1977) among it.
PYTHON = (
    """
define internal i64 @draw_below(ptr %s, i64 %n) nounwind {{
entry:
  %zeros = call i64 @llvm.ctlz.i64(i64 %n, i1 false)
  %narrow = icmp uge i64 %zeros, 32
  br i1 %narrow, label %one, label %two
one:
  %spare = sub i64 %zeros, 32
  %x = call i32 @draw_next32(ptr %s)
  %wide = zext i32 %x to i64
  %r = lshr i64 %wide, %spare
  %out = icmp uge i64 %r, %n
  br i1 %out, label %one, label %found
found:
  ret i64 %r
two:
  %low = call i32 @draw_next32(ptr %s)
  %high = call i32 @draw_next32(ptr %s)
  %low64 = zext i32 %low to i64
  %high64 = zext i32 %high to i64
  %top = lshr i64 %high64, %zeros
  %shifted = shl i64 %top, 32
  %r2 = or i64 %shifted, %low64
  %out2 = icmp uge i64 %r2, %n
  br i1 %out2, label %two, label %found2
found2:
  ret i64 %r2
}}
define internal double @draw_gauss(ptr %s) nounwind {{
"""
    + _LEFT
    + """  %u = call double @draw_random(ptr %s)
  %v = call double @draw_random(ptr %s)
  %angle = fmul double %u, {turn}
  %left = fsub double 1.0, %v
  %size = call double @log(double %left)
  %twice = fmul double -2.0, %size
  %radius = call double @llvm.sqrt.f64(double %twice)
  %c = call double @cos(double %angle)
  %d = call double @sin(double %angle)
  %this = fmul double %c, %radius
  %other = fmul double %d, %radius
  store i64 1, ptr %has, align 8
  store double %other, ptr %kept, align 8
  ret double %this
}}
define internal double @draw_normalvariate(ptr %s) nounwind {{
entry:
  br label %try
try:
  %u = call double @draw_random(ptr %s)
  %v = call double @draw_random(ptr %s)
  %w = fsub double 1.0, %v
  %middle = fsub double %u, 0.5
  %times = fmul double {ratio}, %middle
  %z = fdiv double %times, %w
  %zz = fmul double %z, %z
  %quarter = fdiv double %zz, 4.0
  %size = call double @log(double %w)
  %limit = fneg double %size
  %is = fcmp ole double %quarter, %limit
  br i1 %is, label %found, label %try
found:
  ret double %z
}}
"""
)
#: The numbers below ``n`` in random order, by the shuffle of R. Durstenfeld (Communications of the ACM 7, 1964).
PERMUTATION = """
define internal void @draw_permutation(ptr %s, ptr %x, i64 %n) nounwind {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %fill, label %done
fill:
  %k = phi i64 [ 0, %entry ], [ %k1, %fill ]
  %place = getelementptr inbounds i64, ptr %x, i64 %k
  store i64 %k, ptr %place, align 8
  %k1 = add i64 %k, 1
  %more = icmp slt i64 %k1, %n
  br i1 %more, label %fill, label %head
head:
  %count = phi i64 [ %n, %fill ], [ %i, %swap ]
  %left = icmp sgt i64 %count, 1
  br i1 %left, label %swap, label %done
swap:
  %i = sub i64 %count, 1
  %most = trunc i64 %i to i32
  %below = call i32 @draw_masked32(ptr %s, i32 %most)
  %j = zext i32 %below to i64
  %p = getelementptr inbounds i64, ptr %x, i64 %i
  %q = getelementptr inbounds i64, ptr %x, i64 %j
  %a = load i64, ptr %p, align 8
  %b = load i64, ptr %q, align 8
  store i64 %b, ptr %p, align 8
  store i64 %a, ptr %q, align 8
  br label %head
done:
  ret void
}
"""
#: Integers from 0 to ``rng``, both included, of a width: until one is in range.
_MASKED = """
define internal i{n} @draw_masked{n}(ptr %s, i{n} %rng) nounwind {{
entry:
  %zeros = call i{n} @llvm.ctlz.i{n}(i{n} %rng, i1 false)
  %mask = lshr i{n} -1, %zeros
  br label %try
try:
  %bits = call i{n} @draw_next{n}(ptr %s)
  %x = and i{n} %bits, %mask
  %out = icmp ugt i{n} %x, %rng
  br i1 %out, label %try, label %found
found:
  ret i{n} %x
}}
"""
#: The same by products: of those that are too small some are drawn again.
_PRODUCTS = """
define internal i{n} @draw_lemire{n}(ptr %s, i{n} %rng) nounwind {{
entry:
  %count = add i{n} %rng, 1
  %factor = zext i{n} %count to i{m}
  br label %try
try:
  %limit = phi i{n} [ %count, %entry ], [ %threshold, %limited ]
  %bits = call i{n} @draw_next{n}(ptr %s)
  %wide = zext i{n} %bits to i{m}
  %product = mul i{m} %wide, %factor
  %rest = trunc i{m} %product to i{n}
  %small = icmp ult i{n} %rest, %limit
  br i1 %small, label %limited, label %found
limited:
  %over = sub i{n} -1, %rng
  %threshold = urem i{n} %over, %count
  %again = icmp ult i{n} %rest, %threshold
  br i1 %again, label %try, label %found
found:
  %top = lshr i{m} %product, {n}
  %x = trunc i{m} %top to i{n}
  ret i{n} %x
}}
"""
INTEGERS = """
define internal i64 @draw_integers(ptr %s, i64 %low, i64 %high) nounwind {{
entry:
  %last = sub i64 %high, 1
  %rng = sub i64 %last, %low
  %one = icmp eq i64 %rng, 0
  br i1 %one, label %none, label %some
none:
  ret i64 %low
some:
  %narrow = icmp ult i64 %rng, 4294967295
  br i1 %narrow, label %by32, label %wider
by32:
  %rng32 = trunc i64 %rng to i32
  %x32 = call i32 @draw_{method}32(ptr %s, i32 %rng32)
  %x = zext i32 %x32 to i64
  %found32 = add i64 %low, %x
  ret i64 %found32
wider:
  %exact = icmp eq i64 %rng, 4294967295
  br i1 %exact, label %word, label %by64
word:
  %w32 = call i32 @draw_next32(ptr %s)
  %w = zext i32 %w32 to i64
  %foundw = add i64 %low, %w
  ret i64 %foundw
by64:
  %x64 = call i64 @draw_{method}64(ptr %s, i64 %rng)
  %found64 = add i64 %low, %x64
  ret i64 %found64
}}
"""
#: The texts of a method, for a width `n` and twice that, `m`.
BOUNDED = {"masked": _MASKED, "lemire": _PRODUCTS}
