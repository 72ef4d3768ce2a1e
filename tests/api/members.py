"""One organisation's client of a whole node."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.conftest import Node


class Member:
    """One organisation's client."""

    def __init__(self, node: Node, name: str, *scopes: str) -> None:
        self.node, self.name = node, name
        self.secret = node.services.keys.create(name, scopes)[0]

    def send(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.secret}"}
        if "revision" in more:
            headers["If-Match"] = f'"{more.pop("revision")}"'
        headers |= more.pop("headers", {})
        if body is None:
            return self.node.client.request(method, path, headers=headers, **more)
        return self.node.client.request(method, path, json=body, headers=headers, **more)

    def get(self, path: str, **more: Any) -> dict[str, Any]:
        answer = self.send("GET", path, **more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def post(self, path: str, body: object = None, **more: Any) -> dict[str, Any]:
        answer = self.send("POST", path, body, **more)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    def refused(self, path: str, body: object = None, **more: Any) -> tuple[int, str | None, str]:
        answer = self.send("POST", path, body, **more)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        problem = answer.json()
        return answer.status_code, problem.get("refusal"), problem["detail"]
