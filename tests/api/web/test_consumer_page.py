"""The consumer page in a real browser, phone-sized."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from nodes.demo.story import ITEMS
from tests.api.web.phone import Phone, verdict, wants_json
from tests.api.web.site import serving, site_app
from tests.api.web.story_answers import StoryLog
from traceability.bundle import Outcome, Trust, verify_bundle

pytestmark = pytest.mark.feature("T5")

ON_SALE, SOLD, SAMPLED = (item.path for item in ITEMS)
Tamper = Callable[[dict[str, object]], None]


@pytest.fixture(scope="module")
def site(log: StoryLog) -> Iterator[str]:
    with serving(site_app(log)) as url:
        yield url


@pytest.fixture
def phone(browser: Browser, site: str) -> Iterator[Phone]:
    phone = Phone(browser, site, [])
    yield phone
    for context in browser.contexts:
        context.close()
    assert phone.errors == []


def answering(tamper: Tamper) -> Callable[[Page], None]:
    """Changes the server's answer on its way to the page."""

    def change(route: Route) -> None:
        if not wants_json(route):
            route.continue_()
            return
        response = route.fetch()
        answer = response.json()
        tamper(answer)
        route.fulfill(response=response, body=json.dumps(answer))

    return lambda page: page.route("**/01/**", change)


def test_sound_record_is_called_authentic_and_never_genuine_goods(phone: Phone) -> None:
    page = phone.open(ON_SALE)
    verdict(page, "valid")
    expect(page.locator("#verdict h2")).to_have_text("This record is authentic")
    expect(page.locator("h1")).to_have_text("Forest Berry Preserve")
    assert "goods are genuine" not in page.inner_text("body").lower()
    assert page.locator(".step").count() == 19
    assert page.locator('.step[data-outcome="valid"]').count() == 19


def test_page_tells_places_excursion_release_and_certificates(phone: Phone) -> None:
    page = phone.open(ON_SALE)
    verdict(page, "valid")
    expect(page.locator(".stops li")).to_have_text(
        ["Yichun", "Harbin", "Tianjin", "Shanghai", "Hangzhou"]
    )
    assert page.locator(".window.out").count() == 3
    expect(page.locator(".remark").first).to_contain_text("Above 8 °C for 90 minutes")
    expect(page.locator(".remark").first).to_contain_text("released")
    expect(page.locator(".certificates strong").first).to_have_text("Organic wild collection")
    expect(page.locator(".state")).to_contain_text("On sale")


def test_item_opened_in_the_laboratory_is_not_for_sale(phone: Phone) -> None:
    page = phone.open(SAMPLED)
    verdict(page, "valid")
    expect(page.locator(".state")).to_have_attribute("data-tone", "alert")
    expect(page.locator(".state")).to_contain_text("destroyed")


def test_sold_item_says_so(phone: Phone) -> None:
    page = phone.open(SOLD)
    verdict(page, "valid")
    expect(page.locator(".state strong")).to_have_text("Sold")


def cool_down(answer: dict[str, object]) -> None:
    """A server that hides the excursion."""
    for step in answer["journey"]:  # type: ignore[attr-defined]  # the story's own shape
        if step["bundle"]["event"]["bizStep"] == "arriving":
            for element in step["bundle"]["event"]["sensorElementList"]:
                element["sensorReport"][0].pop("exception", None)
                element["sensorReport"][0]["maxValue"] = 4


def test_altered_answer_is_invalid_and_the_entry_is_marked(phone: Phone) -> None:
    page = phone.open(ON_SALE, before=answering(cool_down))
    verdict(page, "invalid")
    expect(page.locator('.step[data-outcome="invalid"]')).to_have_count(1)
    expect(page.locator('.step[data-outcome="invalid"] h4')).to_contain_text("Arrived")
    # A record with a hole is not summed up.
    assert page.locator(".chart, .map, .state").count() == 0


