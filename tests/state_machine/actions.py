"""What a request can do to its session: once as an application does it, once to the plain data of the rules."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fastsession import Session
from tests.state_machine.rules import FRESH, Work

# Bytes of a field that make a session end just before and just after one, two and three cookies are full.
SIZES = (0, 2_000, 2_640, 2_760, 5_300, 5_500, 6_500)


class MachineSession(Session):
    user_id: int | None = None
    cart: list[str] = []
    details: dict[str, list[int]] = {}
    note: str = ""

    def subject(self) -> str | None:
        return None if self.user_id is None else str(self.user_id)


class Action(NamedTuple):
    """The same thing done to the model and `request.session`, and to what the rules say of them."""

    to_session: Callable[[MachineSession, dict[str, Any]], Any]
    to_work: Callable[[Work], Any]


def sign_in(session):
    session.regenerate()
    session.user_id = 42


def signed_in(work):
    work.regenerated = work.to_be_saved = True
    work.data["user_id"] = 42


def signed_in_as(user_id):
    """A login, also of somebody else or of nobody."""

    def to_session(session, _):
        session.regenerate()
        session.user_id = user_id

    def to_work(work):
        work.regenerated = work.to_be_saved = True
        work.data["user_id"] = user_id

    return Action(to_session, to_work)


def noted(size):
    """A note of so many characters; of 0, the field back at its default."""

    def to_session(session, _):
        session.note = "n" * size

    def to_work(work):
        work.data["note"] = "n" * size

    return Action(to_session, to_work)


def remembered(on):
    def to_work(work):
        work.remember, work.to_be_saved = on, True

    return Action(lambda session, _: session.remember(on), to_work)


def count_in_extras(_, extras):
    extras.setdefault("seen", []).append(1)


def counted_in_extras(work):
    # A list that is there already is edited in place, which is no write to the dict.
    work.wrote = work.wrote or "seen" not in work.data
    work.data.setdefault("seen", []).append(1)


def dropped_extra(work):
    if "seen" in work.data:
        del work.data["seen"]
        work.wrote = True
        if work.data == FRESH:
            work.empty(drained=True)


def cleared(work):
    work.empty()


def popped(work):
    if work.data != FRESH:
        work.empty(drained=True)


def destroyed(work):
    work.destroyed = True


ACTIONS = {
    "append to the cart": Action(
        lambda session, _: session.cart.append("tea"), lambda work: work.data["cart"].append("tea")
    ),
    "empty the cart": Action(lambda session, _: session.cart.clear(), lambda work: work.data["cart"].clear()),
    "append two levels down": Action(
        lambda session, _: session.details.setdefault("sizes", []).append(7),
        lambda work: work.data["details"].setdefault("sizes", []).append(7),
    ),
    "count in the extras": Action(count_in_extras, counted_in_extras),
    "drop the extra": Action(lambda _, extras: extras.pop("seen", None), dropped_extra),
    "clear the dict": Action(lambda _, extras: extras.clear(), cleared),
    "clear the dict one by one": Action(lambda _, extras: [extras.popitem() for _ in list(extras)], popped),
    "sign in": Action(lambda session, _: sign_in(session), signed_in),
    "sign out": Action(lambda session, _: session.destroy(), destroyed),
    "remember": remembered(on=True),
    "remember no more": remembered(on=False),
    **{f"write a note of {size}": noted(size) for size in SIZES},
}
# What only histories of bound sessions do, so that the others stay as they are.
LOGINS = {
    "sign in": ACTIONS["sign in"],
    "sign in as another": signed_in_as(7),
    "sign in as nobody": signed_in_as(None),
}
ALL_ACTIONS = ACTIONS | LOGINS
