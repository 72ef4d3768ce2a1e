"""A client that holds each answer against what the interface's description tells of it."""

from __future__ import annotations

import re
from typing import Any
from weakref import WeakKeyDictionary

import httpx
from fastapi import FastAPI
from jsonschema_rs import validate

from tests.api.conftest import Node
from tests.api.members import Member

_DOCUMENTS: WeakKeyDictionary[FastAPI, dict[str, Any]] = WeakKeyDictionary()


class Described(Member):
    """Every answer in JSON that is no problem must have a told shape, and be of it."""

    def send(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        answer = super().send(method, path, body, **more)
        as_published = path.endswith("/document")  # byte for byte, of whatever shape
        if answer.headers.get("content-type") == "application/json" and not as_published:
            _check(_document(self.node), method, path.partition("?")[0], answer)
        return answer


def _document(node: Node) -> dict[str, Any]:
    found = _DOCUMENTS.get(node.app)
    if found is None:
        found = _DOCUMENTS[node.app] = node.client.get("/openapi.json").json()
    return found


def _check(document: dict[str, Any], method: str, path: str, answer: httpx.Response) -> None:
    operation = _operation(document, method.lower(), path)
    content = operation["responses"][str(answer.status_code)]["content"]
    schema = content["application/json"].get("schema")
    assert schema, f"{method} {path}: no shape is told"
    validate({**schema, "components": document["components"]}, answer.json())


def _operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    fitting = [
        (template.count("{"), methods[method])
        for template, methods in document["paths"].items()
        if method in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    assert fitting, f"{method} {path} is not described"
    found: dict[str, Any] = min(fitting, key=lambda one: one[0])[1]
    return found
