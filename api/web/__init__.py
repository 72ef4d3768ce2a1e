"""The pages for people: an item's record, the landing page, the reference; and their assets.

The server sends one fixed page; all that it tells is fetched as JSON from the same address and
checked by the visitor's own browser before it is shown.
"""

from api.web.assets import asset_path, mount_assets
from api.web.pages import (
    class_response,
    landing_response,
    not_found_response,
    page_response,
    reference_response,
)

__all__ = [
    "asset_path",
    "class_response",
    "landing_response",
    "mount_assets",
    "not_found_response",
    "page_response",
    "reference_response",
]
