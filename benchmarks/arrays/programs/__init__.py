"""One program a file: `make(n)` gives arguments of about `n` elements for `run`.

``KIND`` is its class, ``MOST`` (and ``LEAST``) the numbers of elements up to which (from which on) it is measured, with
``ALSO`` besides those that all have, ``PASSES`` how often it has to go over its arrays if memory is what bounds it,
``CHANGED`` the positions of the arguments that `run` changes in place. Calls may follow one another on the same
arguments: what changes in place stays bounded. The same programs written by hand for other libraries are in the folders
beside this one, under the same names; where `with_jax` has none, it is `jax.jit` of the same lines with `jax.numpy` for
``np``, which is how one would write it.
"""

from __future__ import annotations
