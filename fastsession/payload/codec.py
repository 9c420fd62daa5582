"""Model and extras to bytes and back. Equal bytes mean an unchanged session."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_jsonable_python

from fastsession.errors import ConfigurationError, Rejected, SessionNotSerializableError
from fastsession.payload.comparison import Comparison, alike
from fastsession.payload.edits import DumpedFields, Edit
from fastsession.payload.extras import UNDUMPABLE, dump_extras, load_extras, verify_extras
from fastsession.payload.field_types import refuse_fields_that_cannot_be_read, refuse_secret_fields
from fastsession.payload.lines import NEWLINE, payload_values, split_payload
from fastsession.payload.schemas import always_alike, schema_of
from fastsession.session import Session
from fastsession.status import SessionStatus

# As a number: in bytes it is found more quickly than bytes are.
_LINE_BREAK = NEWLINE[0]
# Bytes of dump below which loading all of it is sooner done than finding what was edited.
WORTH_TELLING_APART = 512


class Untouched(NamedTuple):
    """A new session and its dump."""

    session: Session
    payload: bytes


class PayloadCodec:
    """Dumps and loads one session model.

    With `foreign`, payloads are another system's and not from `dump`. `empty` is the dump of a new session
    and `pristine` a session that dumps so, where all of them are alike: otherwise None, see `untouched`.
    """

    def __init__(self, model: type[Session], *, foreign: bool = False) -> None:
        self.model = model
        self.fields = tuple(model.__pydantic_fields__)
        self._validator = model.__pydantic_validator__
        self._serializer = model.__pydantic_serializer__
        self._validate_json = self._validator.validate_json
        # The model's line as `dump` writes it, by a call of C only. Raises ValueError and RecursionError.
        self.to_json = partial(self._serializer.to_json, by_alias=False, round_trip=True, warnings=False)
        # Another system writes JSON as it likes.
        self._dumped_fields = None if foreign else DumpedFields(model)
        refuse_secret_fields(model)
        try:
            pristine = self.fresh()
        except ValidationError as error:
            names = ", ".join(repr(".".join(map(str, fault["loc"]))) for fault in error.errors(include_input=False))
            message = f"{model.__name__} must be able to start empty. Give these fields a valid default: {names}."
            raise ConfigurationError(message) from None
        except LookupError as error:
            message = f"{model.__name__}() raised {type(error).__name__} when the middleware was built, outside of any "
            message += "request. A default_factory must have an answer there too: give a ContextVar a default."
            raise ConfigurationError(message) from error
        refuse_fields_that_cannot_be_read(model)
        self._comparison = Comparison(model)
        # Where values may be equal and of different types, equality says nothing.
        self._ambiguous = self._comparison.ambiguous()
        try:
            payload = self.dump(pristine)
            self.verify(pristine, {}, payload)
        except SessionNotSerializableError as error:
            message = f"{model.__name__} has a default that cannot be kept in a session: {error}"
            raise ConfigurationError(message) from None
        self.empty = payload if always_alike(*schema_of(model)) else None
        # A default may come back as another type: a tuple as a list.
        come_back = self.empty is not None and self.load(payload)[0].__dict__ == pristine.__dict__
        self.pristine = pristine if come_back else None

    def fresh(self) -> Session:
        """A new session, as the model makes it at this moment."""
        return self.model()

    def untouched(self, *, arrived: bool = False) -> Untouched:
        """Another new session, to tell what has been done to the one that a request has.

        Where factories make values, no two are alike, so that a session differs by being new. With
        `arrived` it is as it would come back in a cookie.
        """
        if self.pristine is not None and self.empty is not None:
            return Untouched(self.pristine, self.empty)
        session = self.fresh()
        payload = self.dump(session)
        if arrived:
            # A factory's value that would not load is no session's that has arrived.
            with suppress(Rejected):
                session = self.load(payload)[0]
        return Untouched(session, payload)

    def dump(self, session: Session, extras: dict[str, Any] | None = None) -> bytes:
        """The session as JSON, by field name and without computed fields; raises `SessionNotSerializableError`."""
        try:
            model = self._serializer.to_json(session, by_alias=False, round_trip=True, warnings=False)
        except (ValueError, RecursionError):
            raise self.undumpable(session) from None
        return model + NEWLINE + dump_extras(extras) if extras else model

    def load(self, payload: bytes) -> tuple[Session, dict[str, Any]]:
        """Model and extras; raises `Rejected` (incompatible) when today's model does not accept them."""
        extras: dict[str, Any] = {}
        if _LINE_BREAK in payload:
            payload, extras = self.lines(payload)
        try:
            session: Session = self._validate_json(payload, by_alias=False, by_name=True)
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False)
            names = ", ".join(sorted({str(fault["loc"][0]) for fault in faults if fault["loc"]}))
            detail = f"does not fit {self.model.__name__}: {names or 'as a whole'}"
            raise Rejected(SessionStatus.INCOMPATIBLE, detail) from None
        return session, extras

    def lines(self, payload: bytes) -> tuple[bytes, dict[str, Any]]:
        """The model's JSON, into which keys have moved that it declares by now, and the extras.

        Raises `Rejected` (incompatible).
        """
        model, line_break, line = payload.partition(NEWLINE)
        extras = load_extras(line) if line_break else {}
        declared = {name: extras.pop(name) for name in self.fields if name in extras}
        if declared:
            try:
                model = dump_extras({**load_extras(model), **declared})
            except SessionNotSerializableError as error:
                raise Rejected(SessionStatus.INCOMPATIBLE, f"not JSON that can be kept: {error.field}") from None
        return model, extras

    def edit(self, now: bytes, arrived: bytes | None) -> Edit | None:
        """The fields in which two dumps differ; None where they do not, where their text cannot tell, or is short."""
        if len(now) < WORTH_TELLING_APART or now == arrived or arrived is None or self._dumped_fields is None:
            return None
        (model, extras), (model_before, extras_before) = split_payload(now), split_payload(arrived)
        return self._dumped_fields.edit(model_before, model) if extras == extras_before else None

    def changed(self, now: bytes, arrived: bytes, edit: Edit | None = None) -> bool:
        """Whether a session whose dump `now` is not the same as `arrived` has been changed.

        Unequal bytes alone are no change: a set's order, or a field that is new or gone since, dumps
        otherwise without anybody having touched it. So what arrived is loaded and dumped once more.
        """
        if edit is None:
            session, extras = self.load(arrived)
            return now != (self.dump(session, extras) if extras else self.to_json(session))
        return edit.after != self._fields_json(self.load(edit.before)[0], edit.names)

    def model_changed(self, session: Session, arrived: bytes) -> bool:
        """Whether the model itself, extras aside, differs from the one that arrived."""
        now, model = self.dump(session), split_payload(arrived)[0]
        return now != model and self.changed(now, model, self.edit(now, model))

    def changed_names(self, before: bytes, after: bytes) -> list[str]:
        """The top-level fields and keys in which two dumps differ."""
        old, new = payload_values(before), payload_values(after)
        return sorted(name for name in old.keys() | new.keys() if not alike(old.get(name), new.get(name)))

    def verify(self, session: Session, extras: dict[str, Any], payload: bytes, edit: Edit | None = None) -> None:
        """Raise `SessionNotSerializableError` unless `payload` will load as the session is now.

        Beyond the `edit`, if one is given, it is the same as what has loaded when the session arrived. Where
        types may differ in equal values, the edit does not show all that was assigned.
        """
        if self._ambiguous:
            edit = None
        model, _, line = payload.partition(NEWLINE)
        if line:
            verify_extras(extras, line)
        try:
            reloaded: Session = self._validate_json(edit.after if edit else model, by_alias=False, by_name=True)
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            field = str(fault["loc"][0]) if fault["loc"] else self._unloadable_field(session)
            raise SessionNotSerializableError(field, f"it would not load again ({fault['type']})") from None
        if edit or reloaded.__dict__ != session.__dict__:
            self._refuse_altered_field(session, reloaded, edit.names if edit else self.fields)
        elif self._ambiguous:
            self._refuse_another_type(session, reloaded, self._ambiguous)

    def undumpable(self, session: Session) -> SessionNotSerializableError:
        """The error that names the field which cannot be written as JSON."""
        field = self._field_that_fails(session, self._field_json)
        return SessionNotSerializableError(field, UNDUMPABLE)

    def _unloadable_field(self, session: Session) -> str:
        """The field whose JSON no parser takes: nested too deeply, or with an endless number."""
        return self._field_that_fails(session, lambda model, name: from_json(self._field_json(model, name)))

    def _field_json(self, session: Session, name: str) -> bytes:
        return self._fields_json(session, [name])

    def _fields_json(self, session: Session, names: Collection[str]) -> bytes:
        return self._serializer.to_json(session, include=set(names), by_alias=False, round_trip=True, warnings=False)

    def _field_that_fails(self, session: Session, attempt: Callable[[Session, str], object]) -> str:
        for name in (*self.fields, *(session.__pydantic_extra__ or ())):
            try:
                attempt(session, name)
            except (ValueError, RecursionError):
                return str(name)
        return self.model.__name__

    def _refuse_altered_field(self, session: Session, reloaded: Session, names: Collection[str]) -> None:
        """Name the field that would come back with another value. Fields that are never dumped may differ."""
        differing = [
            name
            for name in names
            if not self.model.__pydantic_fields__[name].exclude
            # None where it was deleted, which is not dumped.
            and getattr(session, name, None) != getattr(reloaded, name)
        ]
        for name in differing:
            if not self._same_json(session, reloaded, name):
                raise SessionNotSerializableError(name, "it would come back with another value")
        self._refuse_another_type(session, reloaded, dict.fromkeys([*differing, *self._ambiguous]))

    def _refuse_another_type(self, session: Session, reloaded: Session, names: Collection[str]) -> None:
        for name in names:
            if not self._comparison.same_field(name, getattr(session, name, None), getattr(reloaded, name)):
                raise SessionNotSerializableError(name, "it would come back with another type or value")

    def _same_json(self, session: Session, reloaded: Session, name: str) -> bool:
        """Whether a field's two values differ in their Python types only, a tuple for a list for example."""
        try:
            return bool(_jsonable(getattr(session, name, None)) == _jsonable(getattr(reloaded, name)))
        except PydanticSerializationError:
            # A type that only the model's own serializer knows.
            return self._field_json(session, name) == self._field_json(reloaded, name)


def _jsonable(value: object) -> Any:
    return to_jsonable_python(value, inf_nan_mode="constants")
