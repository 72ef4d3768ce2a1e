"""The consumer page remembers what it saw of a log, and says who signed it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response
from playwright.sync_api import Browser, Page, expect

from api.web import mount_assets, page_response
from ledger.canonical import canonical_json
from ledger.tlog import Checkpoint, consistency_path, root_of, sign_checkpoint
from ledger.witness import Evidence, EvidenceKind, Weight, examine
from nodes.demo.story import ITEMS, story
from tests.api.web.phone import Phone, verdict
from tests.api.web.site import serving
from tests.api.web.story_answers import NOW, StoryLog
from traceability.bundle import Trust

pytestmark = [pytest.mark.feature("T5"), pytest.mark.feature("L5")]

ITEM = ITEMS[0].path


def story_of(steps: int | None = None, *, forked: bool = False) -> StoryLog:
    """The story as far as some step; forked, its last line is another one."""
    log = StoryLog(story(NOW)[:steps], cosigners=2, threshold=2)
    if forked:
        log.hashes[-1] = hashlib.sha256(b"another line").digest()
        sign(log, len(log.signers))
    return log


def sign(log: StoryLog, count: int) -> None:
    checkpoint = Checkpoint(log.origin, len(log.hashes), root_of(log.hashes))
    log.note = sign_checkpoint(checkpoint, log.signers[:count])


@dataclass
class Server:
    """Shows one log, and proves by the same or by another."""

    log: StoryLog
    url: str = ""
    proving: StoryLog | None = None
    reachable: bool = True
    asked: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()
        mount_assets(app)

        @app.get("/log/consistency")
        async def consistency(request: Request) -> Response:
            self.asked += 1
            if not self.reachable:
                return Response(status_code=503)
            sizes = [int(request.query_params[name]) for name in ("from", "to")]
            path = consistency_path((self.proving or self.log).hashes[: sizes[1]], sizes[0])
            body = {
                "origin": self.log.origin,
                "from": sizes[0],
                "to": sizes[1],
                "proof": [base64.b64encode(one).decode() for one in path],
            }
            return Response(json.dumps(body), media_type="application/json")

        @app.get("/01/{rest:path}")
        async def item(request: Request, rest: str) -> Response:
            if "text/html" in request.headers.get("accept", ""):
                return page_response(request, None)
            answer = self.log.answer(f"https://id.gs1.org/01/{rest}")
            return Response(canonical_json(answer), media_type="application/json")

        return app


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(story_of(-2))
    with serving(server.app()) as server.url:
        yield server


@pytest.fixture
def phone(browser: Browser, server: Server) -> Iterator[Phone]:
    phone = Phone(browser, server.url, [])
    yield phone
    for context in browser.contexts:
        context.close()
    assert phone.errors == []


def checked(page: Page) -> str:
    """What stands behind "What was checked", folded up or not."""
    return page.text_content("details.checked") or ""


def test_a_log_that_goes_on_is_said_to(phone: Phone, server: Server) -> None:
    page = phone.open(ITEM)
    verdict(page, "valid")
    assert "now remembered here" in checked(page)
    page.reload()
    verdict(page, "valid")
    assert "as it was at your last visit" in checked(page)
    assert server.asked == 0
    server.log = story_of()
    page.reload()
    verdict(page, "valid")
    assert "continues what you saw" in checked(page)
    page.reload()
    verdict(page, "valid")
    assert "as it was at your last visit" in checked(page)
    assert server.asked == 1


def test_out_of_reach_is_unknown_and_asked_again(phone: Phone, server: Server) -> None:
    page = phone.open(ITEM)
    verdict(page, "valid")
    server.log, server.reachable = story_of(), False
    page.reload()
    verdict(page, "valid")
    assert "could not be checked now" in checked(page)
    server.reachable = True
    page.reload()
    verdict(page, "valid")
    assert "continues what you saw" in checked(page)


@pytest.mark.parametrize(
    ("locale", "title", "button"),
    [
        ("en-GB", "This log contradicts what you saw before", "Save the evidence"),
        ("zh-CN", "此日志与您此前所见不符", "保存证据"),
    ],
)
def test_another_history_is_shown_loudly_with_its_evidence(
    phone: Phone, server: Server, tmp_path: Path, locale: str, title: str, button: str
) -> None:
    page = phone.open(ITEM, locale=locale)
    verdict(page, "valid")
    seen, server.log = server.log, story_of(-2, forked=True)
    for _ in range(2):  # it does not go away by looking again
        page.reload()
        verdict(page, "invalid")
        expect(page.locator("#verdict")).to_have_attribute("role", "alert")
        expect(page.locator("#verdict h2")).to_have_text(title)
    assert page.locator(".chart, .map, .state").count() == 0
    with page.expect_download() as started:
        page.get_by_role("link", name=button).click()
    started.value.save_as(tmp_path / "evidence")
    data = (tmp_path / "evidence").read_bytes()
    evidence = Evidence.decode(data)
    assert (evidence.kind, evidence.first) == (EvidenceKind.SAME_SIZE, seen.note)
    trust = Trust.parse(json.dumps(seen.trust).encode())
    assert examine(data, trust.keys, trust.origin).weight is Weight.PROVEN
    server.log = seen
    page.reload()
    verdict(page, "valid")


def test_a_server_whose_proof_fails_is_not_believed(
    phone: Phone, server: Server, tmp_path: Path
) -> None:
    page = phone.open(ITEM)
    verdict(page, "valid")
    server.log, server.proving = story_of(), story_of(forked=True)
    server.proving.hashes[0] = bytes(32)
    page.reload()
    verdict(page, "invalid")
    with page.expect_download() as started:
        page.get_by_role("link", name="Save the evidence").click()
    started.value.save_as(tmp_path / "evidence")
    evidence = Evidence.decode((tmp_path / "evidence").read_bytes())
    assert evidence.kind is EvidenceKind.BROKEN_PROOF


def test_the_members_that_signed_are_named(phone: Phone, server: Server) -> None:
    page = phone.open(ITEM)
    verdict(page, "valid")
    names = f"{server.log.origin}, member-0.example, member-1.example"
    assert f"signed by 3 of 3 members ({names}), 2 must" in checked(page)


def test_too_few_signatures_are_told_apart_from_no_trust(phone: Phone, server: Server) -> None:
    sign(server.log, 1)
    page = phone.open(ITEM)
    verdict(page, "unknown")
    expect(page.locator("#verdict")).to_contain_text("so far 1 of 3 members have signed, and 2")
    # What too few have signed is not remembered.
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('seen'))") == []


def test_a_browser_that_forbids_memory_checks_all_the_same(phone: Phone) -> None:
    forbid = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
    page = phone.open(ITEM, script=forbid)
    verdict(page, "valid")
    assert "remembered" not in checked(page)
