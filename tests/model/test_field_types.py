"""Fields that JSON cannot bring back are refused when the middleware is built, with the way out (C-06)."""

import re
from collections.abc import AsyncIterator, Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, create_model
from typing_extensions import TypedDict

from fastsession import ConfigurationError, Session
from fastsession.payload.codec import PayloadCodec


class Odd(Session):
    model_config = ConfigDict(arbitrary_types_allowed=True)


class Holder(BaseModel):
    items: Iterable[int] = ()


class Entry(TypedDict):
    items: Iterable[int]


@dataclass
class Point:
    items: Generator[int, None, None] | None = None


def codec_for(kind, default=None):
    return PayloadCodec(create_model("Odd", __base__=Odd, field=(kind, default)))


@pytest.mark.parametrize(
    "kind",
    [
        *(Iterable[int], Iterable, Generator[int, None, None], list[Iterable[int]], dict[str, Iterable[int]]),
        *(list[int] | Iterable[int], tuple[Iterable[int], int], Holder, list[Holder], Entry, Point),
        Annotated[Iterable[int], BeforeValidator(list)],
    ],
    ids=repr,
)
def test_a_field_that_can_be_read_once_is_refused(kind):
    with pytest.raises(ConfigurationError, match=r"Odd\.field can be read only once.*list\[\.\.\.\]"):
        codec_for(kind | None)


@pytest.mark.parametrize(
    "kind",
    [
        *(Callable[[], int], type, type[int], IO[str], re.Match[str], list[Callable[[], int]]),
        *(Iterator[int], AsyncIterator[int], Collection[int]),
    ],
    ids=repr,
)
def test_a_field_that_json_cannot_bring_back_is_refused(kind):
    with pytest.raises(ConfigurationError, match=r"Odd\.field is of a type that JSON cannot bring back.*exclude=True"):
        codec_for(kind | None)


@pytest.mark.parametrize(
    "kind",
    [
        *(Sequence[int], Path, re.Pattern[str], object, Any, list[int] | dict[str, Any], BaseModel),
        Annotated[Iterable[int], AfterValidator(list)],
        Annotated[Callable[[], Any], BeforeValidator({"dict": dict}.get), PlainSerializer(lambda kind: "dict")],
    ],
    # Without the address of a function, which is another in each process.
    ids=lambda kind: re.sub(" at 0x[0-9a-f]+", "", repr(kind)),
)
def test_a_field_that_comes_back_or_has_a_validator_for_that_is_not(kind):
    assert codec_for(kind | None).fresh().field is None


def test_a_field_that_is_never_dumped_may_be_anything():
    codec = codec_for(Callable[[], int] | None, Field(None, exclude=True))
    assert codec.fields == ("field",)
