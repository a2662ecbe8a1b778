"""Tries a connector file on the live system, call by call, and says of each what came back. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from adapters.declarative.connector import Connector
from adapters.declarative.models import Object
from adapters.declarative.reader import Reader
from connector.errors import Problem
from connector.ports import Page, Source

State = Literal["ok", "look", "failed", "left"]


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One step: `ok`; `look`: it answered, and something is odd; `failed`; `left`: not tried, and why."""

    step: str
    state: State
    en: str
    zh: str


def check(connector: Connector, crm: Reader) -> Iterator[CheckStep]:
    """Each step as it is done."""
    yield _try_step("me", lambda: _me(crm))
    for name, item in connector.objects.items():
        yield from _object(crm, name, item)
    if connector.describe:
        yield _try_step("describe", lambda: _described(crm, connector.accounts()))
    else:
        yield CheckStep("describe", "left", "the file does not say how fields are listed", "文件未说明如何列出字段")
    yield _writing(connector)
    if connector.create is None:
        yield CheckStep("create", "left", "fields have to be made by hand", "字段须手工创建")
    if connector.hook is None:
        yield CheckStep(
            "hook",
            "left",
            "no calls from the system; our own format counts, and polling",
            "系统不推送；可用通用格式或轮询",
        )


def _writing(connector: Connector) -> CheckStep:
    """What is written, and what proves it."""
    said = [item.write for item in connector.objects.values() if item.write is not None]
    if not said:
        return CheckStep(
            "write", "left", "no object has `write`: ratings cannot be written back", "没有对象声明 write：无法写回评级"
        )
    result = said[0].result
    if result.state or result.statuses or (result.shows and result.id):
        return CheckStep("write", "left", "not tried: a check changes nothing", "未尝试：检查不改动数据")
    en = "its answers prove no write, each is read back: say `result` `state` and `id`, `shows` and `id`, or `statuses`"
    zh = "响应不能证明写入，每条都会回读：请在 `result` 中声明 `state` 和 `id`、`shows` 和 `id`，或 `statuses`"
    return CheckStep("write", "left" if result.only_failed else "look", en, zh)


def _object(crm: Reader, name: str, item: Object) -> Iterator[CheckStep]:
    fields = tuple(item.fields)
    source = Source(name, name, fields)
    pages: list[Page] = []

    def read() -> tuple[State, str, str]:
        for page in crm.read(source, None):
            pages.append(page)
            if len(pages) == 2:
                break
        return _judge(pages, item)

    yield _try_step(f"{name}.read", read)
    ids = [str(key) for page in pages for key in page.frame["id"] if key]
    if not ids:
        return
    if item.get or item.some or item.children:
        yield _try_step(f"{name}.by id", lambda: _by_id(crm, source, ids[0]))
    else:
        yield CheckStep(
            f"{name}.by id",
            "left",
            "neither `get` nor `batch`: events about it cannot be read",
            "缺少 get 或 some：无法处理其事件",
        )
    if item.since is not None:
        yield _try_step(f"{name}.since", lambda: _since(crm, source, pages))
    else:
        yield CheckStep(f"{name}.since", "left", "read whole every time", "每次全量读取")


def _try_step(step: str, what: Callable[[], tuple[State, str, str]]) -> CheckStep:
    try:
        state, en, zh = what()
    except Problem as problem:
        return CheckStep(step, "failed", problem.text("en"), problem.text("zh-CN"))
    return CheckStep(step, state, en, zh)


def _me(crm: Reader) -> tuple[State, str, str]:
    organisation = crm.organisation()
    return "ok", f"{organisation.name}, {organisation.currency}", f"{organisation.name}，{organisation.currency}"


def _judge(pages: list[Page], item: Object) -> tuple[State, str, str]:
    frame = pl.concat([page.frame for page in pages]) if pages else pl.DataFrame()
    misfits = [misfit for page in pages for misfit in page.misfits]
    if any(misfit.reason == "no_id" for misfit in misfits):
        return "look", "records without an id: is `id` right?", "有记录缺少 id：请检查 id"
    if misfits:
        return "look", f"{len(misfits)} records that cannot be read", f"{len(misfits)} 条记录无法读取"
    if not frame.height:
        return "look", "it answered without a record: is `records` right?", "返回为空：请检查 records"
    if (
        item.children is None
        and len(pages) > 1
        and pages[1].frame.height
        and set(pages[0].frame["id"]) >= set(pages[1].frame["id"])
    ):
        return "look", "the second page repeats the first: is `page` right?", "第二页与第一页相同：请检查 page"
    if item.modified is not None and not _all_times(frame["modified_at"]):
        return (
            "look",
            "not every record says when it changed: is `modified` right?",
            "部分记录没有修改时间：请检查 modified",
        )
    empty = [name for name in item.fields if frame[name].null_count() == frame.height]
    if empty:
        return "look", f"always empty: {', '.join(empty)}", f"始终为空：{', '.join(empty)}"
    return "ok", f"{frame.height} records in {len(pages)} pages", f"{len(pages)} 页共 {frame.height} 条"


def _all_times(stamps: pl.Series) -> bool:
    try:
        return all(stamp and datetime.fromisoformat(stamp).tzinfo for stamp in stamps)
    except ValueError:
        return False


def _by_id(crm: Reader, source: Source, record: str) -> tuple[State, str, str]:
    pages = list(crm.fetch(source, [record]))
    names = {str(key) for page in pages for key in page.frame["id"]}
    if names == {record}:
        return "ok", "one record, the right one", "取回一条，且正确"
    return "look", "it does not come back by its id", "按 id 取不到该记录"


def _since(crm: Reader, source: Source, pages: list[Page]) -> tuple[State, str, str]:
    import json
    from datetime import timedelta

    ahead = (crm.now() + timedelta(days=1)).isoformat(timespec="seconds")
    later = next(iter(crm.read(source, json.dumps({"since": ahead}))))
    if later.frame.height:
        return (
            "look",
            "records that changed after tomorrow: is `since` right?",
            "返回了明天之后变更的记录：请检查 since",
        )
    if not all(_all_times(page.frame["modified_at"]) for page in pages):
        return "look", "it cannot be tried while `modified` is wrong", "modified 有误，无法尝试"
    first = min(str(stamp) for page in pages for stamp in page.frame["modified_at"])
    early = next(iter(crm.read(source, json.dumps({"since": first}))))
    if not early.frame.height:
        return (
            "look",
            "nothing since the first record's own time: is `since` right?",
            "按首条记录时间查询为空：请检查 since",
        )
    return "ok", "changes are told from the rest", "可区分变更记录"


def _described(crm: Reader, name: str) -> tuple[State, str, str]:
    fields = crm.describe(name).fields
    if not fields:
        return "look", "no field is listed", "未列出任何字段"
    return "ok", f"{len(fields)} fields of {name}", f"{name} 有 {len(fields)} 个字段"
