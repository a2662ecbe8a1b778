"""zixin's fields in a CRM: what is wanted, what is ours, what has drifted, and how they go again.

A field is ours by two signs: its id, which the connection keeps, and a mark in its tooltip that names this
installation. The mark outlives a lost home: `--adopt` takes the installation's name over from it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters import registry
from connector.assessment import CORE, OUTPUT_FIELDS, OutputField
from connector.errors import Misconfigured, Problem
from connector.ports import Described, Diagnostics, Field, Growth, Installs, Step
from sync.crm_connection import CrmConnection
from sync.store import outbox
from zixin import compose
from zixin.compose import Attached
from zixin.config import connections
from zixin.config.connections import ConnectionConfig
from zixin.services import field_growth
from zixin.services.field_growth import growth

#: At the end of a tooltip: the installation that made the field.
MARK = re.compile(r"\[zixin ([0-9a-f]{8})\]")
#: A tooltip holds 255 characters in the strictest CRM.
_LONGEST = 240


@dataclass(frozen=True, slots=True)
class Drift:
    """How one field differs from what was made."""

    field: str
    en: str
    zh: str
    #: `install` mends it; anything else is for a person to set right in the CRM.
    ours: bool = False
    #: A text is cut, or a label is another one: nothing is refused for it.
    slight: bool = False


def wanted_fields(kept: ConnectionConfig, optional: Sequence[str] | None = None) -> tuple[OutputField, ...]:
    """What is to be made: the core, the optional ones that the connection asks for; labels in its language.

    `optional`: those that it is to ask for from now on.
    """
    names = _optional(kept) if optional is None else optional
    chosen = [item for item in OUTPUT_FIELDS if item in CORE or item.name in names]
    first, second = ("zh", "en") if kept.language == "zh-CN" else ("en", "zh")
    mark = f" [zixin {kept.install}]" if kept.install else ""
    return tuple(
        replace(
            item,
            label=getattr(item, first),
            tooltip=getattr(item, second)[:_LONGEST] + mark,
            field=kept.fields.get(item.name, ""),
        )
        for item in chosen
    )


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is to be done about each of the fields."""

    items: tuple[OutputField, ...]
    steps: tuple[Step, ...]
    growths: tuple[Growth, ...]


def _look_at_fields(crm: Installs, there: Described, kept: ConnectionConfig, items: tuple[OutputField, ...]) -> _Looked:
    """`there`: what `installed` says."""
    by_name = {field.name: field for field in there.fields}
    steps, growths = [], []
    for item, step in zip(items, crm.plan(items), strict=True):
        field = by_name.get(step.field)
        if step.action != "keep" or field is None or not (lacks := growth(item, field)):
            steps.append(step)
            continue
        mine, theirs = field_growth.parts(lacks, crm.growable(), ours=_is_ours(field, kept))
        if mine:
            growths.append(mine)
            steps.append(replace(step, action="grow", **_words_of(field_growth.words(mine))))
        if theirs:
            steps.append(replace(step, action="hand", **_words_of(field_growth.by_hand(theirs))))
        if not mine and not theirs:
            steps.append(step)
    return _Looked(items, tuple(steps), tuple(growths))


def _words_of(words: tuple[str, str]) -> dict[str, str]:
    return {"detail": words[0], "detail_zh": words[1]}


def _is_ours(field: Field, kept: ConnectionConfig) -> bool:
    """By our mark; where the CRM shows no tooltips, or the mark was taken out, by an id that is no mere name.

    A field that somebody made in the place of ours has its name, and not its id.
    """
    owner = _owner(field)
    told = field.tip is None or field.id not in ("", field.name)
    return owner == kept.install if owner else told and (field.id or field.name) in kept.field_ids.values()


def planned(profile: str, link: CrmConnection) -> tuple[Step, ...]:
    """What `install` would do, and what it leaves to a person."""
    config, crm = connections.read(profile)[link.name], _installs(link)
    return _look_at_fields(crm, crm.installed(), config, wanted_fields(config)).steps


