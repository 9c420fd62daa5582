"""A model's declared fields as `request.session` shows them: which are absent, and one operation's changes at once."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, SchemaValidator, core_schema

from fastsession.payload.codec import PayloadCodec
from fastsession.payload.edits import independent
from fastsession.payload.schemas import everything, schema_of
from fastsession.session import Session

# Factories that make the same value each time.
_CONSTANT_FACTORIES = (None, bool, bytes, dict, float, frozenset, int, list, set, str, tuple)


class DeclaredFields:
    """The fields of one session model, read and written as entries of a dict."""

    def __init__(self, codec: PayloadCodec) -> None:
        model = codec.model
        self._codec = codec
        self._model = model
        self.names = codec.fields
        self._validator = _fields_validator(model)
        self._alone = independent(model.__pydantic_core_schema__)
        fields = model.__pydantic_fields__
        all_frozen = bool(model.model_config.get("frozen"))
        self._frozen = frozenset(name for name in fields if all_frozen or fields[name].frozen)
        self._never_dumped = frozenset(name for name in fields if fields[name].exclude)
        # A validator of the whole model, or of a default, may fill a field in as well as a factory.
        constant = self._alone and all(field.default_factory in _CONSTANT_FACTORIES for field in fields.values())
        constant = constant and not _runs_validators_on_defaults(model)
        values = self._values(codec.fresh())
        # The values that count as absent, None where they are not the same each time, new or from a cookie.
        self.constants = values if constant and values == self.defaults() else None

    def defaults(self) -> Mapping[str, Any]:
        """The values that count as absent in a session that arrived: those of a new one that comes back by now."""
        return self._values(self._codec.untouched(arrived=True).session)

    def defaults_of(self, fresh: Session) -> Mapping[str, Any]:
        """The values that count as absent in a new session: those that it began with, whatever made them."""
        return copy.deepcopy(self._values(fresh)) if self.constants is None else self.constants

    def change(self, session: Session, changed: Mapping[str, Any], removed: Mapping[str, Any]) -> None:
        """Assign the changed fields, and to the removed ones their defaults.

        The model is validated as it is after all of it. Raises `ValidationError`, and then nothing has changed.
        """
        self._refuse_frozen([*changed, *removed])
        before: dict[str, Any] = vars(session)
        after: dict[str, Any] = {}
        # Field by field as in loading: a validator sees the fields before its own as they are going to be.
        for name in self.names:
            if name in changed:
                # For a dict, as it is typed for a model only: the fields, what is extra, the names that were set.
                assigned: Any = self._validator.validate_assignment(after, name, changed[name])
                after = assigned[0]
            elif name in removed:
                after[name] = removed[name]
            elif name in before:
                after[name] = before[name]
        if not self._alone:
            after |= self._set_by_rules(session, after)
        before.update({name: value for name, value in after.items() if value is not before.get(name)})
        session.__pydantic_fields_set__.update(changed)

    def reset(self, session: Session) -> None:
        """Make the model a new session's, private attributes included. No rule can refuse it."""
        fresh = self._codec.fresh()
        for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
            object.__setattr__(session, slot, getattr(fresh, slot))

    def _values(self, session: Session) -> dict[str, Any]:
        return {name: vars(session)[name] for name in self.names}

    def _refuse_frozen(self, names: list[str]) -> None:
        """Raise pydantic's own error for what no assignment may change."""
        faults = [
            InitErrorDetails(type="frozen_field", loc=(name,), input=None) for name in names if name in self._frozen
        ]
        if faults:
            raise ValidationError.from_exception_data(self._model.__name__, faults, hide_input=True)

    def _set_by_rules(self, session: Session, after: Mapping[str, Any]) -> dict[str, Any]:
        """The fields to which the model's own rules give another value; raises `ValidationError` if they refuse.

        They judge the session as the next request would load it: a model apart, which they may change as they like.
        """
        trial = copy.copy(session)
        vars(trial).update(after)
        reloaded: Session = self._model.__pydantic_validator__.validate_json(
            self._codec.dump(trial), by_alias=False, by_name=True
        )
        given, result = vars(trial), vars(reloaded)
        # Equal as JSON: a rule has not touched it, and whether its type may differ is judged when it is saved.
        return {
            name: result[name]
            for name in self.names
            if name not in self._never_dumped
            and given.get(name) != result[name]
            and self._field_json(trial, name) != self._field_json(reloaded, name)
        }

    def _field_json(self, session: Session, name: str) -> bytes:
        serializer = self._model.__pydantic_serializer__
        return serializer.to_json(session, include={name}, by_alias=False, round_trip=True, warnings=False)


def _runs_validators_on_defaults(model: type[Session]) -> bool:
    """Whether a default goes through code of the application, which may answer otherwise the next time."""
    found = list(everything(*schema_of(model)))
    validated = any({**part.get("config", {}), **part}.get("validate_default") for part in found)
    return validated and any(part["type"].startswith("function-") for part in found)


def _fields_validator(model: type[Session]) -> SchemaValidator:
    """A validator of the fields alone, without the rules of the whole model."""
    schema: Any = model.__pydantic_core_schema__
    definitions: list[Any] = []
    if schema["type"] == "definitions":
        schema, definitions = schema["schema"], schema["definitions"]
    config: Any = None
    while schema["type"] != "model-fields":
        if schema["type"] == "definition-ref":
            schema = next(found for found in definitions if found["ref"] == schema["schema_ref"])
        config = schema.get("config", config)
        schema = schema["schema"]
    return SchemaValidator(core_schema.definitions_schema(schema, definitions) if definitions else schema, config)
