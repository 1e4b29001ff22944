"""What `lazyarr doctor` finds out: versions, devices, MPI, settings, whether the compiler works, and what mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lazyarr import settings
from lazyarr.compilers import has_nvidia
from lazyarr.cores import available, usable_cores

#: Variables of the environment that change what lazyarr, XLA or the libraries below them do.
_VARIABLES = ("JAX_PLATFORMS", "JAX_ENABLE_X64", "JAX_COMPILATION_CACHE_DIR", "XLA_FLAGS", "CUDA_VISIBLE_DEVICES",
              "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # fmt: skip
#: Instruction sets worth naming, as Linux and NumPy call them.
_FEATURES = ("sse4_2", "avx", "fma", "avx2", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve", "sve2")

_NO_MPI = "not installed (optional; for several processes)"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    topic, value : str
    state : {"ok", "missing", "wrong", "broken"}
        "missing" is optional, "wrong" is a value that is not used, with "broken" nothing works.
    mend : str
        The command that mends it, or what to set; empty where nothing has to be mended.
    """

    topic: str
    value: str
    state: str = "ok"
    mend: str = ""


def examine() -> Iterator[Finding]:
    """Everything, in the order it is printed; what takes time last."""
    yield from _versions()
    yield from _machine()
    yield from _settings()
    yield from _optional()
    yield _mpi4py()
    yield _mpiexec()
    yield _devices()
    yield _compiler("XLA", _program, "xla")
    yield _compiler("native code", _sweep, backend="native")


# ------------------------------------------------------------------------------------------------------ packages


def _pip(*words: str) -> str:
    return shlex.join([sys.executable, "-m", "pip", "install", *words])


def _requirements(extra: str = "") -> list[str]:
    """What lazyarr's own metadata asks for: its dependencies, or those of an extra."""
    found = []
    for text in importlib.metadata.requires("lazyarr") or ():
        requirement, _, marker = text.partition(";")
        name = marker.partition("extra ==")[2].strip().strip("'\"")
        if name == extra:
            found.append(requirement.strip())
    return found


def _required(package: str) -> str:
    """The requirement of lazyarr that `package` meets."""
    extras = ("", "mpi", "cuda", "bench", "demo", "test")
    for requirement in (r for extra in extras for r in _requirements(extra)):
        if requirement.partition("[")[0].rstrip("0123456789.,<>=!~ ") == package:
            return requirement
    return package


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _versions() -> Iterator[Finding]:
    yield Finding("lazyarr", _version("lazyarr") or "not installed (run from its source)")
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    for package in ("numpy", "jax", "jaxlib", "llvmlite", "sympy"):
        found = _version(package)
        if found is None:
            needed = "jax" if package == "jaxlib" else package  # jaxlib comes with jax
            yield Finding(package, "not installed", "broken", _pip(_required(needed)))
        else:
            yield Finding(package, found)


def _optional() -> Iterator[Finding]:
    yield _package("numba", "optional; used by the benchmarks only")
    if has_nvidia():
        name = next((n for n in ("cupy-cuda13x", "cupy-cuda12x", "cupy") if _version(n)), None)
        if name is None:
            yield Finding("cupy", "not installed, and there is an NVIDIA GPU", "missing", _pip(*_requirements("cuda")))
        else:
            yield Finding("cupy", str(_version(name)))
    else:
        yield Finding("cupy", _version("cupy") or "not needed: there is no NVIDIA GPU")


def _package(name: str, why: str) -> Finding:
    found = _version(name)
    if found is None:
        return Finding(name, f"not installed ({why})", "missing", _pip(_required(name)))
    return Finding(name, found)


# ------------------------------------------------------------------------------------------------------- machine


def cpu_features() -> list[str]:
    """Instruction sets this CPU has, of those worth naming; empty where the system does not say."""
    try:
        with open("/proc/cpuinfo") as file:
            flags = next((line for line in file if line.lower().startswith(("flags", "features"))), "")
    except OSError:
        return []
    have = set(flags.partition(":")[2].split())
    return [name for name in _FEATURES if name in have]


