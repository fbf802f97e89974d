"""Finds shared libraries that come in Python wheels."""

from __future__ import annotations

import ctypes
from importlib import metadata
from pathlib import Path


def open_wheel_library(package: str, stem: str) -> ctypes.CDLL:
    """The library named ``lib<stem>.so...`` of an installed wheel.

    Raises ImportError if the package is not installed, OSError if it holds no such library.
    """
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError as error:
        raise ImportError(f"package {package} is not installed") from error
    for file in sorted(files, key=lambda f: len(f.name)):
        if file.name.startswith((f"lib{stem}.so", f"lib{stem}.dylib")):
            return ctypes.CDLL(str(Path(str(file.locate())).resolve()))
    raise OSError(f"package {package} holds no lib{stem}")
