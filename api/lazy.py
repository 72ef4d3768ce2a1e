"""Packages whose public names are imported when they are first asked for (PEP 562).

The client stands beside the server: who imports `api.client` need not load a web framework and a
database toolkit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """`__getattr__` of a package: its public names, by the module that has each."""

    def get(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found: object = getattr(import_module(home), name)
        setattr(sys.modules[package], name, found)
        return found

    return get
