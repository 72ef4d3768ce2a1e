"""The pages for people: an item's record, the landing page, and their static assets.

The server sends one fixed page; all that it tells is fetched as JSON from the same address and
checked by the visitor's own browser before it is shown.
"""

from api.web.assets import asset_path, mount_assets
from api.web.pages import landing_response, not_found_response, page_response

__all__ = [
    "asset_path",
    "landing_response",
    "mount_assets",
    "not_found_response",
    "page_response",
]
