"""Parameters of a query: one that is not understood is refused, lest it be thought to hold."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute

from api.errors import ProblemPart, QueryInvalid


def check_parameters(request: Request) -> None:
    """Raises `QueryInvalid` for a parameter that the route does not have."""
    route = request.scope.get("route")
    if not request.url.query or not isinstance(route, APIRoute):
        return
    known = _known(route)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise unknown_parameter(unknown[0], known)


def unknown_parameter(name: str, known: frozenset[str]) -> QueryInvalid:
    """The problem: with what there is."""
    there = ", ".join(sorted(known)) or "none"
    detail = f"{name[:40]}: there is no such parameter here; there are: {there}"
    return QueryInvalid(detail, errors=[ProblemPart(detail, parameter=name[:40])])


def _known(route: APIRoute) -> frozenset[str]:
    """By the route's signature, and by what it says of itself beside that."""
    declared = {field.alias for field in route.dependant.query_params}
    extra: dict[str, Any] = route.openapi_extra or {}
    told = {one["name"] for one in extra.get("parameters", ()) if one["in"] == "query"}
    return frozenset(declared | told)
