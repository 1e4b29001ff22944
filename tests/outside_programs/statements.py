"""What a script does to files and folders, one statement after the other; it prints what it finds."""

# mypy: ignore-errors
# (A program as other people write them.)
from __future__ import annotations

import csv
import datetime
import glob
import gzip
import json
import logging
import os
import pathlib
import pickle
import shelve
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zipfile

import numpy as np


def raised(function, *args):
    try:
        function(*args)
    except (OSError, ValueError, LookupError, subprocess.CalledProcessError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


os.makedirs("out")
os.chdir("out")
logging.basicConfig(filename="run.log", level=logging.INFO, format="%(message)s")

# Files that are written, and where one is in them.
with open("a.txt", "a") as file:
    file.write("one\n")
    print(file.tell(), file.name, file.mode)
with open("a.txt", "a") as file:
    print(file.tell())
    file.write("two\n")
    file.flush()
    os.fsync(file.fileno())
    print(file.tell(), os.fstat(file.fileno()).st_size)
print(open("a.txt").read())
for k in range(3):
    with open("r.csv", "a", newline="") as file:
        writer = csv.writer(file)
        if file.tell() == 0:
            writer.writerow(["k", "v"])
        writer.writerow([k, float(np.sin(np.arange(2000.0) * k).sum().round(6))])
    logging.info("step %d", k)
print(np.loadtxt("r.csv", delimiter=",", skiprows=1), open("run.log").read())
with open("u.txt", "w+") as file:
    file.write("hello")
    file.seek(0)
    print(file.read())
with open("u.txt", "r+") as file:
    print(file.read())
    file.write(" more")
    file.seek(0)
    file.write("J")
with open("u.txt", "a+") as file:
    file.seek(0)
    file.write("!")
    file.seek(0)
    print(file.read())
with open("s.bin", "wb") as file:
    np.savetxt(file, np.arange(3))
    np.save(file, np.arange(2000.0))
    np.arange(2000.0).tofile(file)
    print(file.tell())
    file.seek(3)
    file.write(b"zz")
    print(file.tell())
    file.truncate(100)
    print(file.seek(0, 2))
with open("unbuffered", "xb", buffering=0) as file:
    print(file.write(b"abc"), file.tell())
number = os.open("lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
print(os.write(number, b"1"))
os.close(number)

# What goes wrong.
print(raised(os.open, "lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
print(raised(open, "unbuffered", "x"))
print(raised(open, "none/x", "w"), raised(open, "none"), raised(open, ".", "w"))
print(raised(open, "a.txt", "rw"), raised(open, "a.txt", "wb", -1, "utf-8"), raised(open, "w.txt", "w", -1, "no code"))
print(raised(os.remove, "none"), raised(os.listdir, "none"), raised(np.loadtxt, "none"))
print(raised(subprocess.check_call, ["false"]))



# (A frame that an error remembers keeps its files open, unless the error dies.)
def reports(path, missing):
    report = open(path, "w")
    report.write("42\n")
    print(raised(missing, "none/x"))


reports("r1.txt", os.path.getsize)
reports("r2.txt", open)
reports("r3.txt", lambda path: np.save(path, np.arange(2000.0)))
print([open(f"r{k}.txt").read() for k in (1, 2, 3)])


def stops(folder, names):
    raise SystemExit("stop")


try:
    shutil.copytree(".", "never", ignore=stops)
except SystemExit as error:
    print(repr(error))

# What comes but once.
os.mkfifo("pipe")
os.system("(printf '1\n2\n' > pipe) &")
print(open("pipe").read())
os.system("(printf '1\n2\n' > pipe) &")
print(open("pipe", "rb").readlines())
os.system("(printf '1\n2\n' > pipe) &")
print(np.loadtxt("pipe"))
os.system("(cat pipe > of_pipe) &")
number = os.open("pipe", os.O_WRONLY)
print(os.write(number, b"to a pipe"))
os.close(number)
os.remove("pipe")

# Functions as values.
print(pickle.loads(pickle.dumps([os.stat, open, os.open])) == [os.stat, open, os.open])


class Opens:
    how = open


for how in ("wb", "ab", "a+b", "r+b"):
    with Opens().how("how", how) as file:
        print(file.mode)
with open("how2", "xb") as file:
    print(file.mode, file.raw.mode)
if hasattr(os, "O_TMPFILE"):
    number = os.open(".", os.O_TMPFILE | os.O_RDWR)
    print(os.write(number, b"abc"))
    os.close(number)
os.remove("how2")

# What packages of Python's write.
json.dump({"a": 1}, open("c.json", "w"))
print(json.load(open("c.json")))
pickle.dump(np.arange(2000.0).tolist(), open("p.pkl", "wb"))
print(sum(pickle.load(open("p.pkl", "rb"))))
with gzip.open("g.gz", "wt") as file:
    file.write("zipped")
print(gzip.open("g.gz", "rt").read())
pathlib.Path("t.txt").write_text("hi")
with zipfile.ZipFile("z.zip", "w") as archive:
    archive.write("t.txt")
    archive.writestr("k", "v")
with zipfile.ZipFile("z.zip") as archive:
    archive.extractall("unzipped")
with tarfile.open("t.tgz", "w:gz") as archive:
    archive.add("unzipped")
with tarfile.open("t.tgz") as archive:
    archive.extractall("untarred")
with shelve.open("kept") as kept:
    kept["n"] = kept.get("n", 0) + 1
with shelve.open("kept") as kept:
    kept["n"] += 1
    print(dict(kept))
base = sqlite3.connect("base.db")
base.execute("create table t (a, b)")
for k in range(3):
    base.execute("insert into t values (?, ?)", (k, k * k))
base.commit()
other = sqlite3.connect("base.db")
print(base.execute("select sum(b) from t").fetchall(), other.execute("select count(*) from t").fetchall())
base.close()
other.close()
for k in range(2):
    # (Others have another file under its name.)
    if os.path.exists("again.db"):
        os.remove("again.db")
    shutil.copy("base.db", "copied.db")
    again, copied = sqlite3.connect("again.db"), sqlite3.connect("copied.db")
    again.execute("create table t (a)")
    again.execute("insert into t values (1)")
    copied.execute("insert into t values (1, 1)")
    again.commit()
    copied.commit()
    second = sqlite3.connect("again.db")
    print([base.execute("select count(*) from t").fetchall() for base in (again, second, copied)])
    for base in (again, second, copied):
        base.close()
    for name in glob.glob("anew*"):
        os.remove(name)
    with shelve.open("anew") as kept:
        print(len(kept))
        kept["k"] = k
with shelve.open("anew") as kept:
    print(dict(kept))

# Folders.
os.mkdir("d")
print(raised(os.mkdir, "d"))
os.rename("p.pkl", "d/q.pkl")
print(sorted(os.listdir("d")), os.path.exists("p.pkl"), os.path.getsize("d/q.pkl"))
pathlib.Path("x/y").mkdir(parents=True, exist_ok=True)
pathlib.Path("x/y/z").touch()
for root, folders, files in os.walk("."):
    folders.sort()
    print(root, folders, sorted(files))
print(sorted(glob.glob("d/*")), sorted(p.name for p in pathlib.Path("d").iterdir()))
print(sorted(map(str, pathlib.Path(".").rglob("*.json"))), pathlib.Path("t.txt").read_text())
shutil.copy2("t.txt", "t2.txt")
print(os.path.getmtime("t.txt") == os.path.getmtime("t2.txt"))
print(shutil.move("t2.txt", "d"), shutil.copytree("d", "d2"), shutil.rmtree("x"))
with os.scandir("d") as entries:
    print(sorted((e.name, e.path, e.is_dir(), e.is_file(), e.is_symlink(), e.stat().st_size) for e in entries))
os.symlink("loop", "d/loop")
print(sorted((root, sorted(folders), sorted(files)) for root, folders, files in os.walk("d")))
with os.scandir("d") as entries:
    [entry] = [entry for entry in entries if entry.name == "loop"]
print(raised(entry.is_dir), raised(entry.stat))
os.remove("d/loop")
now = datetime.datetime.now().strftime("%S.%f")
os.mkdir(now)
with open(f"{now}/a.txt", "w") as file:
    file.write("of now")
np.save(f"{now}/a.npy", np.arange(2000.0))
print(open(f"{now}/a.txt").read(), np.load(f"{now}/a.npy").sum())
os.rename(now, "now")
print(subprocess.run("echo x >> s.txt; wc -l < s.txt", shell=True, capture_output=True, text=True).stdout.strip())
print(os.system("echo y >> s.txt"), open("s.txt").read().split())

# Temporary ones.
folder = tempfile.mkdtemp(dir=".")
with open(os.path.join(folder, "f"), "w") as file:
    file.write("abc")
print(open(os.path.join(folder, "f")).read())
shutil.rmtree(folder)
with tempfile.TemporaryDirectory(dir=".") as folder:
    np.save(folder + "/a.npy", np.arange(5))
    print(np.load(folder + "/a.npy"), os.listdir(folder))
with tempfile.NamedTemporaryFile("w+", dir=".") as file:
    file.write("text")
    file.flush()
    print(open(file.name).read())
    file.write("text")
    file.seek(0)
    print(file.read(), os.path.exists(folder), os.path.exists(file.name))
print(os.path.exists(file.name))
file = tempfile.NamedTemporaryFile(dir=".", delete=False)
file.write(b"abc")
file.close()
print(os.path.getsize(file.name), os.unlink(file.name))
number, name = tempfile.mkstemp(dir=".")
os.write(number, b"abcd")
os.close(number)
print(open(name).read(), os.remove(name))
with tempfile.TemporaryFile() as file:
    file.write(b"x")
    file.seek(0)
    print(file.read())

# Files in memory.
held = np.memmap("m.dat", dtype="f8", mode="w+", shape=(1000,))
held[:] = np.arange(1000)
held.flush()
print(np.fromfile("m.dat").sum(), np.memmap("m.dat", dtype="f8", mode="r").sum())
held[0] = 7
del held
held = np.memmap("m.dat", dtype="f8", mode="r+")
held += 1
held.flush()
seen, other = (np.memmap("m.dat", dtype="f8", mode=mode) for mode in ("r", "r+"))
held[1], other[2] = 100.0, 200.0
print(held.sum(), seen.sum(), other.sum(), (np.array(seen) * np.arange(1000.0)).sum())
left = np.lib.format.open_memmap("n.npy", mode="w+", dtype="f8", shape=(10, 10))
left[3] = 4.0
left.flush()
print(np.load("n.npy").sum())
held = np.load("n.npy", mmap_mode="r+")
held += 1
print(type(held).__name__, os.path.basename(held.filename), held.sum())
held.flush()
held = np.lib.format.open_memmap("n.npy", mode="r+")
held += 1
held.flush()
print(np.load("n.npy").sum())

# What other packages write.
try:
    from PIL import Image
except ImportError:
    pass
else:
    Image.fromarray((np.outer(np.arange(60), np.arange(60)) % 251).astype(np.uint8)).save("image.png")
    print(sum(Image.open("image.png").tobytes()))
