import json
from typing import Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from organoid.explain import did_you_mean, explain, show_path
from organoid.setups.spec import Setup
from organoid.types import Record


class Inner(Record):
    colour: Literal["red", "blue"] = "red"
    size: int = Field(default=1, ge=1, le=5)

    @model_validator(mode="after")
    def _enough(self) -> "Inner":
        if (self.size, self.colour) == (1, "blue"):
            raise ValueError("one blue is too few.")
        return self


class Outer(Record):
    inner: Inner
    many: tuple[Inner, ...] = ()


def mistakes(model: type[Record], data: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(json.dumps(data), strict=True)
    return explain(caught.value, model=model, data=data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, "`inner` is missing: add it."),
        ({"inner": {"size": 9}}, "`inner.size` is 9; allowed: less than or equal to 5."),
        ({"inner": {"size": "9"}}, '`inner.size` is "9"; allowed: a valid integer.'),
        (
            {"inner": {"colour": "blu"}},
            "`inner.colour` is \"blu\"; allowed: 'red' or 'blue'. Did you mean 'blue'?",
        ),
        ({"inner": {"colr": 1}}, "unknown key `inner.colr`. Did you mean 'colour'? Keys there: colour, size."),
        ({"inner": {}, "many": [{}, {"size": 0}]}, "`many[1].size` is 0; allowed: greater than or equal to 1."),
        ({"inner": {"size": 1, "colour": "blue"}}, "`inner`: one blue is too few."),
        ([], "the whole is []; allowed: an object."),
    ],
)
def test_each_mistake_is_one_line(data: object, expected: str) -> None:
    assert mistakes(Outer, data) == [expected]


def test_the_tags_of_a_union_are_not_in_the_path() -> None:
    stage = {"kind": "job", "monitors": [{"kind": "probe"}, {"kind": "prob", "wait": 1}]}
    assert mistakes(Setup, {"name": "a", "stages": [stage]}) == [
        "`stages[0].monitors[1].kind` is \"prob\"; allowed: 'probe' or 'text'. Did you mean 'probe'?",
        "unknown key `stages[0].monitors[1].wait`. Did you mean 'weight' or 'traits'? "
        "Keys there: action, alarm_frac, kind, layer, threshold, traits, weight.",
    ]


def test_a_union_without_or_with_an_unknown_kind_names_the_kinds() -> None:
    kinds = "business, demonstrations, documents, job, preferences, reinforcement"
    assert mistakes(Setup, {"name": "a", "stages": [{}, {"kind": "jbo"}]}) == [
        f"`stages[0].kind` is missing: add it. Allowed: {kinds}.",
        f"unknown `stages[1].kind` 'jbo'. Did you mean 'job'? Allowed: {kinds}.",
    ]


def test_an_empty_list_is_named_and_one_with_bad_items_is_not() -> None:
    assert mistakes(Setup, {"name": "a", "stages": []})[0].startswith("`stages` is []; allowed: ")
    assert len(mistakes(Setup, {"name": "a", "stages": [{"kind": "job", "steps": 0}]})) == 1


def test_without_a_model_there_are_no_near_matches() -> None:
    with pytest.raises(ValidationError) as caught:
        Inner.model_validate({"siz": 1})
    assert explain(caught.value) == ["unknown key `siz`."]


def test_long_values_are_cut() -> None:
    assert "..." in mistakes(Outer, {"inner": "x" * 1000})[0]
    assert len(mistakes(Outer, {"inner": "x" * 1000})[0]) < 150


def test_paths_and_near_matches() -> None:
    assert show_path(("a", 0, "b", "c", 12)) == "a[0].b.c[12]"
    assert show_path((3, "a")) == "[3].a"
    assert did_you_mean("xyz", ["abc"]) == ""