def _machine() -> Iterator[Finding]:
    yield Finding("system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    total = os.cpu_count() or 1
    yield Finding("cores", f"{usable_cores()} of {total} may be used; XLA starts a thread on each")
    count, why = available()
    if settings.current.threads:
        count, why = settings.current.threads, "the setting threads"
    yield Finding("threads of native code", f"at most {count} ({why})")
    yield Finding("CPU features", " ".join(cpu_features()) or "the system does not say")
    yield _fast_path()


def _fast_path() -> Finding:
    """Whether the extension in C is there."""
    from lazyarr.little.extension import compiled

    topic = "fast path"
    if compiled is None:
        why = "of little arrays: not built; it needs a C compiler and Python's headers"
        return Finding(topic, why, "missing", _pip("--force-reinstall", "--no-deps", "lazyarr"))
    off = "" if settings.current.fast_path else "; the setting fast_path switches it off"
    return Finding(topic, f"of little arrays: built{off}")


def _settings() -> Iterator[Finding]:
    for field in fields(settings.Settings):
        name = settings.variable(field.name)
        wrong = settings.wrong_variables.get(name)
        if wrong is not None:
            mend = f"{name}={field.default} or what was meant, or unset {name}"
            yield Finding(field.name, f"{getattr(settings.current, field.name)} ({wrong})", "wrong", mend)
            continue
        source = f"from {name}" if os.environ.get(name) else f"default; {name}=... changes it"
        yield Finding(field.name, f"{getattr(settings.current, field.name)} ({source})")
    for variable in _VARIABLES:
        if variable in os.environ:
            yield Finding(variable, os.environ[variable])
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        yield Finding("programs of XLA", "kept in this process; JAX_COMPILATION_CACHE_DIR=... keeps them on disk")


# ----------------------------------------------------------------------------------------------------------- MPI


def _mpi4py() -> Finding:
    if importlib.util.find_spec("mpi4py") is None:
        return Finding("mpi4py", _NO_MPI, "missing", _pip(*_requirements("mpi")))
    # In a process of its own: importing it starts MPI, which may abort where it is broken.
    code = "from mpi4py import MPI; print(MPI.Get_library_version().splitlines()[0])"
    done = _run([sys.executable, "-c", code])
    if isinstance(done, str):
        return Finding("mpi4py", f"{_version('mpi4py')}, but it does not start: {done}", "missing",
                       _pip("--force-reinstall", *_requirements("mpi")))  # fmt: skip
    return Finding("mpi4py", f"{_version('mpi4py')}, {done[0].strip()}")


def _mpiexec() -> Finding:
    # The mpich wheel puts mpiexec beside Python, where PATH need not lead.
    beside = os.path.dirname(os.path.abspath(sys.executable))
    found = shutil.which("mpiexec", path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))
    if found is None:
        return Finding("mpiexec", _NO_MPI, "missing", _pip(*_requirements("mpi")))
    return Finding("mpiexec", found)


def _run(command: list[str]) -> tuple[str] | str:
    """The output of a command, in a tuple; or what went wrong."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return (done.stdout,)


# ------------------------------------------------------------------------------------------------------ compiler


def _devices() -> Finding:
    try:
        import jax

        devices = [f"{d.platform}:{d.id} {d.device_kind}".strip() for d in jax.devices()]
    except Exception as error:  # noqa: BLE001  whatever is broken in an installation is the finding
        return Finding("devices", f"jax does not start: {_said(error)}", "broken", _pip("--upgrade", _required("jax")))
    if has_nvidia() and not any(d.startswith(("gpu", "cuda")) for d in devices):
        return Finding("devices", f"{', '.join(devices)}; jax does not see the NVIDIA GPU", "missing",
                       _pip(*_requirements("cuda")))  # fmt: skip
    return Finding("devices", ", ".join(devices))


def _compiler(topic: str, program: Callable[..., Any], backend: str | None = None) -> Finding:
    """Whether a program compiles, by a back end, and gives what NumPy gives."""
    try:
        difference = try_compiler(program=program, backend=backend)
    except Exception as error:  # noqa: BLE001  whatever is broken in an installation is the finding
        return Finding(topic, f"does not work: {_said(error)}", "broken", _pip("--upgrade", *_requirements()))
    if difference > 1e-12:
        return Finding(topic, f"wrong result: differs from NumPy by {difference:.3g}", "broken",
                       _pip("--upgrade", *_requirements()))  # fmt: skip
    what = "a loop" if backend == "native" else "a program"
    return Finding(topic, f"works: {what} was compiled and run, largest difference from NumPy {difference:.3g}")


def try_compiler(
    run: Callable[..., object] | None = None, program: Callable[..., Any] | None = None, backend: str | None = None
) -> float:
    """Compile a small program, run it, and compare with NumPy.

    Parameters
    ----------
    run : callable, optional
        What to compare with NumPy instead of the compiled function.
    program : callable, optional
        The program, of an array of 64 by 65 elements and a number.
    backend : {"native", "xla"}, optional
        What compiles it.

    Returns
    -------
    float
        The largest difference, in units of the largest value.

    Raises
    ------
    RuntimeError
        If the program was not compiled, or not by that back end.
    """
    with settings.settings(compiler=backend or settings.current.compiler):
        return _largest_difference(run, _program if program is None else program, backend)


def _largest_difference(
    run: Callable[..., object] | None, program: Callable[..., Any], backend: str | None
) -> float:
    from lazyarr.tracing.accelerated import Accelerated
    from lazyarr.tracing.decorator import accelerate

    compiled = accelerate(program)
    assert isinstance(compiled, Accelerated)
    rng = np.random.default_rng(0)
    start = rng.random((64, 65))
    # Twice: a program that was compiled for another value of a scalar is the usual case.
    differences: list[Any] = []
    for rate in (0.1, 0.2):
        expected, got = start.copy(), start.copy()
        wanted = float(program(expected, rate))
        total = (compiled if run is None else run)(got, rate)
        differences += [np.abs(got - expected).max(), abs(float(np.asarray(total)) - wanted) / abs(wanted)]
    explanation = compiled.explain(start, 0.1)
    if explanation.mode != "one program":
        raise RuntimeError(f"a small program was not compiled: {explanation.reasons[0].why}")
    if backend is not None and backend not in {region.backend for region in explanation.regions}:
        raise RuntimeError(f"a small program did not run as {backend} code")
    largest = float(np.max(differences))
    return largest if np.isfinite(largest) else float("inf")


def _program(u: np.ndarray[Any, Any], rate: float) -> Any:
    u[1:-1] += rate * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sqrt(u * u + 1).sum()


def _sweep(u: np.ndarray[Any, Any], rate: float) -> Any:
    for i in range(1, u.shape[0] - 1):
        u[i] += rate * (u[i + 1] - u[i - 1])
        if u[i, 0] > 1:
            u[i] *= rate
    return u.sum()


def _said(error: BaseException) -> str:
    text = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
