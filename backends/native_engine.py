"""LLVM: a module's text to machine code in this process."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from lazyarr import forks
from lazyarr.backends import native_math

#: Held while code is compiled. (A handler of a signal may fork meanwhile, in the same thread.)
_lock = threading.RLock()


def _locks() -> list[Any]:
    """Of lazyarr and of llvmlite: those that are held while LLVM is in the middle of something."""
    library = getattr(sys.modules.get("llvmlite.binding.ffi"), "lib", None)  # none while it is imported
    return [_lock, *([library._lock] if library else [])]


forks.hold(_locks)


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

    Attributes
    ----------
    is_new : bool
        Whether it was made of the text.

    Parameters
    ----------
    text : str
        Not looked at if there is machine code already.
    level : int
    machine_code : bytes, optional
    symbols : mapping of str to int
        Addresses of external names that are this code's alone.
    """

    def __init__(self, text: str, level: int = 2, machine_code: bytes | None = None,
                 symbols: Mapping[str, int] | None = None):  # fmt: skip
        import llvmlite.binding as llvm

        made: list[bytes] = []
        with _lock:
            for name, address in (symbols or {}).items():
                llvm.add_symbol(name, address)
            module = optimized(text, level) if machine_code is None else llvm.parse_assembly("")
            self._engine = llvm.create_mcjit_compiler(module, _machine(level))
            self._engine.set_object_cache(lambda _, code: made.append(code), lambda _: machine_code)
            self._engine.finalize_object()
            self._engine.set_object_cache()
        self.is_new = machine_code is None
        #: Until it has been kept.
        self._made = made

    def take_machine_code(self) -> bytes:
        """What has been made of the text, as an object file: the same code in another process, whatever its symbols."""
        return self._made.pop()

    def address(self, name: str) -> int:
        """Where a function is."""
        return int(self._engine.get_function_address(name))


class Library(Code):
    """A compiled program."""

    def __init__(self, text: str, machine_code: bytes | None = None, symbols: Mapping[str, int] | None = None):
        super().__init__(text, 2, machine_code, symbols)
        self.entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p)(self.address("run"))


def known(name: str) -> bool:
    """Whether the linker finds a name in this process."""
    import llvmlite.binding as llvm

    _initialize()
    return llvm.address_of_symbol(name) is not None


@lru_cache(maxsize=1)
def machine() -> tuple[str, ...]:
    """What machine code depends on besides its text: LLVM, the processor, the C library."""
    import llvmlite
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features().flatten()
    library = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", {}) else ""
    version = ".".join(map(str, llvm.llvm_version_info))
    return llvmlite.__version__, version, llvm.get_process_triple(), llvm.get_host_cpu_name(), features, library or ""
