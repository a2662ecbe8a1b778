"""What a field in the CRM lacks of what zixin writes into it: told in words, and changed where the CRM lets us."""

from __future__ import annotations

from connector.assessment import OutputField
from connector.ports import Aspect, Field, Growth


def growth(item: OutputField, field: Field) -> Growth:
    """What the field lacks; a Growth that is false: nothing."""
    lacking = tuple(option for option in item.options if option not in field.options)
    # A field of flags that lists no options takes any text; a choice without options takes nothing.
    options = lacking if field.options or item.kind == "choice" else ()
    # Where the CRM tells no labels, a field bears its name.
    label = item.shown if field.label not in (item.shown, field.name) else ""
    short = item.kind == "text" and field.length is not None and field.length < item.length
    return Growth(field, item, options, label, item.length if short else None)


def words(lacks: Growth) -> tuple[str, str]:
    """What is to be changed, in English and Chinese, as an admin reads it."""
    english, chinese = [], []
    if lacks.options:
        message = ", ".join(lacks.options)
        english.append(f"add the options {message}")
        chinese.append(f"添加选项 {message}")
    if lacks.label:
        english.append(f"label {lacks.field.label} to {lacks.label}")
        chinese.append(f"标签由“{lacks.field.label}”改为“{lacks.label}”")
    if lacks.length:
        english.append(f"room for {lacks.length} characters instead of {lacks.field.length}")
        chinese.append(f"长度由 {lacks.field.length} 增至 {lacks.length} 个字符")
    return "; ".join(english), "；".join(chinese)


def by_hand(lacks: Growth) -> tuple[str, str]:
    """What a person is to do in the CRM, who knows it by the field's label."""
    english, chinese = words(lacks)
    more = ("", "")
    if lacks.length:
        more = ("; until then longer texts are cut", "；在此之前较长的文本会被截断")
    field = lacks.field.label
    return f"in the CRM, field {field}: {english}{more[0]}", f"请在 CRM 的字段“{field}”中：{chinese}{more[1]}"


def parts(lacks: Growth, growable: frozenset[Aspect], *, ours: bool) -> tuple[Growth, Growth]:
    """What we may change, and what is left to a person: all of a field that is not ours."""
    every = frozenset[Aspect](("options", "label", "length"))
    mine = growable if ours else frozenset()
    # How somebody else calls his field is his.
    theirs = every - mine if ours else every - {"label"}
    return lacks.of(mine), lacks.of(theirs)