def test_record_of_another_item_does_not_pass_for_this_one(phone: Phone, log: StoryLog) -> None:
    def exchange(answer: dict[str, object]) -> None:
        foreign = log.answer("https://id.gs1.org/01/09521002000016/21/NF4120")
        journey = foreign["journey"]
        assert isinstance(journey, list)
        answer["journey"] = [step for step in journey if step["relation"] == "container"]

    page = phone.open(ON_SALE, before=answering(exchange))
    expect(page.locator("main")).to_have_attribute("data-state", "invalid")


def test_name_that_is_not_the_signers_is_not_shown(phone: Phone) -> None:
    def rename(answer: dict[str, object]) -> None:
        for step in answer["journey"]:  # type: ignore[attr-defined]  # the story's own shape
            step["organisation"] = {"id": "famous", "name": "Famous Brand", "role": "retailer"}

    page = phone.open(ON_SALE, before=answering(rename))
    verdict(page, "valid")
    assert "Famous Brand" not in page.inner_text("main")


def test_without_trust_the_record_is_unknown(phone: Phone) -> None:
    def forget(answer: dict[str, object]) -> None:
        answer["trust"] = None

    verdict(phone.open(ON_SALE, before=answering(forget)), "unknown")


def test_fewer_signatures_than_the_threshold_is_unknown(phone: Phone) -> None:
    def demand(answer: dict[str, object]) -> None:
        trust = answer["trust"]
        assert isinstance(trust, dict)
        trust["keys"] = [*trust["keys"][:1], OTHER_KEY]

    verdict(phone.open(ON_SALE, before=answering(demand)), "unknown")


# A key of nobody's: C2SP signed-note's own example.
OTHER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.mark.parametrize("how", ["cut off", "server error", "no JSON"])
def test_unreachable_is_unknown_and_never_invalid(phone: Phone, how: str) -> None:
    broken = [True]

    def fail(route: Route) -> None:
        if not wants_json(route) or not broken[0]:
            route.continue_()
        elif how == "cut off":
            route.abort()
        elif how == "server error":
            route.fulfill(status=503, body="{}")
        else:
            route.fulfill(status=200, content_type="text/html", body="<p>log in to this network")

    page = phone.open(ON_SALE, before=lambda page: page.route("**/01/**", fail))
    expect(page.locator("main")).to_have_attribute("data-state", "unreachable")
    expect(page.locator("#verdict")).to_have_attribute("data-outcome", "unknown")
    broken[0] = False
    page.get_by_role("button", name="Try again").click()
    verdict(page, "valid")


def test_without_subtle_crypto_the_bundled_fallback_checks(phone: Phone) -> None:
    """As on plain http from another host, where SubtleCrypto does not exist."""
    page = phone.open(ON_SALE, script="delete Crypto.prototype.subtle")
    verdict(page, "valid")
    assert page.evaluate("crypto.subtle === undefined")
    assert "the cryptography that this page carries" in (page.text_content("#verdict") or "")


def test_fallback_finds_tampering_too(phone: Phone) -> None:
    page = phone.open(ON_SALE, script="delete Crypto.prototype.subtle", before=answering(cool_down))
    verdict(page, "invalid")


def test_without_any_cryptography_it_is_not_checked(phone: Phone) -> None:
    page = phone.open(
        ON_SALE,
        script="delete Crypto.prototype.subtle",
        before=lambda page: page.route("**/vendor/noble.js", lambda route: route.abort()),
    )
    verdict(page, "not-checked")
    assert page.locator('.step[data-outcome="valid"]').count() == 0


def test_language_follows_the_browser_and_a_choice_is_remembered(phone: Phone) -> None:
    page = phone.open(ON_SALE, locale="zh-CN")
    verdict(page, "valid")
    expect(page.locator("h1")).to_have_text("森林莓果酱")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Forest Berry Preserve")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.locator("h1")).to_have_text("Forest Berry Preserve")


