"""Foreign cookies of which one name came several times: which combinations are read (security.md R-22)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import islice, product
from typing import Final

from fastsession.cookies import RequestCookies
from fastsession.errors import Rejected
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


def read_newest(
    reader: CookieReader,
    cookies: Mapping[str, str],
    *,
    now: float,
    check: Callable[[ForeignSession], object] | None = None,
) -> ForeignSession:
    """The session in the request's cookies; raises `Rejected`, `ambiguous` for valid ones of different sessions.

    `check` may raise `Rejected` too, for a session that is valid by its own format's rules.
    """
    choice = _new_choice()
    for candidate in candidates(reader, cookies):
        try:
            _add_session(choice, reader.read(candidate, now=now), check)
        except Rejected as rejected:
            choice.reject(rejected)
        if choice.is_full:
            break
    return choice.newest()


async def load_newest(
    reader: CookieReader,
    cookies: Mapping[str, str],
    *,
    now: float,
    check: Callable[[ForeignSession], object] | None = None,
) -> ForeignSession:
    """As `read_newest`, and for readers whose data is in a store as well; raises `StoreUnavailableError`."""
    # As in `names_of`: asking whether it is a `StoredReader` costs too much.
    load: Callable[..., Awaitable[ForeignSession]] | None = getattr(reader, "load", None)
    if load is None:
        return read_newest(reader, cookies, now=now, check=check)
    choice = _new_choice()
    for candidate in candidates(reader, cookies):
        try:
            _add_session(choice, await load(candidate, now=now), check)
        except Rejected as rejected:
            choice.reject(rejected)
        if choice.is_full:
            break
    return choice.newest()


def _new_choice() -> Choice[ForeignSession]:
    return Choice(most_tried=MOST_TRIED)


def _add_session(
    choice: Choice[ForeignSession], session: ForeignSession, check: Callable[[ForeignSession], object] | None
) -> None:
    """Add a session that is valid by its own format's rules; raises as `check`.

    Most formats have no id of a session: then two are the same one when they are of the same user, and
    where the format does not name the user, when they hold the same.
    """
    if check is not None:
        check(session)
    metadata = session.data.get(METADATA_KEY)
    known = metadata.get("id") if is_object(metadata) else None
    times = (session.renewed_at, session.created_at, session.expires_at)
    written_at = next((time for time in times if time is not None), 0.0)
    identity = known or session.id or session.subject or session.data
    choice.accept(session, identity=identity, written_at=written_at)


def _distinct(values: list[str]) -> list[str]:
    return sorted(dict.fromkeys(values), key=len, reverse=True)
