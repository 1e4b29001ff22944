"""Which compiler comes first on this machine: native code on CPUs, XLA where jax has an accelerator."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from functools import lru_cache

from lazyarr import settings

#: What gives jax a device beside the CPU.
_PLUGINS = ("jax-cuda13-plugin", "jax-cuda12-plugin", "jax-rocm7-plugin", "jax-rocm60-plugin")


def has_nvidia() -> bool:
    """Whether the machine has an NVIDIA GPU with its driver."""
    return os.path.exists("/proc/driver/nvidia/version") or shutil.which("nvidia-smi") is not None


@lru_cache(maxsize=1)
def _has_accelerator() -> bool:
    """Whether jax would compute on an accelerator, found out without the second that importing it takes."""
    platforms = os.environ.get("JAX_PLATFORMS") or os.environ.get("JAX_PLATFORM_NAME") or ""
    if platforms.split(",")[0] == "cpu" or not (has_nvidia() or os.path.exists("/dev/kfd")):
        return False
    installed = {d.metadata["Name"].lower() for d in importlib.metadata.distributions() if d.metadata["Name"]}
    return any(plugin in installed for plugin in _PLUGINS)


def first_compiler() -> str:
    """``"native"`` or ``"xla"``: what compiles a program that both can, as the setting `compiler` says."""
    wanted = settings.current.compiler
    if wanted != "auto":
        return wanted
    return "xla" if _has_accelerator() else "native"