def test_downloaded_proof_file_is_what_tally_verify_accepts(
    phone: Phone, log: StoryLog, tmp_path: Path
) -> None:
    page = phone.open(ON_SALE)
    verdict(page, "valid")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download the proof file").click()
    assert started.value.suggested_filename.endswith(".tally-proof.json")
    started.value.save_as(tmp_path / "proof")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download the trust file").click()
    started.value.save_as(tmp_path / "trust")
    trust = Trust.load(tmp_path / "trust")
    assert verify_bundle((tmp_path / "proof").read_bytes(), trust).outcome is Outcome.VALID


def test_hostile_texts_stay_text(phone: Phone) -> None:
    """Markup in a name or note is shown as it is written; nothing of it runs."""
    markup = "<img src=x onerror=document.title='run'>"

    def inject(answer: dict[str, object]) -> None:
        for step in answer["journey"]:  # type: ignore[attr-defined]  # the story's own shape
            step["organisation"]["name"] = markup

    page = phone.open(ON_SALE, before=answering(inject))
    verdict(page, "valid")
    expect(page.locator(".group h3").first).to_contain_text(markup)
    assert page.locator("main img").count() == 0
    assert page.title() != "run"


def test_everything_fits_a_small_phone(phone: Phone) -> None:
    page = phone.open(ON_SALE)
    verdict(page, "valid")
    page.set_viewport_size({"width": 320, "height": 568})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_unknown_code_gets_a_page_of_its_own(phone: Phone) -> None:
    page = phone.open("/01/09521002000016/21/NOBODY")
    expect(page.locator("h1")).to_have_text("No record for this code")
    expect(page.locator("code")).to_have_text("/01/09521002000016/21/NOBODY")


def test_landing_page_leads_to_an_item_and_shows_the_log(phone: Phone, log: StoryLog) -> None:
    page = phone.open("/")
    expect(page.locator("#log-title + div .facts")).to_contain_text(log.origin)
    expect(page.locator(".recent a").first).to_contain_text("Forest Berry Preserve")
    page.get_by_label("Digital Link, or GTIN and serial number").fill(
        f"https://id.gs1.org{ON_SALE}"
    )
    page.get_by_role("button", name="Look up").click()
    verdict(page, "valid")


def test_landing_page_keeps_what_was_typed_and_chosen_when_news_come_in(
    phone: Phone, tmp_path: Path
) -> None:
    waiting: list[Route] = []
    page = phone.open(
        "/", before=lambda page: page.route("**/events?*", lambda route: waiting.append(route))
    )
    proof = tmp_path / "proof.json"
    proof.write_text("{}")
    field = page.get_by_label("Digital Link, or GTIN and serial number")
    page.set_input_files("#proof-file", proof)
    field.fill("https://id.gs1.org/")
    expect(page.locator(".recent")).to_have_count(0)
    waiting[0].continue_()
    expect(page.locator(".recent a").first).to_be_visible()
    expect(field).to_have_value("https://id.gs1.org/")
    expect(field).to_be_focused()
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#file-result .banner")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.locator("#file-result .banner")).to_contain_text(re.compile("[一-鿿]"))
    assert page.evaluate("document.getElementById('proof-file').files.length") == 1


def test_landing_page_checks_a_proof_file_byte_by_byte(
    phone: Phone, log: StoryLog, tmp_path: Path
) -> None:
    from ledger.canonical import canonical_json

    data = canonical_json(log.bundle(log.entries[5])) + b"\n"
    page = phone.open("/")
    for name, content, outcome, trusted in (
        ("sound", data, "valid", True),
        ("edited", data.replace(b"09:40", b"09:41").replace(b"NF4101", b"NF4102"), "invalid", True),
        ("one newline more", data + b"\n", "invalid", True),
        ("no trust", data, "unknown", False),
    ):
        proof, trust = tmp_path / "proof.json", tmp_path / "trust.json"
        proof.write_bytes(content)
        trust.write_text(json.dumps(log.trust))
        page.set_input_files("#proof-file", proof)
        page.set_input_files("#trust-file", trust if trusted else [])
        page.get_by_role("button", name="Check").click()
        expect(page.locator("#file-result .banner"), name).to_have_attribute(
            "data-outcome", outcome, timeout=20_000
        )
        page.evaluate("document.getElementById('file-result').replaceChildren()")
