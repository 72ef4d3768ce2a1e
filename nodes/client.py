"""Talking to a node over HTTP, for the commands that do."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from nodes.errors import NodeUnreachable, RequestRefused
from nodes.layout import user_directory

DEFAULT_URL = "http://127.0.0.1:8080"
POLL_FIRST_S = 0.02
POLL_LONGEST_S = 0.5
NO_KEY = "name a bearer key by --key or TALLY_API_KEY; `tally key create` makes one"
ERROR_NUMBER = re.compile(r"\[Errno -?\d+\] ")


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """A node and, for writing, the key of an organisation."""

    url: str
    key: str | None = None


def remembered_path() -> Path:
    """Where `tally dev` and `tally demo` note the node they started."""
    return user_directory() / "node.json"


def remember(address: NodeAddress) -> None:
    """Note a node for later commands. The file holds a key: owner-only."""
    path = remembered_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)  # the file may be there already, with another mode
    with os.fdopen(descriptor, "w") as file:
        json.dump({"url": address.url, "key": address.key}, file)


def forget(address: NodeAddress, before: NodeAddress | None) -> None:
    """Note again what was noted `before` this node, which has ended."""
    if remembered() == address:
        if before is None:
            remembered_path().unlink(missing_ok=True)
        else:
            remember(before)


def remembered() -> NodeAddress | None:
    """The node last started here, if it was noted."""
    try:
        loaded = json.loads(remembered_path().read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(loaded, dict) or not isinstance(loaded.get("url"), str):
        return None
    key = loaded.get("key")
    return NodeAddress(loaded["url"], key if isinstance(key, str) else None)


def find_address(url: str | None, key: str | None) -> NodeAddress:
    """Options first, then `TALLY_URL`/`TALLY_API_KEY`, then the remembered node."""
    known = remembered()
    chosen = url or os.environ.get("TALLY_URL") or (known.url if known else DEFAULT_URL)
    known_key = known.key if known and known.url.rstrip("/") == chosen.rstrip("/") else None
    return NodeAddress(chosen.rstrip("/"), key or os.environ.get("TALLY_API_KEY") or known_key)


@dataclass(frozen=True, slots=True)
class CaptureOutcome:
    """How a capture ended."""

    job: str
    success: bool
    event_ids: tuple[str, ...]
    errors: tuple[str, ...]
    already_present: tuple[str, ...]
    """Those of `event_ids` that were there before."""
    body: dict[str, Any]
    """The whole job as the node tells it."""


class NodeClient:
    """A node's HTTP interface. Use as a context manager."""

    def __init__(self, address: NodeAddress, timeout_s: float = 30.0) -> None:
        if not all("!" <= letter <= "~" for letter in address.key or ""):
            raise RequestRefused(
                "the bearer key has characters that no key has (a line's end, a blank, a letter "
                "that is not ASCII): give it as `tally key create` prints it"
            )
        headers = {"Authorization": f"Bearer {address.key}"} if address.key else {}
        self.address = address
        if not address.url.startswith(("http://", "https://")):
            raise NodeUnreachable(
                f"{address.url!r} is no address of a node: it begins with http://"
            )
        try:
            self._http = httpx.Client(
                base_url=address.url, headers=headers, timeout=timeout_s, trust_env=False
            )
        except (httpx.InvalidURL, UnicodeError) as bad:
            raise NodeUnreachable(f"{address.url!r} with its key cannot be asked: {bad}") from bad

    def __enter__(self) -> NodeClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def submit(self, document: bytes, mode: str = "rollback") -> str:
        """Hand in a document; gives the job's path. Durable once this returns."""
        answer = self._send(
            "POST",
            "/capture",
            content=document,
            headers={
                "Content-Type": "application/ld+json",
                "GS1-Capture-Error-Behaviour": mode,
            },
        )
        if "Location" not in answer.headers:
            raise self._stranger()
        return str(answer.headers["Location"])

    def wait(self, job: str, timeout_s: float = 120.0) -> CaptureOutcome:
        """Wait until the job has ended. Raises NodeUnreachable after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        pause = POLL_FIRST_S
        while True:
            body = self._object("GET", job, "running")
            if not body["running"]:
                return CaptureOutcome(
                    job=job,
                    success=bool(body["success"]),
                    event_ids=tuple(body.get("eventIDs") or ()),
                    errors=tuple(_error_line(one) for one in body.get("errors") or ()),
                    already_present=tuple(body.get("alreadyPresent") or ()),
                    body=body,
                )
            if time.monotonic() > deadline:
                raise NodeUnreachable(
                    f"{self.address.url}{job} is still running after {timeout_s:.0f} s; "
                    "it goes on by itself, ask again later"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, POLL_LONGEST_S)

    def item(self, digital_link_path: str) -> dict[str, Any]:
        """The item answer (docs/proof-format.md section 7)."""
        return self._object(
            "GET", digital_link_path, "journey", headers={"Accept": "application/json"}
        )

    def proof(self, event_id: str) -> bytes:
        """The proof bundle of an event, exactly as it is to be stored."""
        return self._send("GET", f"/proofs/{quote(event_id, safe='')}").content

    def trust(self) -> bytes:
        """The node's trust file."""
        return self._send("GET", "/log/trust").content

    def versions(self) -> bytes:
        """What proves the later versions of the Provenance contract."""
        return self._send("GET", "/log/versions").content

    def consistency(self, size1: int, size2: int) -> bytes:
        """The answer about a proof that the log of `size2` begins with that of `size1`."""
        return self._send("GET", f"/log/consistency?from={size1}&to={size2}").content

    def status(self) -> dict[str, Any]:
        """Head, log, projection."""
        return self._object("GET", "/status")

    def health(self) -> dict[str, Any]:
        """Whether it can do its work, and why not."""
        return self._object("GET", "/health", allowed=(503,))

    def _object(self, method: str, path: str, *needed: str, **options: Any) -> dict[str, Any]:
        """A JSON object that has at least these members."""
        answer = self._send(method, path, **options)
        try:
            body = answer.json()
        except ValueError as bad:
            raise self._stranger() from bad
        if not isinstance(body, dict) or not all(name in body for name in needed):
            raise self._stranger()
        return body

    def _stranger(self) -> NodeUnreachable:
        return NodeUnreachable(f"what answers at {self.address.url} is no Tallystick node's API")

    def _send(
        self, method: str, path: str, *, allowed: tuple[int, ...] = (), **options: Any
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as failed:
            raise no_answer(self.address.url, failed) from failed
        if answer.is_error and answer.status_code not in allowed:
            more = f" ({NO_KEY})" if answer.status_code == httpx.codes.UNAUTHORIZED else ""
            raise RequestRefused(f"{_problem_line(answer)}{more}")
        return answer


def no_answer(url: str, error: BaseException) -> NodeUnreachable:
    """The error of a node that does not answer."""
    reason = ERROR_NUMBER.sub("", str(error)) or type(error).__name__
    return NodeUnreachable(
        f"no answer from {url} ({reason}); start a node with `tally dev`, or name one with --url"
    )


def _problem_line(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        detail = problem.get("detail") or problem.get("title") or answer.reason_phrase
        more = "; ".join(_error_line(one) for one in (problem.get("errors") or ())[:3])
        return f"{answer.status_code}: {detail}" + (f" ({more})" if more else "")
    except (ValueError, AttributeError):
        return f"{answer.status_code} {answer.reason_phrase}"


def _error_line(error: dict[str, Any]) -> str:
    place = error.get("pointer") or ""
    detail = error.get("detail") or error.get("title") or "refused"
    return f"{place}: {detail}" if place else str(detail)
