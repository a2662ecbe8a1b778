"""YAML documents that people write: parsed strictly, and refused with their line and a suggestion."""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from connector.errors import Misconfigured

M = TypeVar("M", bound=BaseModel)


class Part(BaseModel):
    """What all parts of such a document have in common: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def parse(text: str, name: str, model: type[M], code: str) -> M:
    """The document as that model; raises Misconfigured with that code and facts file, line, detail."""
    try:
        tree = _tree(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misconfigured(code, file=name, line=line, detail=str(error.problem)) from None
    if not isinstance(tree, dict):
        raise Misconfigured(code, file=name, line=1, detail="not a mapping of keys")
    try:
        return model.model_validate(_plain(tree))
    except ValidationError as error:
        items = error.errors(include_input=False, include_url=False)
        # A key that is spelt wrong is missing under its right name, too: what is there tells more than what is not.
        first = next((each for each in items if each["type"] == "extra_forbidden"), items[0])
        line = _line(tree, first["loc"])
        raise Misconfigured(code, file=name, line=line, detail=_detail(first, model)) from None


def suggestion(name: str, known: list[str]) -> str:
    """The nearest of the known names, or all of them."""
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"


@lru_cache(maxsize=32)
def _tree(text: str) -> Any:
    """The document with its lines; whoever reads it copies. A round-trip parse takes 50 ms for a policy."""
    return YAML(typ="rt").load(text)


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return str(node) if type(node).__name__ == "ScalarFloat" else node


def _line(tree: Any, where: tuple[int | str, ...]) -> int:
    line, node = 1, tree
    for step in where:
        try:
            marks = node.lc.data.get(step)
            line = marks[0] + 1 if marks else line
            node = node[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _detail(error: Any, model: type[BaseModel]) -> str:
    where = ".".join(str(step) for step in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown key {where}{suggestion(str(error['loc'][-1]), _keys(model, error['loc'][:-1]))}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _keys(root: type[BaseModel], where: tuple[int | str, ...]) -> list[str]:
    """Keys that a part at that place may have."""
    model: Any = root
    for step in where:
        field_info = (
            model.model_fields.get(str(step)) if isinstance(model, type) and issubclass(model, BaseModel) else None
        )
        kind = field_info.annotation if field_info else model
        parts = [part for part in getattr(kind, "__args__", ()) if isinstance(part, type)]
        model = kind if isinstance(kind, type) else next((p for p in parts if issubclass(p, BaseModel)), kind)
    names = model.model_fields.items() if isinstance(model, type) and issubclass(model, BaseModel) else ()
    return [str(field.alias or name) for name, field in names]
