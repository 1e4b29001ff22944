"""What scripts on ranks, and the modules beside them, import for NumPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FILES = {
    "script.py": """
import importlib
import sys
import numpy as np
import helper
from package import inner
from package.deep.leaf import area
late = importlib.import_module("late")
import installed

x = np.arange(4000.0)
print(type(x).__name__, helper.kind(), inner.kind(), late.KIND, installed.KIND)
print(helper.total(x), inner.root(x[4]), area(2.0), helper.__file__.endswith("helper.py"))
print(isinstance(x, helper.np.ndarray), [name for name in sys.modules if "lazyarr_fake" in name])
""",
    "helper.py": """
import numpy as np
def kind(): return type(np.zeros(3000)).__name__
def total(x): return float(np.sqrt(x).sum().round(6))
""",
    "package/__init__.py": "",
    "package/inner.py": """
from numpy import sqrt, zeros
from . import deep
def kind(): return type(zeros(3000)).__name__
def root(x): return float(sqrt(x))
""",
    "package/deep/__init__.py": "",
    "package/deep/leaf.py": """
import numpy
def area(r): return round(float(numpy.pi * numpy.array([r]).sum() ** 2), 6)
""",
    "late.py": "import numpy.linalg\nimport numpy\nKIND = type(numpy.ones(3000)).__name__\n",
    "env/site-packages/installed.py": "import numpy\nKIND = type(numpy.ones(3000)).__name__\n",
}


def typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    script = folder / "script.py"
    script.write_text(f"import sys\nsys.path.append({str(folder / 'env' / 'site-packages')!r})\n" + FILES["script.py"])
    command = [sys.executable, "-m", "lazyarr", "run", *words, str(script)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, cwd=folder.parent)


@pytest.mark.parametrize("ranks", ["1", "2"])
def test_modules_beside_the_script(tmp_path: Path, ranks: str) -> None:
    done = typed(tmp_path, "-n", ranks)
    assert done.returncode == 0, done.stderr
    kinds, values, rest = done.stdout.splitlines()
    assert kinds == "LazyArray LazyArray LazyArray LazyArray ndarray"
    total, *others = values.split()
    assert abs(float(total) - np.sqrt(np.arange(4000.0)).sum()) < 1e-5
    assert others == ["2.0", "12.566371", "True"]
    assert rest == "True []"
    # What is kept of these modules is as they are written: another program finds NumPy in them.
    plain = "import helper, late; print(helper.kind(), late.KIND)"
    other = subprocess.run([sys.executable, "-c", plain], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert other.stdout == "ndarray ndarray\n"


def test_a_traceback_begins_in_the_script(tmp_path: Path) -> None:
    script = tmp_path / "wrong.py"
    script.write_text("import numpy as np\nx = np.zeros(3)\nprint(x.shape)\nx[5]\n")
    command = [sys.executable, "-m", "lazyarr", "run", "-n", "1", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 1
    assert done.stdout == "(3,)\n"
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert f'File "{script}", line 4, in <module>' in lines[1]
    assert lines[-1].startswith("IndexError: index 5 is out of bounds")
    assert "launch.py" not in done.stderr
