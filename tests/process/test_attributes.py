"""Every attribute of an object is there when its constructor has returned: nobody has to know what was called before."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for room in ("gateway", "sip", "sms", "config") for path in (ROOT / room).rglob("*.py"))
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def born_elsewhere(tree: ast.Module) -> Iterator[str]:
    """`Class.attribute, first assigned in method`, of every class of a module."""
    for found in ast.walk(tree):
        if isinstance(found, ast.ClassDef):
            methods = [one for one in found.body if isinstance(one, _Function) and one.args.args]
            declared = {name for one in found.body for name in _declared(one)}
            declared |= {name for method in methods if method.name == "__init__" for name in _assigned(method)}
            for method in methods:
                yield from (f"{found.name}.{name} in {method.name}" for name in _assigned(method) - declared)


def _declared(statement: ast.stmt) -> Iterator[str]:
    """Names that a class declares in its body: fields, and values that all its objects have."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
    yield from (target.id for target in targets if isinstance(target, ast.Name))
    if isinstance(statement, _Function) and any(isinstance(one, ast.Attribute) for one in statement.decorator_list):
        yield statement.name  # a property's setter


def _assigned(method: _Function) -> set[str]:
    """What it assigns of its own object, in whatever statement."""
    own = method.args.args[0].arg
    return {
        one.attr
        for one in ast.walk(method)
        if isinstance(one, ast.Attribute)
        and isinstance(one.ctx, ast.Store)
        and isinstance(one.value, ast.Name)
        and one.value.id == own
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_attributes_are_born_in_the_constructor(path: Path) -> None:
    assert list(born_elsewhere(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    ("method", "found"),
    [
        ("def go(self): self.late = 1", ["A.late in go"]),
        ("def go(self): self.early = 1", []),
        ("def go(self): self.declared = 1", []),
        ("async def go(self):\n  async with x() as self.late: pass", ["A.late in go"]),
        ("def go(self):\n  for self.late in (): pass", ["A.late in go"]),
        ("def go(self): self.early, self.late = 1, 2", ["A.late in go"]),
        ("def go(self, other): other.late = 1", []),
    ],
)
def test_the_test_sees_what_it_looks_for(method: str, found: list[str]) -> None:
    source = f"class A:\n declared: int\n def __init__(self): self.early = 0\n {method.replace(chr(10), chr(10) + ' ')}"
    assert list(born_elsewhere(ast.parse(source))) == found
