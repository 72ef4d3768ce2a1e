"""The OpenAPI document: problems of every route, the bearer scheme, examples."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.errors import PROBLEMS
from api.problems import MEDIA_TYPE
from api.schemas import PreparedAnswer, Problem

DESCRIPTION: Final = """\
A consortium's shared record of goods, and of what is lent against them. Events are captured as
EPCIS 2.0 (GS1), anchored on a permissioned ledger, and answered with proofs that anybody can check
without this server. Events, items, proofs and the log are open to everybody. Writing needs the
bearer key of an organisation, and so does reading what is between its parties alone (receipts,
loans, deposits, pools …), with the scope for it, such as receipts:read. Amounts are hundredths of
the currency, quantities thousandths of the unit, times Unix seconds.
"""
BEARER: Final[dict[str, Any]] = {"security": [{"bearer": []}]}


def bearer(scope: str | None) -> dict[str, Any]:
    """`openapi_extra` of what needs a key with that scope; None: the request says which."""
    return BEARER if scope is None else {"security": [{"bearer": [scope]}]}


MAYBE_BEARER: Final[dict[str, Any]] = {"security": [{}, {"bearer": []}]}
"""Of what everybody may ask for, and gets more of with a key."""
ALWAYS: Final = (408, 414, 429, 431, 500, 503)
"""Problems that any route may answer."""

_TITLES: Final = {known.status: known.title for known in reversed(PROBLEMS)}
_DOCUMENT_EXAMPLE: Final = {
    "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
    "type": "EPCISDocument",
    "schemaVersion": "2.0",
    "creationDate": "2026-01-01T00:00:00Z",
    "epcisBody": {
        "eventList": [
            {
                "type": "ObjectEvent",
                "action": "OBSERVE",
                "bizStep": "shipping",
                "disposition": "in_transit",
                "eventTime": "2026-01-01T08:00:00+01:00",
                "eventTimeZoneOffset": "+01:00",
                "epcList": ["https://id.gs1.org/01/09506000134352/21/1001"],
                "readPoint": {"id": "https://id.gs1.org/414/9506000134369"},
            }
        ]
    },
}
EVENT_EXAMPLE: Final = {
    "@context": _DOCUMENT_EXAMPLE["@context"],
    **_DOCUMENT_EXAMPLE["epcisBody"]["eventList"][0],  # type: ignore[index]
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` entries for these problems and those that any route may answer."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _TITLES[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted({*statuses, *ALWAYS})
    }


def document_body() -> dict[str, Any]:
    """`requestBody` of a capture."""
    schema = {
        "type": "object",
        "required": ["@context", "type", "schemaVersion", "creationDate", "epcisBody"],
        "properties": {
            "@context": {"type": "array"},
            "type": {"enum": ["EPCISDocument", "EPCISQueryDocument"]},
            "schemaVersion": {"type": "string", "pattern": "^2(\\.[0-9]+)*$"},
            "creationDate": {"type": "string", "format": "date-time"},
            "epcisBody": {
                "type": "object",
                "required": ["eventList"],
                "properties": {"eventList": {"type": "array", "items": {"type": "object"}}},
            },
        },
    }
    return _body(schema, _DOCUMENT_EXAMPLE)


def event_body() -> dict[str, Any]:
    """`requestBody` of a single event."""
    schema = {
        "type": "object",
        "required": ["@context", "type", "eventTime", "eventTimeZoneOffset"],
        "properties": {
            "type": {
                "enum": [
                    "ObjectEvent",
                    "AggregationEvent",
                    "TransactionEvent",
                    "TransformationEvent",
                    "AssociationEvent",
                ]
            },
            "eventTime": {"type": "string", "format": "date-time"},
            "eventTimeZoneOffset": {"type": "string"},
        },
    }
    return _body(schema, EVENT_EXAMPLE)


def header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A header parameter that the route reads by itself."""
    return {"name": name, "in": "header", "description": description, "schema": schema}


def query(name: str, description: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A query parameter that the route reads by itself."""
    return {"name": name, "in": "query", "description": description, "schema": schema, **more}


def install_openapi(app: FastAPI) -> None:
    """Give the application its OpenAPI document, made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, extra = models_json_schema(
        [(Problem, "serialization"), (PreparedAnswer, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    schemas.update(extra["$defs"])
    # What the framework would answer to bad parameters, this application answers with 400.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in document["paths"].values():
        for operation in path.values():
            content = operation.get("responses", {}).get("422", {}).get("content", {})
            if "application/json" in content:
                del operation["responses"]["422"]
            _tell_scope(operation)
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "key of an organisation, made by `tally`, or a token of /oauth/token",
        },
        "client": {
            "type": "http",
            "scheme": "basic",
            "description": "a key's id, and the key",
        },
    }
    return document


def _tell_scope(operation: dict[str, Any]) -> None:
    """For whoever reads the document: many pages of it do not show what `security` names."""
    scopes = [one for need in operation.get("security", ()) for one in need.get("bearer", ())]
    if scopes:
        told = f"Needs the scope `{scopes[0]}`."
        before = operation.get("description", "")
        operation["description"] = f"{before}\n\n{told}" if before else told


def _body(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    media = {"schema": schema, "example": example}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": media, "application/ld+json": media},
        }
    }
