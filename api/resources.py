"""Which methods a resource knows: for OPTIONS, and for the Allow header of a 405."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import Scope


class Resources:
    """All routes of the application, flat."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = routes

    def methods(self, scope: Scope) -> tuple[str, ...]:
        """Methods known at a request's path, sorted; empty where there is nothing."""
        known: set[str] = set()
        for route in self._routes:
            methods = getattr(route, "methods", None)
            for method in methods or ():
                if route.matches({**scope, "method": method})[0] is Match.FULL:
                    known.add(method)
        if not known:
            return ()
        if "GET" in known:
            known.add("HEAD")
        return tuple(sorted(known | {"OPTIONS"}))
