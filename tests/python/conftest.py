"""What all Python tests share."""

from __future__ import annotations

import lightning_core as lc
import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(autouse=True)
def same_defaults():
    """A test that changes a process default does not change it for the next one."""
    before, threads = lc.default_policy(), lc.get_num_threads()
    yield
    lc.set_default_policy(before)
    lc.set_num_threads(threads)
