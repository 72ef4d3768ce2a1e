"""The Python side of the pages: language, titles, headers, versioned assets."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.web import asset_path
from api.web.languages import preferred_language
from nodes.demo.story import ITEMS
from tests.api.web.site import site_app
from tests.api.web.story_answers import StoryLog

pytestmark = pytest.mark.feature("T5")
HTML = {"Accept": "text/html"}
PAGES = ("item", "landing", "missing", "class", "reference")


@pytest.fixture(scope="module")
def app(log: StoryLog) -> FastAPI:
    return site_app(log)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("zh;q=0.1,en;q=0", "zh"),
        ("de,fr;q=0.5", "en"),
        ("zh,en", "zh"),
        ("en,zh", "en"),
        ("zh;q=nonsense", "en"),
        ("zh;q=7", "en"),
        (",".join(["xx"] * 1000) + ",zh", "en"),
    ],
)
def test_language_is_the_higher_ranked_of_the_two(header: str, language: str) -> None:
    assert preferred_language(header) == language


def test_page_is_safe_against_foreign_script_and_framing(client: TestClient) -> None:
    page = client.get(ITEMS[0].path, headers=HTML)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["vary"] == "Accept, Accept-Language"
    assert "<script>" not in page.text
    assert " style=" not in page.text
    assert not re.search(r"\bon\w+=", page.text)


def test_title_is_in_the_visitors_language(client: TestClient) -> None:
    chinese = client.get(ITEMS[0].path, headers={**HTML, "Accept-Language": "zh-CN"})
    assert '<html lang="zh-CN">' in chinese.text
    assert "这件商品的来历" in chinese.text
    assert '<html lang="en">' in client.get("/", headers=HTML).text


def test_hostile_path_is_escaped(client: TestClient) -> None:
    page = client.get('/01/"><script>alert(1)</script>', headers=HTML)
    assert page.status_code == 404
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


def test_assets_are_kept_for_ever_under_their_version_only(client: TestClient) -> None:
    address = asset_path("page/item.js")
    now = client.get(address)
    assert now.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in now.headers["cache-control"]
    old = client.get(re.sub(r"/[0-9a-f]{12}/", "/000000000000/", address))
    assert old.status_code == 200
    assert "immutable" not in old.headers["cache-control"]


@pytest.mark.parametrize("name", ["page/none.js", "../pages.py", "%2e%2e/pages.py", "templates/x"])
def test_nothing_beyond_the_assets_is_served(client: TestClient, name: str) -> None:
    version = asset_path("page/item.js").split("/")[2]
    assert client.get(f"/assets/{version}/{name}").status_code == 404


def test_unknown_asset_name_is_a_programmers_error() -> None:
    with pytest.raises(KeyError, match="no asset"):
        asset_path("page/none.js")


def test_every_module_that_a_page_imports_is_an_asset(client: TestClient) -> None:
    """The whole import graph from each entry, by the addresses a browser would ask for."""
    waiting = [asset_path(f"page/{name}.js") for name in PAGES]
    seen: set[str] = set()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code == 200, address
        folder = address.rsplit("/", 1)[0]
        names = re.findall(r'^(?:import|export) [^;]*?from "([^"]+)";', answer.text, re.M)
        here = client.base_url.copy_with(path=folder + "/")
        waiting.extend(here.join(name).path for name in names)
    assert len(seen) > 30
