"""The files of checkpoints: a folder for each, which takes its name when it is complete."""

from __future__ import annotations

import os
import pickle
import shutil
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from lazyarr import world
from lazyarr.checkpoints.state import SMALL, Stored, sum_of
from lazyarr.files.parts import raise_alike
from lazyarr.numpy._files import write

#: What the file of all but the large arrays is called, and begins with.
_STATE, _MAGIC = "state", b"lazyarr checkpoint 1\n"
#: Complete checkpoints that are kept.
_KEPT = 2


class Damaged(Exception):
    """A checkpoint is not what was written."""


def found(path: str) -> list[int]:
    """The iterations of which there are complete checkpoints in a folder, the last first; of rank 0, for all."""

    def look() -> list[int]:
        names = os.listdir(path) if os.path.isdir(path) else []
        return sorted((int(name) for name in names if name.isdecimal()), reverse=True)

    there: list[int] = _of_first(look)
    return there


def _of_first(function: Callable[[], Any]) -> Any:
    """What a function gives on rank 0."""
    together = world.current()
    result = world.once("checkpoint", function)
    return result if together is None else together.communicator.from_first(result)


def save(path: str, done: int, header: dict[str, Any], arrays: list[Stored]) -> None:
    """Save a checkpoint; older ones than the one before it go.

    Raises
    ------
    OSError
        On every rank, if it cannot be written; those that are there stay.
    """
    name = f"{done:08d}"
    new = os.path.join(path, f"{name}.part")
    world.once("checkpoint", lambda: _begin(new))
    try:
        described: list[Stored] = []
        for k, stored in enumerate(arrays):
            described.append(replace(stored, data=_write(new, k, stored), checksum=sum_of(stored.data)))
        text = pickle.dumps({**header, "arrays": described}, protocol=5)
        world.once("checkpoint", lambda: _finish(path, name, text))
    except OSError:
        world.once("checkpoint", lambda: shutil.rmtree(new, ignore_errors=True))
        raise


def _begin(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    os.makedirs(folder)


def _write(folder: str, number: int, stored: Stored) -> Any:
    """Write an array's file; gives its elements where they are few, and go with the rest."""
    path = os.path.join(folder, f"{number}.npy")
    if isinstance(stored.data, world.Part):
        write(path, stored.data)
        together = stored.data.world
        assert together is not None
        error: Exception | None = None
        try:
            _to_disk(path)
        except OSError as raised:
            error = raised
        try:
            raise_alike(together, error)
        finally:
            del error
        return None
    if stored.data.nbytes < SMALL:
        return np.array(stored.data)

    def begin() -> None:
        np.save(path, stored.data)
        _to_disk(path)

    world.once("checkpoint", begin)
    return None


def _to_disk(path: str) -> None:
    """Have the system write what it holds of a file, or of a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _finish(path: str, name: str, text: bytes) -> None:
    new, complete = (os.path.join(path, n) for n in (f"{name}.part", name))
    state = os.path.join(new, _STATE)
    with open(state, "wb") as out:
        out.write(_MAGIC + zlib.crc32(text).to_bytes(4, "little") + text)
    _to_disk(state)
    _to_disk(new)
    if os.path.isdir(complete):
        shutil.rmtree(complete)  # of a run that went on from one before it
    os.rename(new, complete)
    _to_disk(path)
    others = sorted((n for n in os.listdir(path) if n.isdecimal() and int(n) < int(name)), key=int)
    for old in others[: max(0, len(others) + 1 - _KEPT)]:
        shutil.rmtree(os.path.join(path, old))


def load(path: str, done: int) -> tuple[dict[str, Any], list[Stored]]:
    """A checkpoint, its arrays split as they are when they are made now.

    Raises
    ------
    Damaged
        On every rank, if anything is missing or is not as it was written.
    """
    folder = os.path.join(path, f"{done:08d}")

    def read() -> bytes:
        try:
            with open(os.path.join(folder, _STATE), "rb") as file:
                data = file.read()
        except OSError as error:
            raise Damaged(str(error)) from error
        text = data[len(_MAGIC) + 4 :]
        if not data.startswith(_MAGIC) or zlib.crc32(text) != int.from_bytes(data[len(_MAGIC) :][:4], "little"):
            raise Damaged(f"{os.path.join(folder, _STATE)} is not complete")
        return text

    header = pickle.loads(_of_first(read))
    arrays: list[Stored] = header.pop("arrays")
    for k, stored in enumerate(arrays):
        file = os.path.join(folder, f"{k}.npy")
        if stored.data is None:
            stored.data = _read(file, stored)
        if sum_of(stored.data) != stored.checksum:
            raise Damaged(f"{file} is not what was written")
    return header, arrays


def _read(path: str, stored: Stored) -> Any:
    together = world.current()
    data, error = None, None
    try:
        held = np.lib.format.open_memmap(path, mode="r")
        if (held.shape, held.dtype) != (stored.shape, stored.dtype):
            raise ValueError(f"it holds an array of shape {held.shape} and dtype {held.dtype}")
        layout = world.entering(stored.shape) if stored.kind == "lazy" else None
        data = np.array(held) if layout is None or together is None else world.Part.of(held, layout, together)
    except (OSError, ValueError) as raised:
        error = Damaged(f"{path}: {raised}")
    try:
        if together is not None:
            raise_alike(together, error)
        elif error is not None:
            raise error
    finally:
        del error
    return data
