"""Programs and processes that a script starts: it prints what they give."""

# mypy: ignore-errors
# (A program as other people write them.)
from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, as_completed, wait
from functools import partial
from subprocess import PIPE, Popen

import numpy as np

os.makedirs("out")
os.chdir("out")
process = Popen(
    ["sh", "-c", "echo a >> f.txt; echo hello; echo error >&2; exit 3"], stdout=PIPE, stderr=PIPE, text=True
)
print(process.communicate(), process.returncode, process.poll(), process.wait())
with Popen("cat > in.bin", shell=True, stdin=PIPE) as process:
    for k in range(3):
        process.stdin.write(np.full(1000, k, np.uint8).tobytes())
print(process.returncode, os.path.getsize("in.bin"))
process = Popen(["sh", "-c", "for i in 1 2 3; do echo $i; done"], stdout=PIPE)
print(list(process.stdout), process.wait())
with Popen(["yes"], stdout=PIPE, text=True) as process:
    print(process.stdout.readline())
print(process.returncode)
process = Popen(["sleep", "100"], stdout=PIPE)
print(process.poll())
process.terminate()
print(process.wait())
try:
    Popen(["sleep", "0.5"]).wait(timeout=0.1)
except subprocess.TimeoutExpired as error:
    print(error)
try:
    Popen(["none-such"])
except FileNotFoundError as error:
    print(error)
print(os.popen("echo of a pipe").read(), subprocess.run(["cat"], input=b"xyz", stdout=PIPE, check=True).stdout)
with open("o.txt", "w") as file:
    Popen(["echo", "to a file"], stdout=file).wait()
print(open("o.txt").read())
# What a program writes into a file that is open is there to be read, and counts.
for file in (tempfile.TemporaryFile(), open("w+", "w+b"), open("a+", "a+b")):
    with file:
        file.write(b"first\n")
        file.flush()
        subprocess.run("echo hello; echo error >&2", shell=True, stdout=file, stderr=file, check=True)
        print(subprocess.call("echo more; exit 3", shell=True, stdout=file))
        Popen(["echo", "later"], stdout=file).wait()
        print(file.tell(), file.seek(0), file.read())
with open("w", "w") as file:
    try:
        subprocess.check_call("echo more; exit 3", shell=True, stdout=file)
    except subprocess.CalledProcessError as error:
        print(error, file.tell())
    file.write("end")
    file.flush()
    print(file.tell())

process = Popen(["echo", "forgotten"], stdout=open("forgotten", "w"))
print(process.wait(), open("forgotten").read())
ends = os.pipe()
process = Popen(["echo", "through a pipe"], stdout=ends[1])
os.close(ends[1])
while os.read(ends[0], 100):
    pass
print(process.wait())

# Processes that are forked, and end by themselves.
sys.stdout.flush()
for ends in ("exit", "raises", "returns"):
    child = os.fork()
    if child == 0:
        with open("forks.txt", "a") as file:
            file.write(ends)
        if ends == "raises":
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            raise ValueError("of a child")
        sys.exit(3 if ends == "exit" else None)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), open("forks.txt").read(), flush=True)


def work(k):
    path = f"{k}.npy"
    if os.path.exists(path):
        return float(np.load(path).sum())
    found = np.arange(k + 1.0)
    np.save(path, found)
    with open("pool.log", "a") as file:
        file.write("x\n")
    return float(found.sum())


def total(scale, x):
    return (scale * x).sum().round(9)


def fail(k):
    raise ValueError(f"failed {k}")


def drawn(k):
    random.seed(os.getpid() + k)
    return random.random()


forks = multiprocessing.get_context("fork")
with forks.Pool(3) as pool:
    print(pool.map(work, range(5)), pool.map(work, (k for k in range(5))), pool.starmap(max, [(1, 2), (3, 4)]))
    try:
        pool.map(fail, [1])
    except ValueError as error:
        print(error)
    results = [pool.apply_async(work, (k,)) for k in range(3)]
    print([result.get() for result in results], results[0].ready(), results[0].successful(), pool.apply(work, (2,)))
    print(list(pool.imap(work, range(4))), sorted(pool.imap_unordered(work, range(4))))
    # (Ranks that went on with other numbers would be told so.)
    numbers = np.full(2000, pool.map(drawn, range(2))[0])
    print((numbers - numbers[0]).sum())
    waves = np.sin(np.arange(8000.0))
    parts = np.array_split(waves, 2)
    print(pool.map(partial(total, 2.0), parts), pool.starmap(total, [(3.0, waves), (4.0, parts[0])]))
    print(pool.apply_async(total, (1.0, waves)).get(), list(pool.imap(partial(total, 1.0), iter(parts))))
    got = []
    for k in range(3):
        pool.apply_async(abs, (-k,), callback=got.append)
    pool.close()
    pool.join()
    print(sorted(got))
with ProcessPoolExecutor(2, mp_context=forks) as executor:
    print(list(executor.map(work, range(3))), list(executor.map(total, [1.0, 2.0], [waves, parts[1]])))
    futures = {executor.submit(total, k, part): k for k, part in enumerate(parts)}
    found = {}
    for future in as_completed(futures):
        found[futures[future]] = future.result()
    print(sorted(found.items()), all(future.done() for future in futures))
    failed = executor.submit(fail, 1)
    try:
        failed.result()
    except ValueError as error:
        print(error, repr(failed.exception()))
    pending, first = {executor.submit(drawn, k) for k in range(4)}, []
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        first += [future.result() for future in done]
    numbers = np.full(2000, first[0])
    print(len(first), (numbers - numbers[0]).sum())
    executor.submit(total, 1.0, waves).add_done_callback(lambda future: got.append(future.result()))
print(sorted(got))


def summed(queue, x):
    queue.put(float(x.sum().round(9)))


def answer(questions, answers):
    while (x := questions.get()) is not None:
        answers.put(float(x.sum().round(9)))


questions, answers = forks.Queue(), forks.Queue()
process = forks.Process(target=summed, args=(answers, waves))
process.start()
print(answers.get(), process.join(), process.exitcode)
process = forks.Process(target=answer, args=(questions, answers))
process.start()
questions.put(waves)
questions.put(None)
print(answers.get(), process.join())
memory = forks.RawArray("d", 4000)


def fill(k):
    np.frombuffer(memory)[k * 1000 : (k + 1) * 1000] = k


with forks.Pool(2) as pool:
    print(pool.map(fill, range(2)), [result.get() for result in [pool.apply_async(fill, (k,)) for k in (2, 3)]])


def fill_file(k):
    part = np.memmap("m.dat", "f8", "r+", shape=(4000,))
    part[k * 1000 : (k + 1) * 1000] = k
    part.flush()


mapped = np.memmap("m.dat", "f8", "w+", shape=(4000,))
with forks.Pool(2) as pool:
    pool.map(fill_file, range(4))
print((np.array(mapped) * np.arange(4000.0)).sum())
print((np.roll(np.frombuffer(memory), 1) * np.arange(4000.0)).sum())
print(open("pool.log").read().count("x"))
