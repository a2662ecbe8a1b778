"""Before a command that works on the store: one of an older release is brought up to date, and that is said."""

from __future__ import annotations

from datetime import UTC, datetime

from zixin.cli.context import Context


def upgraded(context: Context, *, makes: bool = False) -> None:
    """Bring the profile's store up to date, where it is behind; says where the backup of the store before lies.

    `makes`: where there is none, the command makes one, and that is said: one that was lost is not filled in silence.
    """
    from zixin.services import backups

    ready = backups.made_ready(context.profile, datetime.now(UTC))
    if makes and ready.new is not None:
        context.progress(context.words(f"a new store: {ready.new}", f"新建数据库：{ready.new}"))
    done = ready.upgraded
    if done is not None:
        context.progress(
            context.words(
                f"store brought from revision {done.found} to {done.now}; as it was before: {done.kept}",
                f"数据库已从版本 {done.found} 升级到 {done.now}；升级前的备份：{done.kept}",
            )
        )
