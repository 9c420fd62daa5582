"""Foreign cookies of which one name came several times: which combinations are read (security.md R-22)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Final

from fastsession.cookies import RequestCookies
from fastsession.formats.contract import METADATA_KEY, CookieReader, ForeignSession, names_of
from fastsession.formats.json_data import is_object
from fastsession.sealing.choice import Choice

# Combinations of values that are read, as long as none costs more than to see that it is no session. A reader tells
# what a value is only by reading it, so that this is what many planted cookies cost.
MOST_TRIED: Final = 64


def candidates(reader: CookieReader, cookies: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The request's cookies as often as those of the reader's names can be combined into different ones.

    Longer values come first: whoever plants many has room for short ones only.
    """
    repeated = cookies.repeated if isinstance(cookies, RequestCookies) else {}
    names = names_of(reader, cookies)
    if not any(name in repeated for name in names):
        yield cookies
        return
    choices = [_distinct(repeated[name]) if name in repeated else [cookies[name]] for name in names]
    for values in islice(product(*choices), MOST_TRIED):
        yield dict(zip(names, values, strict=True))


def new_choice() -> Choice[ForeignSession]:
    """The choice among what a reader makes of its candidates."""
    return Choice(most_tried=MOST_TRIED)


def add_session(choice: Choice[ForeignSession], session: ForeignSession) -> None:
    """Add a session that is valid by its own format's rules.

    Most formats have no id of a session: then two are the same one when they hold the same.
    """
    metadata = session.data.get(METADATA_KEY)
    known = metadata.get("id") if is_object(metadata) else None
    times = (session.created_at, session.expires_at)
    written_at = next((time for time in times if time is not None), 0.0)
    choice.accept(session, identity=known or session.id or session.data, written_at=written_at)


def _distinct(values: list[str]) -> list[str]:
    return sorted(dict.fromkeys(values), key=len, reverse=True)
