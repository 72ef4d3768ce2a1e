"""Requests: the organisation's key or an OAuth token, and trying again where that is harmless."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from api.client.errors import KeyMalformed, Malformed, Unreachable, problem_of

TRY_AGAIN: Final = frozenset({429, 502, 503, 504})
WAIT_S_MAX: Final = 30.0
TOKEN_SPARE_S: Final = 30.0
"""A token is renewed so long before it is over."""

KEY: Final = re.compile(r"[!-~]*")
"""What a bearer key is made of, for a header (RFC 6750 section 2.1 is narrower)."""
Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently a request is tried."""

    attempts: int = 5
    first_wait_s: float = 0.2

    def wait_s(self, attempt: int, asked: str | None) -> float:
        """Before the next attempt; `asked` is the answer's Retry-After."""
        longest = min(WAIT_S_MAX, self.first_wait_s * 2.0**attempt)
        told = float(asked) if asked is not None and asked.isascii() and asked.isdigit() else 0.0
        return max(random.uniform(longest / 2, longest), min(told, WAIT_S_MAX))


class Credentials:
    """Bearer credentials of a client. Thread-safe."""

    def __init__(
        self,
        http: httpx.Client,
        key: str | None = None,
        client: tuple[str, str] | None = None,
        scope: str | None = None,
    ) -> None:
        """`key`, or a `client` (its id and secret) with the scopes that its tokens are to have."""
        if key is not None and not KEY.fullmatch(key):
            raise KeyMalformed(
                "the bearer key has characters that no key has (a line's end, a blank, a letter "
                "that is not ASCII): give it as `tally key create` prints it"
            )
        self._http = http
        self._key = key
        self._client = client
        self._scope = scope
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    @property
    def renewable(self) -> bool:
        """Whether another token may be had."""
        return self._client is not None

    def header(self, *, anew: bool = False) -> dict[str, str]:
        """The Authorization header; `anew` after a token was refused. Raises `Problem`."""
        if self._client is None:
            return {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        with self._lock:
            if anew or time.monotonic() >= self._until:
                self._renew(self._client)
            return {"Authorization": f"Bearer {self._token}"}

    def _renew(self, client: tuple[str, str]) -> None:
        form = {"grant_type": "client_credentials"}
        if self._scope is not None:
            form["scope"] = self._scope
        try:
            answer = self._http.post("/oauth/token", data=form, auth=client)
        except httpx.TransportError as error:
            raise Unreachable(f"the node gives no token: {error}") from error
        body = body_of(answer)
        if answer.status_code != 200:
            told = {"title": body.get("error", ""), "detail": body.get("error_description", "")}
            raise problem_of(answer.status_code, told)
        try:
            self._token = str(body["access_token"])
            self._until = time.monotonic() + float(body["expires_in"]) - TOKEN_SPARE_S
        except (KeyError, TypeError, ValueError) as error:
            raise Malformed("the node's answer holds no token") from error


class Transport:
    """One node over HTTP. Thread-safe."""

    def __init__(self, http: httpx.Client, credentials: Credentials, retries: Retries) -> None:
        self.http = http
        self.credentials = credentials
        self._retries = retries

    def ask(
        self, path: str, parameters: Parameters = (), *, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """GET. Raises `Problem`, `Unreachable` and `Malformed`, as all methods here."""
        answer = self.send("GET", path, parameters=parameters, headers=headers, harmless=True)
        return body_of(answer)

    def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters = (),
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        harmless: bool,
    ) -> httpx.Response:
        """A request that is tried again where it is `harmless`: doing it twice does it once.

        `content` is a body that is no JSON; its type stands in the headers.
        """
        anew = False
        for attempt in range(self._retries.attempts):
            last = attempt == self._retries.attempts - 1
            sent = {**(headers or {}), **self.credentials.header(anew=anew)}
            try:
                answer = self.http.request(
                    method,
                    path,
                    params=list(parameters),
                    json=json,
                    content=content,
                    headers=sent,
                )
            except httpx.TransportError as error:
                # Whoever was not connected to has done nothing.
                if last or not (harmless or isinstance(error, httpx.ConnectError)):
                    raise Unreachable(
                        f"{method} {path}: {error or type(error).__name__}"
                    ) from error
                time.sleep(self._retries.wait_s(attempt, None))
                continue
            if answer.status_code == 401 and self.credentials.renewable and not anew and not last:
                anew = True
                continue
            if answer.status_code in TRY_AGAIN and harmless and not last:
                time.sleep(self._retries.wait_s(attempt, answer.headers.get("retry-after")))
                continue
            if answer.status_code >= 400:
                raise problem_of(answer.status_code, body_of(answer))
            return answer
        raise Unreachable(f"{method} {path}: given up")

    @contextmanager
    def stream(
        self, path: str, parameters: Parameters, headers: Mapping[str, str], read_timeout_s: float
    ) -> Iterator[httpx.Response]:
        """An answer that is read as it comes."""
        timeout = httpx.Timeout(10.0, read=read_timeout_s)
        sent = {**headers, **self.credentials.header()}
        with self.http.stream(
            "GET", path, params=list(parameters), headers=sent, timeout=timeout
        ) as answer:
            if answer.status_code != 200:
                answer.read()
                raise problem_of(answer.status_code, body_of(answer))
            yield answer


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises `Malformed`."""
    try:
        body = answer.json()
    except ValueError as error:
        told = answer.text[:200]
        raise Malformed(f"{answer.status_code} without JSON: {told!r}") from error
    if not isinstance(body, dict):
        raise Malformed(f"{answer.status_code} without a JSON object")
    return body


def parameters_of(given: Mapping[str, object]) -> list[tuple[str, str]]:
    """Query parameters: None is left out, a list comes several times."""
    found: list[tuple[str, str]] = []
    for name, value in given.items():
        first, *rest = name.split("_")
        camel = first + "".join(part.capitalize() for part in rest)
        values = value if isinstance(value, list | tuple | set | frozenset) else [value]
        for one in values:
            if one is not None:
                shown = str(one).lower() if isinstance(one, bool) else str(one)
                found.append((camel, shown))
    return found
