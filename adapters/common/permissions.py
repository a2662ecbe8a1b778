"""What a vendor lets us do, found out by calls that change nothing."""

from __future__ import annotations

from collections.abc import Callable

from connector.errors import Denied, Exhausted, Problem
from connector.ports import PermissionCheck


def try_permission(name: str, en: str, zh: str, call: Callable[[], PermissionCheck | None]) -> PermissionCheck:
    """Granted where the call works, unless it says more itself; missing where it is denied, else not told.

    `en` and `zh`: what it is for. Raises Exhausted: the quota is used up, and nothing more can be found out.
    """
    try:
        return call() or PermissionCheck(name, granted=True, en=en, zh=zh)
    except Exhausted:
        raise
    except Problem as problem:
        granted = False if isinstance(problem, Denied) else None
        return PermissionCheck(name, granted, f"{en}: {problem.text()}", f"{zh}：{problem.text('zh-CN')}")
