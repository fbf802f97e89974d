"""Matmul, attention, convolution and fused inference pipelines, with execution policy as a value.

>>> import numpy as np, lightning_core as lc
>>> a = np.ones((2, 3), np.float32)
>>> lc.matmul2d(a, a.T)
array([[3., 3.],
       [3., 3.]], dtype=float32)
>>> with lc.policy(device="cpu", fallback="deny"):
...     y = lc.matmul2d(a, a.T)
>>> lc.last_receipt().selected_device
'cpu'
"""

from __future__ import annotations

from . import _native, errors
from ._native import *  # noqa: F403
from ._native import __version__
from .errors import (
    DriverError,
    FallbackWarning,
    InvalidTypeError,
    InvalidValueError,
    LightningError,
    NotInitializedError,
    NotSupportedError,
    OutOfMemoryError,
)
from . import api  # noqa: E402
from ._graph import Graph, GraphTensor, graph  # noqa: E402
