"""Entry point of ``python -m lightning_core.bench``."""

import sys

from lightning_core.bench.cli import main

if __name__ == "__main__":
    sys.exit(main())
