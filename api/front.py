"""Which route a request is for, found by its path's shape instead of by asking every route.

The framework asks some three hundred routes one after the other, each with a regular expression.
Here only those are asked whose first and last part and number of parts fit. What none of them
takes (nothing there, another method) goes the framework's way, which knows how to say so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from typing import Final

from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

Shape = tuple[str | None, str | None, int | None]
"""First part of a path, its last, and how many there are; None: whichever."""

_TELEMETRY: Final = "fastapi.telemetry"
"""In the scope where the framework reports its routes: then it has to find them itself."""


class Front:
    """ASGI application in front of a router. `routes` are all of the router's, in its order."""

    def __init__(self, app: ASGIApp, routes: Sequence[Route]) -> None:
        self._app = app
        self.routes = tuple(routes)
        self._places: defaultdict[Shape, list[int]] = defaultdict(list)
        for place, route in enumerate(routes):
            self._places[_shape(route.path)].append(place)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope.get("root_path") and _TELEMETRY not in scope:
            for route in self.fitting(scope["path"]):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    await route.handle(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def fitting(self, path: str) -> list[Route]:
        """Routes that a request for this path may be for, in their order."""
        parts = path.removeprefix("/").split("/")
        shapes = product((parts[0], None), (parts[-1], None), (len(parts), None))
        return [
            self.routes[place]
            for place in sorted(place for shape in shapes for place in self._places.get(shape, ()))
        ]


def _shape(template: str) -> Shape:
    """Of a route's path, such as `/receipts/{id}/split` or `/events/{id:path}`."""
    parts = template.removeprefix("/").split("/")
    first, last = (None if "{" in part else part for part in (parts[0], parts[-1]))
    return first, last, None if ":path}" in template else len(parts)
