"""Transformed functions do what the functions do: values, effects in order, exceptions with their lines."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.control_compare import check
from tests.control_poison import PoisoningControl
from tests.control_random import random_function
from tests.control_snippets import SNIPPETS

EXAMPLES = int(os.environ.get("LAZYARR_FUZZ_EXAMPLES", "600"))


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippet(name: str) -> None:
    text, calls = SNIPPETS[name]
    check(text, *calls)


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippet_reads_only_what_is_live(name: str) -> None:
    text, calls = SNIPPETS[name]
    check(text, *calls, control=PoisoningControl())


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES <= 2000,
    suppress_health_check=list(HealthCheck),
)
def test_random_programs(random: Random) -> None:
    text = random_function(random)
    try:
        compile(text, "program", "exec")
    except SyntaxError:
        return
    check(text, (1, 2, [3, 1, 0]), (0, 3, [1, 1, 2]), control=PoisoningControl())
