"""Before a command that works on the store: one of an older release is brought up to date, and that is said."""

from __future__ import annotations

from datetime import UTC, datetime

from app.cli.context import Context


def upgraded(context: Context) -> None:
    """Bring the profile's store up to date, where it is behind; says where the backup of the store before lies."""
    from app import settings
    from sync.upgrade import upgrade

    done = upgrade(settings.profile_folder(context.profile), context.profile, datetime.now(UTC))
    if done is not None:
        context.progress(
            context.words(
                f"store brought from revision {done.found} to {done.now}; as it was before: {done.kept}",
                f"数据库已从版本 {done.found} 升级到 {done.now}；升级前的备份：{done.kept}",
            )
        )
