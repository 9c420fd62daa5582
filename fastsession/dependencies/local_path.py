"""Redirect targets that come from the request: only paths of this site are followed."""

from __future__ import annotations

import re

# Browsers resolve these, percent-encoded or not: `/..//other.example` becomes the path `//other.example`, and
# that is another host for whoever resolves it once more.
_DOT_SEGMENT = re.compile(r"/(\.|%2e){1,2}(/|$)", re.IGNORECASE)


def local_path(target: object, default: str = "/") -> str:
    r"""Return `target` if it is a path of this site, with its query and fragment; otherwise `default`.

    Browsers read a backslash as a slash and drop tabs and line breaks, so `/\other.example` and
    `/<tab>/other.example` lead to another site as `//other.example` does. Text with a backslash, a space, a
    control character or a dot segment is refused as a whole.
    """
    return target if isinstance(target, str) and _stays_here(target) else default


def _stays_here(target: str) -> bool:
    path = re.split("[?#]", target, maxsplit=1)[0]
    return (
        target.startswith("/")
        and not target.startswith("//")
        and "\\" not in target
        and " " not in target
        # Control characters, other white space, and surrogates, which no Location header can carry.
        and target.isprintable()
        and _DOT_SEGMENT.search(path) is None
    )
