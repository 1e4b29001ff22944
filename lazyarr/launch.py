"""Starting a script on several ranks: the process that starts MPI's, and what each of them does."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import traceback
import types
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import NoReturn

from lazyarr import outside
from lazyarr.imports import code, replace_in
from lazyarr.outside.standard_input import TERMINAL
from lazyarr.settings import variable


class NoMpi(RuntimeError):
    """Nothing can start several processes."""


def launch(
    ranks: int, grid: tuple[int, ...] | None, mpiexec: str | None, script: str, arguments: Sequence[str],
    reproducible: bool = False,
) -> int:  # fmt: skip
    """Start a script on `ranks` ranks; gives the exit code.

    Raises
    ------
    NoMpi
        If mpi4py or an mpiexec is missing.
    """
    place = "" if grid is None else ",".join(map(str, grid))
    words = ["-m", "lazyarr.launch", str(ranks), place, script, *arguments]
    variables = {}
    if reproducible:
        # (With several threads LAPACK rounds otherwise, and how many there are depends on the ranks.)
        one = os.environ.get("OPENBLAS_NUM_THREADS", "1")
        variables = {variable("reproducible"): "1", "OPENBLAS_NUM_THREADS": one}
    return started(ranks, mpiexec, words, variables).returncode


def started(
    ranks: int, mpiexec: str | None, words: Sequence[str], variables: Mapping[str, str] | None = None,
    stdout: int | None = None,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run Python with some words on `ranks` ranks, to its end.

    `variables` are added to the environment.

    Raises
    ------
    NoMpi
        If mpi4py or an mpiexec is missing.
    """
    own = [sys.executable, *words]
    given = {**os.environ, **(variables or {})}
    if ranks == 1:
        return subprocess.run(own, check=False, env=given, stdout=stdout, text=True)
    if find_spec("mpi4py") is None:
        raise NoMpi("mpi4py is not installed; pip install 'lazyarr[mpi]'")
    starter = mpiexec or _mpiexec()
    # One thread a rank unless somebody says otherwise: ranks share the cores.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = str(max(1, cores // ranks))
    environment = {"LAZYARR_THREADS": threads, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads} | given
    if not given.get("PYTHONHASHSEED", "").isdecimal():
        environment["PYTHONHASHSEED"] = "0"  # (Sets of strings have one order on all ranks.)
    if sys.stdin is not None and sys.stdin.isatty():
        environment[TERMINAL] = "1"
    command = [starter, "-n", str(ranks), *own]
    return subprocess.run(command, check=False, env=environment, stdout=stdout, text=True)


def _mpiexec() -> str:
    own = os.path.join(sysconfig.get_path("scripts"), "mpiexec")
    found = own if os.path.exists(own) else shutil.which("mpiexec")
    if found is None:
        raise NoMpi("there is no mpiexec; pip install 'lazyarr[mpi]' brings one")
    return found


def run_script(script: str, arguments: Sequence[str]) -> None:
    """Run a script as ``__main__``, NumPy being lazyarr's."""
    with open(script, "rb") as file:
        compiled = code(file.read(), script)
    module = types.ModuleType("__main__")
    module.__file__ = script
    sys.modules["__main__"] = module
    sys.argv = [script, *arguments]
    folder = sys.path[0] = os.path.dirname(os.path.abspath(script))
    replace_in(folder)
    outside.share(script)
    exec(compiled, vars(module))


def main() -> None:
    """What each rank does: ``python -m lazyarr.launch RANKS GRID SCRIPT ARGUMENTS...``."""
    ranks, grid, script, *arguments = sys.argv[1:]
    from lazyarr import world

    if ranks != "1":
        from mpi4py import MPI

        size = MPI.COMM_WORLD.Get_size()
        if size != int(ranks):
            raise SystemExit(
                f"lazyarr: MPI says that {size} processes run together, {ranks} were asked for: mpi4py "
                f"({MPI.get_vendor()[0]}) is not made for the mpiexec that started them"
            )
        world.init(grid=tuple(map(int, grid.split(","))) if grid else None)
    together = world.current()
    if together is None:
        try:
            run_script(script, arguments)
        except Exception as error:  # noqa: BLE001  printed as Python would, from the script on
            traceback.print_exception(error.with_traceback(_of_script(error.__traceback__)))
            raise SystemExit(1) from None
        return
    # (Registered first, it runs last: what Python finalizes of the script's at the end, it does with ranks, too.)
    atexit.register(gc.enable)
    if together.rank:
        # (Other languages' libraries, and processes that the script starts, print there without Python.)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  for the life of the process
        os.dup2(sys.stdout.fileno(), 1)
        # (All ranks have the same warnings, as they run the same program.)
        warnings.showwarning = _not_shown
    process = os.getpid()
    try:
        try:
            run_script(script, arguments)
        finally:
            outside.end()
        if os.getpid() != process:
            _end_forked(0)
        together.agree("has come to the end of the script")
    except SystemExit as error:
        if os.getpid() != process:
            if isinstance(error.code, str):
                print(error.code, file=sys.stderr)
            _end_forked(error.code if isinstance(error.code, int) else 0 if error.code is None else 1)
        together.agree(f"ends the script with {error.code!r}")
        if together.rank == 0 or isinstance(error.code, int):
            raise
        raise SystemExit(1) from None  # rank 0 says what there is to say
    except BaseException as error:  # noqa: BLE001  it ends all ranks
        lines = traceback.format_exception(error.with_traceback(_of_script(error.__traceback__)))
        if os.getpid() != process:
            print("".join(lines), end="", file=sys.stderr)
            _end_forked(1)
        world.end_all(together, "".join(lines))


def _end_forked(code: int) -> NoReturn:
    """End a process that a rank has forked: as Python does, but for MPI, which is the rank's to end."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # (it waits for the script's threads)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code & 0xFF)


def _not_shown(*args: object, **kwargs: object) -> None:
    """What a warning does on other ranks than 0."""


def _of_script(at: types.TracebackType | None) -> types.TracebackType | None:
    """A traceback from the script's own frames on."""
    while at is not None and at.tb_next is not None and at.tb_frame.f_code.co_filename == __file__:
        at = at.tb_next
    return at


if __name__ == "__main__":
    main()
