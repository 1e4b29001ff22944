"""What ``import lazyarr`` may do to a process: nothing that is seen, nothing heavy, nothing to jax."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import lazyarr


def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter that must end well."""
    done = subprocess.run([sys.executable, *options, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_import_is_silent() -> None:
    done = run("import lazyarr", "-W", "error")
    assert (done.stdout, done.stderr) == ("", "")


def test_import_leaves_heavy_packages_alone() -> None:
    heavy = ("jax", "jaxlib", "sympy", "scipy", "matplotlib", "mpi4py", "cupy", "numba", "llvmlite")
    done = run(f"import sys, lazyarr, lazyarr.numpy; print([name for name in {heavy} if name in sys.modules])")
    assert done.stdout.strip() == "[]"


def test_jax_waits_for_the_first_value() -> None:
    done = run(
        "import sys\n"
        "import lazyarr.numpy as np\n"
        "a = np.arange(100.0).reshape(10, 10)\n"
        "b = (a[1:] + a[:-1]).sum(axis=0)\n"
        "before = 'jax' in sys.modules\n"
        "print(before, float(b[0]))\n"
    )
    assert done.stdout.split() == ["False", "810.0"]


def test_loops_do_without_jax(tmp_path: Path) -> None:
    # In a file: a function without source keeps its loops in Python.
    program = tmp_path / "loops.py"
    program.write_text(
        "import sys\n"
        "import numpy as np\n"
        "import lazyarr\n"
        "@lazyarr.accelerate\n"
        "def relax(u, tol):\n"
        "    times, change = 0, tol + 1\n"
        "    while change > tol:\n"
        "        before = u.copy()\n"
        "        for i in range(1, len(u) - 1):\n"
        "            u[i] = 0.5 * (u[i - 1] + u[i + 1])\n"
        "        change = np.abs(u - before).max()\n"
        "        times += 1\n"
        "    return times\n"
        "u = np.zeros(20)\n"
        "u[0] = 1.0\n"
        "v = u.copy()\n"
        "print(relax(u, 1e-3) == relax.function(v, 1e-3), (u == v).all(), relax.explain(u, 1e-3).mode)\n"
        "print([name for name in ('jax', 'jaxlib', 'sympy', 'scipy') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["True True one program", "[]"], done.stderr


def test_jax_settings_stay_the_users() -> None:
    run(
        "import jax\n"
        "import jax.numpy as jnp\n"
        "before = dict(jax.config.values)\n"
        "import lazyarr\n"
        "import lazyarr.numpy as np\n"
        "assert dict(jax.config.values) == before\n"
        "f = lazyarr.accelerate(lambda x: x * 2.0)\n"
        "import numpy\n"
        "for n in (1, 10, 200_000):\n"
        "    x = numpy.linspace(0.0, 1.0, n)\n"
        "    assert f(x).dtype == numpy.float64\n"
        "    assert numpy.asarray(np.asarray(x) + 1.0).dtype == numpy.float64\n"
        "assert dict(jax.config.values) == before, set(jax.config.values.items()) ^ set(before.items())\n"
        "assert jnp.arange(3.0).dtype == jnp.float32\n"
        "assert jax.jit(lambda x: x + 1)(numpy.ones(3)).dtype == jnp.float32\n"
    )


def test_version_is_the_installed_one() -> None:
    assert lazyarr.__version__ == importlib.metadata.version("lazyarr")
    text = Path(lazyarr.__file__).with_name("_version.py").read_text()
    assert f'"{lazyarr.__version__}"' in text
