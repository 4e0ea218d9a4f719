"""Layers chain, and their errors name layer and field, never a value."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic.dataclasses
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, AnyUrl, BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from shared.toolkit import PermanentError
from shared.toolkit.parser import (
    Layer,
    ParseError,
    base64_or_plain,
    decode_json,
    json_value,
    model,
    text,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type

ROOT = Path(__file__).parents[3]


def refusal_of(layer: Layer[bytes, Any], data: bytes) -> ParseError | None:
    try:
        layer(data)
    except ParseError as error:
        return error
    return None


class Line(BaseModel):
    sku: str
    count: int = Field(gt=0)


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: int
    lines: list[Line] = []


number = Layer("number", int)


def test_two_layers_are_one_that_does_both() -> None:
    read = text >> number

    assert read(b"17") == 17
    assert read.name == "text >> number"


def test_chaining_is_associative() -> None:
    double: Layer[int, int] = Layer("double", lambda n: n * 2)

    assert ((text >> number) >> double)(b"4") == (text >> (number >> double))(b"4") == 8


def test_a_chain_leaves_its_parts_as_they_were() -> None:
    _ = text >> number

    assert text(b"17") == "17"


def test_an_error_names_the_layer_that_gave_up() -> None:
    with pytest.raises(ParseError) as caught:
        (text >> number >> Layer("hex", hex))(b"\xff")
    assert caught.value.layer == "text"

    with pytest.raises(ParseError) as caught:
        (text >> number >> Layer("hex", hex))(b"s3cret")
    assert (caught.value.layer, caught.value.reason) == ("number", "not readable: ValueError")
    assert isinstance(caught.value, PermanentError)


def test_other_errors_of_a_layer_are_defects_and_stay_what_they_are() -> None:
    def broken(_: bytes) -> int:
        raise KeyError("x")

    with pytest.raises(KeyError):
        Layer("broken", broken)(b"")


@pytest.mark.parametrize("data", [b'{"id": 1}', '{"id": 1}', bytearray(b'{"id": 1}'), {"id": 1}])
def test_a_model_reads_json_and_what_was_decoded_already(data: Any) -> None:
    assert model(Order)(data) == Order(id=1)


def test_a_model_may_be_any_type_that_pydantic_knows() -> None:
    assert model(list[int])(b"[1, 2]") == [1, 2]
    assert model(TypeAdapter(Line | Order))(b'{"id": 1}') == Order(id=1)


def test_layers_keep_their_types() -> None:
    chain = text >> base64_or_plain >> model(Order)

    if TYPE_CHECKING:
        assert_type(chain, Layer[bytes, Order])
        number >> text  # type: ignore[operator]  # what mypy refuses is the test
    assert chain(b'{"id": 1}').id == 1


def test_every_wrong_field_is_named() -> None:
    with pytest.raises(ParseError) as caught:
        model(Order)(b'{"id": "x", "lines": [{"sku": "a", "count": 0}, {"count": 1}], "more": 1}')

    assert caught.value.field == "id"
    assert caught.value.reason == (
        "id: Input should be a valid integer, unable to parse string as an integer; "
        "lines.0.count: Input should be greater than 0; "
        "lines.1.sku: Field required; "
        "more: Extra inputs are not permitted"
    )
    assert str(caught.value).endswith("(layer=Order, field=id)")


def test_of_very_many_wrong_fields_the_first_are_named() -> None:
    with pytest.raises(ParseError) as caught:
        model(list[int])(json.dumps(["x"] * 1_000))

    assert caught.value.reason.count("Input should be") == 20
    assert caught.value.reason.endswith("; and 980 more")


def test_a_document_that_is_no_json_has_no_field() -> None:
    with pytest.raises(ParseError, match="Invalid JSON") as caught:
        model(Order, name="order")(b'{"id": ')

    assert (caught.value.layer, caught.value.field) == ("order", None)


def _refuse(value: str) -> str:
    raise ValueError(f"{value} is wrong")


def _assert(value: str) -> str:
    raise AssertionError(f"{value} is wrong")


def _refuse_in_own_words(value: str) -> str:
    raise PydanticCustomError("own", "{value} is wrong", {"value": value})


class _Colour(enum.Enum):
    RED = "red"


class _Red(BaseModel):
    kind: Literal["red"]


class _Blue(BaseModel):
    kind: Literal["blue"]


_TYPES: list[Any] = [
    int,
    float,
    bool,
    bytes,
    uuid.UUID,
    datetime.datetime,
    datetime.timedelta,
    AnyUrl,
    _Colour,
    Literal["red"],
    list[int],
    dict[int, int],
    Order,
    Annotated[str, Field(pattern="^$")],
    Annotated[str, Field(max_length=0)],
    Annotated[str, AfterValidator(_refuse)],
    Annotated[str, AfterValidator(_assert)],
    Annotated[str, AfterValidator(_refuse_in_own_words)],
    Annotated[_Red | _Blue, Field(discriminator="kind")],
]
_SECRET = "zq7!x s3cret/☃"


@pytest.mark.parametrize("kind", _TYPES, ids=lambda kind: str(kind).partition(" at 0x")[0])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda secret: secret,
        lambda secret: [secret],
        lambda secret: {"kind": secret, "id": secret},
        lambda secret: {secret: secret},
    ],
    ids=["value", "item", "member", "key"],
)
def test_no_error_shows_what_was_put_in(kind: Any, wrap: Callable[[str], object]) -> None:
    error = refusal_of(model(kind), json.dumps(wrap(_SECRET)).encode())

    if error is not None:
        assert _SECRET not in f"{error} {error.details} {error.field}"
        assert error.__cause__ is None
        assert error.__suppress_context__


def test_a_uuid_s_error_does_not_even_show_one_character() -> None:
    with pytest.raises(ParseError) as caught:
        model(uuid.UUID)('"☃"')

    assert caught.value.reason == "uuid_parsing"


@given(st.binary(max_size=40))
def test_any_bytes_are_parsed_or_refused_by_name(data: bytes) -> None:
    for layer in (model(Order), json_value >> model(Order), text >> base64_or_plain >> model(Order)):
        error = refusal_of(layer, data)

        assert error is None or error.layer in ("Order", "json", "text")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "not JSON: Expecting"),
        (b"\xff", "UnicodeDecodeError"),
        ("[" * 200_000, "RecursionError"),
        ("1" * 5_000, "ValueError"),
    ],
)
def test_what_is_no_json_is_refused(data: bytes | str, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        decode_json(data)

    assert caught.value.layer == "json"


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    assert decode_json(b"\xef\xbb\xbf[1]") == [1]


def test_a_layer_shows_its_chain() -> None:
    assert repr(text >> model(Order)) == "<Layer text >> Order>"


def test_neither_the_module_nor_making_a_layer_loads_pydantic() -> None:
    code = "import sys; from shared.toolkit.parser import *; model(dict); print('pydantic' in sys.modules)"

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert shown.stdout.strip() == "False"


@pydantic.dataclasses.dataclass
class _Point:
    x: int


@dataclasses.dataclass
class _PointInSpace(_Point):
    y: int


def test_a_dataclass_is_not_validated_as_the_one_it_extends() -> None:
    assert model(_PointInSpace)(b'{"x": 1, "y": 2}') == _PointInSpace(1, 2)
