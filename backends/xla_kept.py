"""XLA's executables that are kept for later processes (`lazyarr.disk`), by the program they were compiled from.

A later process still lowers the graph, for the key is jax's own text of the program, and lowering is what loads the
libraries that an executable calls: one that is loaded without them ends the process.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from typing import Any

from lazyarr import disk
from lazyarr.backends import native_kept

_KIND = "xla"
#: What jax and XLA read of the environment.
_PREFIXES = ("XLA_", "JAX_", "TF_", "CUDA_", "NVIDIA_")


def compiled(jax: Any, lowered: Any, donate: Sequence[int]) -> Any:
    """The executable of what jax has lowered: from the disk, or compiled, and then kept.

    Parameters
    ----------
    jax : module
    lowered : jax.stages.Lowered
    donate : sequence of int
        Parameters whose buffers the results may reuse.
    """
    key = _key(jax, lowered, donate)
    if key and (found := _load(lowered, disk.get(_KIND, key))) is not None:
        return found
    executable = lowered.compile()
    if key:
        _keep(key, executable)
    return executable


def _key(jax: Any, lowered: Any, donate: Sequence[int]) -> str:
    """Everything that an executable depends on; empty if it is not to be kept."""
    text = lowered.as_text()
    # (A callback is an address in this process.)
    if disk.folder() is None or "callback" in text or not native_kept.world():
        return ""
    device = jax.devices()[0]
    variables = sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith(_PREFIXES))
    compiler = (jax.__version__, jax.lib.__version__, device.client.platform_version)
    devices = (device.platform, device.device_kind, str(jax.device_count()), str(os.cpu_count()))
    return disk.digest(_KIND, native_kept.world(), *compiler, *devices, *variables, str(tuple(donate)), text)


def _load(lowered: Any, payload: bytes | None) -> Any:
    """What was kept; None if there is nothing, or this jax does not take it."""
    if payload is None:
        return None
    from jax.experimental.serialize_executable import deserialize_and_load

    try:
        return deserialize_and_load(payload, lowered.in_tree, lowered.out_tree)
    except (ValueError, RuntimeError, pickle.UnpicklingError) as error:
        disk.note(f"An executable of XLA's was not loaded: {error}")
        return None


def _keep(key: str, executable: Any) -> None:
    from jax.experimental.serialize_executable import serialize

    try:
        payload, _, _ = serialize(executable)
    except (ValueError, RuntimeError, NotImplementedError) as error:
        disk.note(f"An executable of XLA's cannot be kept: {error}")
        return
    disk.put(_KIND, key, payload)
