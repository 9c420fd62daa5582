"""session-timeout.js as it is served."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from fastsession.dependencies.same_origin import Sender, sender

_SOURCE = Path(__file__).with_name("session-timeout.js").read_text(encoding="utf-8")
# Without indentation and the lines that are comments, it is a fifth shorter and does the same.
_LINES = (line.strip() for line in _SOURCE.splitlines())
_SCRIPT = "\n".join(line for line in _LINES if line and not line.startswith("//")).encode()
_ETAG = f'"{sha256(_SCRIPT).hexdigest()[:32]}"'
_HEADERS = {
    "ETag": _ETAG,
    # An hour: after an update of this package, pages may have the script from before for that long.
    "Cache-Control": "public, max-age=3600",
    "X-Content-Type-Options": "nosniff",
    # A shared cache knows nothing of our refusals; with this the browser refuses by itself.
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def send_script(request: Request) -> Response:
    """Send the script, or 304 to a browser that has it, to pages of this origin and to the address bar."""
    if sender(request.headers) is Sender.OTHER_PAGE:
        return Response(status_code=HTTPStatus.FORBIDDEN, headers={"Cache-Control": "no-store"})
    if _ETAG in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=_HEADERS)
    return Response(_SCRIPT, media_type="text/javascript", headers=_HEADERS)
