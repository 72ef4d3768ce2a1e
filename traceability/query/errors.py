"""Why a question about events cannot be answered. Messages name the parameter."""

from __future__ import annotations

from traceability.errors import TraceabilityError


class QueryError(TraceabilityError):
    """Base of all errors of this room."""


class QueryParameterUnknown(QueryError):
    """No parameter of that name exists."""


class QueryParameterUnsupported(QueryError):
    """The standard has the parameter (or this form of its value), this software does not."""


class QueryValueInvalid(QueryError):
    """The value of a parameter cannot be read, or parameters contradict each other."""


class QueryTooLarge(QueryError):
    """More events match than `maxEventCount` allows."""


class PageTokenInvalid(QueryError):
    """The page token is not one that this query gave."""
