"""A self-energy: small matrix products of Green's functions and phonon spectra, summed over momenta and energies.

Sigma(k, E) = sum over q, w of dH(q) G(k - q, E - w) dH(q)^T D(q, w). (Datta, Electronic Transport in Mesoscopic
Systems, 8.4, with one phonon branch and blocks of orbitals.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (3, 4, 2, 3), "bench": (6, 24, 10, 8)}


def make(size):
    momenta, energies, frequencies, orbitals = size
    rng = np.random.default_rng(40)

    def matrices(*shape):
        return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)

    green = matrices(momenta, energies, orbitals, orbitals)
    coupling = matrices(momenta, orbitals, orbitals)
    return green, coupling, rng.random((momenta, frequencies))


def run(green, coupling, spectrum):
    momenta, energies = green.shape[:2]
    sigma = np.zeros_like(green)
    for k in range(momenta):
        for e in range(energies):
            for q in range(momenta):
                for w in range(spectrum.shape[1]):
                    if e >= w:
                        product = coupling[q] @ green[k - q, e - w] @ coupling[q].T
                        sigma[k, e] += spectrum[q, w] * product
    return sigma
