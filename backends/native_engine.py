"""LLVM: a module's text to machine code in this process."""

from __future__ import annotations

import ctypes
import threading
from functools import cache, lru_cache
from typing import Any

from lazyarr.backends import native_math

_lock = threading.Lock()


@lru_cache(maxsize=1)
def _initialize() -> None:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    native_math.vector_library()


@cache
def has(feature: str) -> bool:
    """Whether this machine's processor has what LLVM calls `feature`."""
    import llvmlite.binding as llvm

    return bool(llvm.get_host_cpu_features().get(feature, False))


def _machine(level: int) -> Any:
    """What to compile for. Not shared: an engine takes its own with it."""
    import llvmlite.binding as llvm

    _initialize()
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3 if level else 0)


def optimized(text: str, level: int = 2) -> Any:
    """The module after LLVM's passes; with level 0, as it is."""
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(text)
    if not level:
        return module
    machine = _machine(level)
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = True
    options.slp_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


class Code:
    """Compiled code; it lives as long as this object.

    At level 0 it is translated as it is, in a tenth of the time: for what takes no time anyway.
    """

    def __init__(self, text: str, level: int = 2):
        import llvmlite.binding as llvm

        with _lock:
            module = optimized(text, level)
            self._engine = llvm.create_mcjit_compiler(module, _machine(level))
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function is."""
        return int(self._engine.get_function_address(name))


class Library(Code):
    """A compiled program."""

    def __init__(self, text: str):
        super().__init__(text)
        self.entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p)(self.address("run"))
