"""Whether a request comes from a page of this very site, by what its browser says."""

from __future__ import annotations

from collections.abc import Mapping


def same_origin(headers: Mapping[str, str]) -> bool | None:
    """Whether a page of this origin sent the request; None when the browser says nothing of it.

    Fetch Metadata (Sec-Fetch-Site) is the browser's own finding, so it comes first: behind a proxy Host
    may be another name. Over plain HTTP it is missing, and there Origin has to name the Host.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    if origin is None:
        return None
    # The scheme may have changed at a proxy. "null", a sandboxed page's origin, has no host.
    return origin.partition("://")[2] == headers.get("host")
