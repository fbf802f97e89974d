"""What all Python tests share."""

from __future__ import annotations

import os
import tempfile

# Before the import: what the user has tuned must not choose the kernels of the tests.
CACHE = tempfile.TemporaryDirectory(prefix="lc-tests-")
os.environ["LC_CACHE_DIR"] = CACHE.name

import lightning_core as lc  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402


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
