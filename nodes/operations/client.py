"""Asking a running node as its operator, by the address and token of its run.json."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from nodes.client import ERROR_NUMBER
from nodes.errors import NodeUnreachable, RequestRefused
from nodes.operations.errors import OperationsError
from nodes.operations.runfile import RunFile

TOKEN_NAME: Final = "TALLY_OPERATOR_TOKEN"  # noqa: S105 - the variable's name
POLL_FIRST_S: Final = 0.05
POLL_LONGEST_S: Final = 1.0


class JobFailed(OperationsError):
    """The backup or snapshot could not be made; the message is the node's."""


class OperatorClient:
    """The operator's listener of one node. Use as a context manager."""

    def __init__(self, url: str, token: str | None = None, timeout_s: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if not url.startswith(("http://", "https://")):
            raise NodeUnreachable(f"{url!r} is no address of a node: it begins with http://")
        self.url = url.rstrip("/")
        try:
            self._http = httpx.Client(
                base_url=self.url, headers=headers, timeout=timeout_s, trust_env=False
            )
        except (httpx.InvalidURL, UnicodeError) as bad:
            raise NodeUnreachable(f"{url!r} cannot be asked: {bad}") from bad

    @classmethod
    def of_folder(cls, folder: Path) -> OperatorClient:
        """The node that runs in a folder. Raises `NotRunning`, `RunFileInvalid`."""
        run = RunFile.find(folder)
        return cls(run.operations, run.token)

    @classmethod
    def of_url(cls, url: str) -> OperatorClient:
        """A listener elsewhere; the token comes from `TALLY_OPERATOR_TOKEN`."""
        return cls(url, os.environ.get(TOKEN_NAME))

    def __enter__(self) -> OperatorClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def is_operators(self) -> bool:
        """Whether an operator's listener answers here, rather than a node's public API."""
        answer = self._send("GET", "/health/live", allowed=(404,))
        return answer.status_code == 200 and _object(answer).get("live") is True

    def status(self) -> dict[str, Any]:
        """Everything (`nodes.operations.status`)."""
        return self._read("/status")

    def peers(self) -> dict[str, Any]:
        """The nodes that this one is connected with."""
        return self._read("/peers")

    def ready(self) -> dict[str, Any]:
        """Readiness with its reasons; needs no token."""
        return _object(self._send("GET", "/health/ready", allowed=(503,)))

    def metrics(self) -> str:
        """Prometheus text; needs no token."""
        return self._send("GET", "/metrics").text

    def backup(
        self, target: Path | None, progress: Callable[[int, int], None] | None = None
    ) -> Mapping[str, Any]:
        """Have a backup made while the node works, into a folder on the node's machine.

        Raises `JobFailed`, `RequestRefused`, `NodeUnreachable`.
        """
        return self._work("/backup", target, progress)

    def snapshot(
        self, target: Path | None = None, progress: Callable[[int, int], None] | None = None
    ) -> Mapping[str, Any]:
        """Have a state-sync snapshot made. Raises as `backup` does."""
        return self._work("/snapshot", target, progress)

    def _work(
        self, path: str, target: Path | None, progress: Callable[[int, int], None] | None
    ) -> Mapping[str, Any]:
        body = {} if target is None else {"target": str(target.absolute())}
        job = _object(self._send("POST", path, json=body))
        pause = POLL_FIRST_S
        while job.get("state") == "running":
            time.sleep(pause)
            pause = min(pause * 1.5, POLL_LONGEST_S)
            job = self._read(f"/jobs/{job['id']}")
            if progress is not None:
                progress(int(job["done"]), int(job["total"]))
        if job.get("state") != "done":
            raise JobFailed(str(job.get("error") or "it failed; the node's log says why"))
        result = job.get("result")
        return result if isinstance(result, dict) else {}

    def _read(self, path: str) -> dict[str, Any]:
        return _object(self._send("GET", path))

    def _send(
        self, method: str, path: str, *, allowed: tuple[int, ...] = (), json: object = None
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, json=json)
        except (httpx.HTTPError, httpx.InvalidURL) as failed:
            reason = ERROR_NUMBER.sub("", str(failed)) or type(failed).__name__
            raise NodeUnreachable(
                f"no answer from {self.url} ({reason}); "
                "name the node's folder with --dir, or its address with --url"
            ) from failed
        if answer.status_code == 401:
            raise RequestRefused(
                f"{self.url} wants its operator's token: use --dir where the node runs, or set "
                f"{TOKEN_NAME} to the token of its run.json"
            )
        if answer.is_error and answer.status_code not in allowed:
            detail = _object(answer).get("detail") or answer.reason_phrase
            raise RequestRefused(f"{answer.status_code}: {detail}")
        return answer


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
