"""The API reference at /docs: sent by the node, drawn by a browser out of its OpenAPI document."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.conftest import Node
from tests.api.web.site import serving
from tests.traceability.capture.stack import document, event

pytestmark = pytest.mark.feature("A1")
READ_MS = 30_000
"""A document of three hundred operations is drawn, on a machine that runs other tests as well."""

TEXTS = """() => Object.fromEntries([...document.querySelectorAll(".operation")].map((one) =>
  [one.id, ["summary", ".command"].map((part) => one.querySelector(part)?.textContent ?? "")
    .concat(one.textContent)]))"""
"""Of each operation, by its id: the text of its summary, of its command, and all of it."""


def test_the_reference_is_a_page_of_the_node_s_own(node: Node) -> None:
    page = node.client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "//" not in page.text.replace("://testserver", "").split("<main")[0].split("<script")[1]
    assert "/docs" not in node.client.get("/openapi.json").json()["paths"]


@pytest.fixture
def site(node: Node) -> Iterator[str]:
    with serving(node.app) as url:
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert errors == []


def test_every_operation_appears_with_its_parameters_and_a_command(
    node: Node, site: str, page: Page
) -> None:
    page.goto(f"{site}/docs")
    expect(page.locator("main")).to_have_attribute("data-state", "read", timeout=READ_MS)
    paths = node.client.get("/openapi.json").json()["paths"]
    operations = {one["operationId"]: one for path in paths.values() for one in path.values()}
    assert page.locator(".operation").count() == len(operations) > 15
    drawn = page.evaluate(TEXTS)
    for name, operation in operations.items():
        summary, command, shown = drawn[name]
        assert operation["summary"] in summary
        assert site in command
        for parameter in operation.get("parameters", ()):
            assert parameter["name"] in shown, (name, parameter["name"])
        for status in operation["responses"]:
            assert status in shown, (name, status)


def test_a_command_is_one_that_a_shell_reads_and_the_node_answers(
    node: Node, site: str, page: Page
) -> None:
    node.captured(document(event(1001)))
    page.goto(f"{site}/docs#captureEvent")
    expect(page.locator("#captureEvent")).to_have_attribute("open", "", timeout=READ_MS)

    def command(name: str) -> list[str]:
        return shlex.split(page.locator(f"#{name} .command").text_content() or "")

    words = command("captureEvent")
    assert words[:2] == ["curl", f"{site}/events"]
    assert "Authorization: Bearer $TALLY_API_KEY" in words
    media = next(word for word in words if word.startswith("Content-Type: "))
    headers = {**node.auth(), "Content-Type": media.removeprefix("Content-Type: ")}
    answer = node.client.post("/events", content=words[words.index("-d") + 1], headers=headers)
    assert answer.status_code == 201, answer.text
    for name in ("getItem", "getItemEvents", "getTile", "queryEvents", "getLabel", "getStatus"):
        path = command(name)[1].removeprefix(site)
        assert node.client.get(path).status_code == 200, path


def test_the_reference_fits_a_small_phone(site: str, page: Page) -> None:
    page.goto(f"{site}/docs")
    expect(page.locator("main")).to_have_attribute("data-state", "read", timeout=READ_MS)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.set_viewport_size({"width": 320, "height": 568})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_landing_page_leads_to_the_reference(site: str, page: Page) -> None:
    page.goto(site)
    page.get_by_role("link", name="Reference of the HTTP interface").click()
    expect(page.locator("h1")).to_have_text("HTTP interface")
    expect(page.locator("main")).to_have_attribute("data-state", "read", timeout=READ_MS)
