"""What runs in the store's thread touches its connection and frozen values, and nothing else: the types of every step say so."""

import ast
import dataclasses
import importlib
import inspect
import sqlite3
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
PLAIN = (bool, int, float, str, bytes, date, timedelta, Enum, type(None))
"""`datetime` is a `date`, `E164` a `str`."""


def handed_over() -> Iterator[tuple[Path, ast.expr]]:
    """The first argument of every `….run(…)` and `….insist(…)` of a store, wherever it stands in the gateway."""
    for file in sorted((ROOT / "gateway").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            of = ast.unparse(node.func.value)
            if node.func.attr in ("run", "insist") and of.endswith(("store", "database")):
                yield file, node.args[0]


STEPS = list(handed_over())


@pytest.mark.parametrize(("file", "step"), STEPS, ids=[f"{file.stem}:{ast.unparse(step)}" for file, step in STEPS])
def test_step_is_a_function_of_frozen_values(file: Path, step: ast.expr) -> None:
    assert isinstance(step, ast.Name | ast.Attribute), "a step is named: a lambda could reach for anything"
    module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    function = resolved(module, ast.unparse(step))
    assert inspect.isfunction(function)
    assert "<locals>" not in function.__qualname__, "a closure could reach for anything"
    owner = function.__qualname__.rpartition(".")[0]
    if owner:
        assert is_frozen(vars(importlib.import_module(function.__module__))[owner]), f"a step of {owner}, which changes"
    hints = typing.get_type_hints(function)
    hints.pop("return")
    connection, *values = hints.items()
    assert connection[1] is sqlite3.Connection
    assert {name: hint for name, hint in values if not is_frozen(hint)} == {}


def resolved(module: types.ModuleType, name: str) -> Any:
    """The function that a step's name means there."""
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part)
    return found


def is_frozen(hint: Any) -> bool:
    """A type whose values nobody changes: plain ones, frozen dataclasses and models, and what holds only these."""
    origin, arguments = typing.get_origin(hint), [one for one in typing.get_args(hint) if one is not Ellipsis]
    if origin in (typing.Union, types.UnionType, tuple, Mapping, Sequence, typing.Literal, typing.Annotated):
        return origin is typing.Literal or all(is_frozen(one) for one in arguments)
    if dataclasses.is_dataclass(hint):
        return bool(hint.__dataclass_params__.frozen)  # type: ignore[union-attr]
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return bool(hint.model_config.get("frozen"))
    return (isinstance(hint, type) and issubclass(hint, PLAIN)) or getattr(hint, "__supertype__", None) in PLAIN


def test_the_search_finds_them() -> None:
    found = {ast.unparse(step) for _, step in STEPS}
    assert {"handover.claim_due", "handover.record", "deciding.decide_anew", "_arrive", "_take"} <= found


def test_what_is_not_frozen_is_noticed() -> None:
    @dataclasses.dataclass
    class Loose:
        value: int

    assert not is_frozen(Loose)
    assert not is_frozen(list[int])
    assert not is_frozen(Mapping[str, Loose])
    assert is_frozen(tuple[int, ...] | None)