def install(
    profile: str, link: CrmConnection, *, adopt: bool = False, optional: Sequence[str] | None = None
) -> tuple[CrmConnection, tuple[Step, ...]]:
    """Create the missing fields, let ours grow, keep what the CRM named them; the link with these names, and what was
    done or is left to a person.

    `optional`: the optional ones that are wanted from now on; None: as before. Raises Misconfigured, and changes
    nothing: a field of such a name is of another kind, or was not made by us and is not to be adopted.
    """
    config, crm = connections.read(profile)[link.name], _installs(link)
    there = crm.installed()
    marked = _marked(there)
    install_id = config.install or _whose(marked, adopt=adopt) or secrets.token_hex(4)
    ours = set(config.fields.values()) | {field for field, owner in marked.items() if owner == install_id}
    chosen = _optional(config) if optional is None else tuple(optional)
    config = replace(config, install=install_id)
    looked = _look_at_fields(crm, there, config, wanted_fields(config, chosen))
    wrong = [f"{step.field} ({step.detail})" for step in looked.steps if step.action == "mend"]
    if wrong:
        raise Misconfigured("E-FIELD-KIND", name=link.name, fields=", ".join(wrong))
    others = [step.field for step in looked.steps if step.action != "create" and step.field not in ours]
    if others and not adopt:
        raise Misconfigured("E-FIELD-OTHERS", name=link.name, fields=", ".join(dict.fromkeys(others)))
    named = dict(crm.apply(looked.items))
    created = {step.name for step in looked.steps if step.action == "create"}
    by_name = {field.name: field for field in (crm.installed() if created else there).fields}
    ids = {
        key: by_name[field].id or field
        for key, field in named.items()
        if field in by_name and (key in created or _owner(by_name[field]) == install_id)
    }
    connections.change(
        profile, link.name, fields=named, install=install_id, optional=chosen, field_ids={**config.field_ids, **ids}
    )
    # After what was made is kept: a CRM that does not let a field grow keeps nobody from the others.
    config = connections.read(profile)[link.name]
    _forgotten(profile, link.name, created)
    return replace(link, mapping=link.mapping.with_written(named)), _grow(crm, config, looked)


def _forgotten(profile: str, name: str, created: set[str]) -> None:
    """What was sent into fields that stood there before went with them: they are written anew by the next run.

    A store of an older release has yet to be brought up to date: there `zixin sync --full` does it.
    """
    if created and compose.up_to_date(profile):
        with compose.open_store(profile) as (store, _), store.write(name) as session:
            outbox.forget_fields(session, created)


def _grow(crm: Installs, kept: ConnectionConfig, found: _Looked) -> tuple[Step, ...]:
    """The steps; what the CRM did not change after all is left to a person, with its words."""
    if not found.growths:
        return found.steps
    problems = crm.grow(found.growths)
    after = _look_at_fields(crm, crm.installed(), kept, found.items)
    left = {lacks.item.name: lacks for lacks in after.growths}
    steps = []
    for step in found.steps:
        if step.action != "grow" or step.name not in left:
            steps.append(step)
            continue
        english, chinese = field_growth.by_hand(left[step.name])
        if problem := problems.get(step.name):
            english, chinese = f"{english} ({problem.text()})", f"{chinese}（{problem.text('zh-CN')}）"
        steps.append(replace(step, action="hand", **_words_of((english, chinese))))
    return tuple(steps)


def off_page(link: CrmConnection) -> dict[str, list[str]]:
    """Page layout → our fields that do not stand on it, as far as the CRM tells. Raises what keeps us from looking."""
    if not isinstance(link.crm, Diagnostics):
        return {}
    writes = link.mapping.writes
    result = {
        layout: sorted(set(writes.fields.values()) - texts) for layout, texts in link.crm.layouts(writes.object).items()
    }
    return {layout: names for layout, names in result.items() if names}


def off_page_as_seen(link: CrmConnection) -> dict[str, list[str]]:
    """As `off_page`; where we may not look at the layouts, doctor says so."""
    try:
        return off_page(link)
    except Problem:
        return {}


def widget(profile: str, attached: Attached) -> bytes:
    """The panel for the account page, packed for upload, with the names that our fields have in this CRM; no secret."""
    config = connections.read(profile)[attached.link.name]
    names = attached.link.mapping.writes.fields
    return registry.widget(config.crm, names, config.language, attached.policy.base_currency)


