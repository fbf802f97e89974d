"""Weights that stay on the device, packed once, for inference: make a layer, then call it with each activation.

>>> import numpy as np, lightning_core as lc
>>> layer = lc.resident.linear(np.ones((2, 3), np.float32), activation="relu")
>>> layer(np.ones((4, 3), np.float32)).shape
(4, 2)
"""

from __future__ import annotations

from ._native import _resident

__all__ = ["Resident", "ffn", "layer_norm_projection", "linear", "matmul"]

# The native functions are taken over as they are: a wrapper would cost more than a small call.
for _name in __all__:
    globals()[_name] = getattr(_resident, _name)
del _name
