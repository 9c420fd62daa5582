"""The request's headers where an adapter for AWS Lambda has joined some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Scope

    from fastsession.cookies import Header


def lambda_headers(scope: Scope) -> list[Header]:
    """The headers with every Cookie line on its own again.

    A REST API's event lists them; mangum joins the list with commas, which a cookie's value may hold too,
    so that the joined text cannot be taken apart safely.
    """
    event: dict[str, Any] = scope["aws.event"]
    headers: list[Header] = list(scope["headers"])
    listed: dict[str, list[str]] = event.get("multiValueHeaders") or {}
    lines = [line for name, values in listed.items() if name.lower() == "cookie" for line in values]
    if len(lines) < 2:  # noqa: PLR2004  (one line was joined with nothing)
        return headers
    kept = [header for header in headers if header[0] != b"cookie"]
    return [*kept, *((b"cookie", line.encode("latin-1", "replace")) for line in lines)]
