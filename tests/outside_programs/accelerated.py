"""What accelerated functions do to files."""

# mypy: ignore-errors
# (A program as other people write them.)
from __future__ import annotations

import os

import numpy as np

import lazyarr


@lazyarr.accelerate
def grown(x, k):
    for i in range(3):
        x = x + np.sin(x) * k
        with open("log.txt", "a") as file:
            file.write(f"{i} {k}\n")
    if not os.path.exists("d"):
        os.mkdir("d")
    return x


@lazyarr.accelerate
def smoothed(x, n):
    total = 0.0
    for i in range(n):
        x[1:-1] = 0.5 * (x[2:] + x[:-2])
        total += x.sum()
        if i % 10 == 0:
            np.save(f"{i}.npy", x)
            with open("t.txt", "a") as file:
                print(i, round(float(total), 6), file=file)
    return total


@lazyarr.accelerate
def scaled(x):
    return (x * np.loadtxt("in.txt").sum()).sum()


os.makedirs("out")
os.chdir("out")
x = np.cos(np.arange(2000.0))
for k in range(3):
    print(grown(x, k).sum().round(8))
for _ in range(2):
    print(round(float(smoothed(x.copy(), 30)), 6), round(float(np.load("20.npy").sum()), 6))
for k in range(3):
    np.savetxt("in.txt", np.arange(4.0) + k)
    print(scaled(x).round(6))
os.remove("0.npy")
os.remove("10.npy")
os.remove("20.npy")
print(open("log.txt").read(), open("t.txt").read(), sorted(os.listdir(".")))