def placing(link: CrmConnection) -> tuple[str, str] | None:
    """What a person does so that new fields show on the page; None: nothing, or the CRM's layouts tell."""
    return _installs(link).placing()


def find_drift(profile: str, link: CrmConnection) -> list[Drift]:
    """How the fields differ from what zixin made and writes."""
    config = connections.read(profile)[link.name]
    crm = _installs(link)
    there = crm.installed()
    looked = _look_at_fields(crm, there, config, wanted_fields(config))
    by_name = {field.name: field for field in there.fields}
    steps: dict[str, list[Step]] = {}
    for step in looked.steps:
        steps.setdefault(step.name, []).append(step)
    drifts: list[Drift] = []
    for item in looked.items:
        field = by_name.get(item.field)
        if field is None:
            gone = "it is not there, or hidden from zixin's user", "不存在，或对 zixin 的用户不可见"
            drifts.append(Drift(item.field or item.shown, *gone, ours=True))
            continue
        for step in steps[item.name]:
            if step.action == "mend":
                drifts.append(Drift(field.name, f"of another kind: {step.detail}", f"类型不符：{step.detail}"))
            elif step.action in ("grow", "hand"):
                slight = not growth(item, field).options
                drifts.append(Drift(field.name, step.detail, step.detail_zh, step.action == "grow", slight))
        drifts += [Drift(field.name, en, zh) for en, zh in _differences(item, field, config)]
    return drifts


def removable(profile: str, link: CrmConnection) -> tuple[list[Field], list[str]]:
    """Fields that `remove` takes, and names of those that it leaves: without our mark, or another one by that name."""
    config = connections.read(profile)[link.name]
    ids = set(config.field_ids.values())
    take: list[Field] = []
    leave: list[str] = []
    for field in _installs(link).installed().fields:
        known = (field.id or field.name) in ids
        # Where the CRM shows no tooltips the id alone has to do.
        mine = known and (field.tip is None or _owner(field) == config.install)
        if mine:
            take.append(field)
        elif known or _owner(field) or field.name in config.fields.values():
            leave.append(field.name)
    return take, leave


def remove(profile: str, link: CrmConnection, fields: Sequence[Field]) -> None:
    """Deletes these fields with their values in the CRM; what zixin knows of the customers stays."""
    _installs(link).remove(fields)
    gone = {field.name for field in fields}
    config = connections.read(profile)[link.name]
    connections.change(
        profile,
        link.name,
        fields={key: name for key, name in config.fields.items() if name not in gone},
        field_ids={key: id_ for key, id_ in config.field_ids.items() if config.fields.get(key) not in gone},
    )


def _optional(kept: ConnectionConfig) -> tuple[str, ...]:
    """The optional ones that are wanted; of a connection of before they were, those that it has."""
    return kept.optional or tuple(item.name for item in OUTPUT_FIELDS if item.optional and item.name in kept.fields)


def _differences(item: OutputField, field: Field, kept: ConnectionConfig) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    if not field.writable:
        pairs.append(("zixin's user may not write it", "zixin 的用户不可写"))
    if field.places is not None and item.kind in ("number", "money") and field.places < item.places:
        pairs.append((f"holds {field.places} decimals only", f"仅保留 {field.places} 位小数"))
    if field.editors:
        who = ", ".join(field.editors)
        pairs.append((f"may be edited by {who}", f"可被编辑：{who}"))
    if field.tip is not None and item.name in kept.field_ids and _owner(field) != kept.install:
        pairs.append(("its tooltip has lost zixin's mark", "提示文本中的 zixin 标记已丢失"))
    return pairs


def _installs(link: CrmConnection) -> Installs:
    if not isinstance(link.crm, Installs):
        raise Misconfigured("E-NO-FIELDS", name=link.name)
    return link.crm


def _owner(field: Field) -> str:
    match = MARK.search(field.tip or "")
    return match[1] if match else ""


def _marked(there: Described) -> dict[str, str]:
    """Field → the installation that made it."""
    return {field.name: owner for field in there.fields if (owner := _owner(field))}


def _whose(marked: dict[str, str], *, adopt: bool) -> str:
    """The one installation whose mark is there, for a home that was lost."""
    owners = set(marked.values())
    return owners.pop() if adopt and len(owners) == 1 else ""
