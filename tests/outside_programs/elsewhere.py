"""What a script does to files in threads, in processes of its own, when objects die, and at its end."""

# mypy: ignore-errors
# (A program as other people write them.)
from __future__ import annotations

import asyncio
import atexit
import logging
import multiprocessing
import os
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def save(k):
    os.makedirs("frames", exist_ok=True)
    np.save(f"frames/{k}.npy", np.full(10, k))
    with open("frames/log.txt", "a") as file:
        file.write(f"{k}\n")
    with open(f"frames/{k}.txt", "w") as file:
        file.write(f"{k}\n")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "x"), "w") as file:
            file.write("abc")
        assert os.listdir(folder) == ["x"]
        with open(os.path.join(folder, "x")) as file:
            assert file.read() == "abc"
    return k


def lines():
    with open("generated.txt", "w") as file:
        for k in range(100):
            file.write(f"{k}\n")
            yield k


class Log:
    def __init__(self, path):
        self.file, self.path = open(path, "a"), path

    def __del__(self, open=open, os=os):
        self.file.write("end\n")
        self.file.close()
        with open("died.txt", "a") as file:
            file.write("x\n")
        os.rename(self.path, self.path + ".done")


os.makedirs("out")
os.chdir("out")
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(sorted(pool.map(save, range(3))))
print(sorted(os.listdir("frames")), sorted(open("frames/log.txt").read().split()))
with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(save, range(3, 6))))
print(sorted(os.listdir("frames")), sorted(open("frames/log.txt").read().split()), np.load("frames/5.npy"))
# Work that threads are handed directly.
for k in range(8):
    with open(f"{k}.tmp", "w") as file:
        file.write("x")
with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(os.remove, [f"{k}.tmp" for k in range(7)])))
    print(pool.submit(shutil.move, "7.tmp", "moved").result())
timer = threading.Timer(0.01, os.rename, ("moved", "renamed"))
timer.start()
timer.join()


async def later():
    await asyncio.to_thread(os.makedirs, "asynchronous/d")
    asyncio.get_running_loop().call_soon(os.mkdir, "soon")
    await asyncio.sleep(0.01)


asyncio.run(later())
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(os.rmdir, ["soon", "asynchronous/d"]))
print(os.listdir("asynchronous"), os.path.exists("renamed"), os.path.exists("soon"))
log = logging.getLogger("x")
log.addHandler(logging.FileHandler("t.log"))
log.setLevel("INFO")
threads = [threading.Thread(target=lambda: [log.info("m") for _ in range(100)]) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(open("t.log").readlines()))
unfinished = lines()
print(next(unfinished), next(unfinished))
dies = Log("one")
del dies
dies = Log("two")
dies.itself = dies
del dies
lives = Log("three")


@atexit.register
def last():
    with open("exit.txt", "a") as file:
        file.write("bye\n")
    os.mkdir("at exit")
    np.savetxt("at exit/x.txt", np.arange(3))


folder = tempfile.TemporaryDirectory(dir=".")
left = open("left.txt", "w")
left.write("left open")
threading.Thread(target=lambda: (time.sleep(0.3), open("late.txt", "a").write("late\n"))).start()
print(np.sin(np.arange(2000.0)).sum().round(9))
