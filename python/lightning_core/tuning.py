"""The store of measured choices: where it is, what is in it, and moving it between machines.

It is filled by :func:`lightning_core.tune`, by the command ``lc tune`` and by calls under ``Policy(tune="on")``.
"""

from __future__ import annotations

from ._native import _tuning_clear as clear
from ._native import _tuning_entries as entries
from ._native import _tuning_export as export
from ._native import _tuning_fit as fit
from ._native import _tuning_merge as merge
from ._native import _tuning_path as path

__all__ = ["clear", "entries", "export", "fit", "merge", "path"]
