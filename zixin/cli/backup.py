"""`zixin backup`, `zixin restore FILE`: a profile in one file, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from zixin.cli.context import Context


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup", help="The profile in one file, while it is in use; the key is not in it.")(backup)
    app.command("restore", help="Make the profile what a backup holds.")(restore)


def backup(
    call: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Default: zixin-PROFILE-TIME.tar.gz in this folder.")] = None,
) -> None:
    """Store, policy, mappings, connections (their secrets sealed, as they are kept)."""
    from zixin.services import backups

    context: Context = call.obj
    now = datetime.now(UTC)
    target = file or Path(f"zixin-{context.profile}-{now:%Y%m%dT%H%M%SZ}.tar.gz")
    manifest = backups.backup(context.profile, target, now)
    count = sum(manifest.rows.values())
    if context.json:
        context.document(
            {"file": str(target), "made_at": manifest.made_at, "files": list(manifest.files), "rows": manifest.rows}
        )
        return
    context.say(f"{target}: {', '.join(manifest.files)}")
    context.say(
        context.words(
            f"{count:,} rows. The key is not in it: keep that elsewhere (zixin doctor says where it comes from).",
            f"{count:,} 行。密钥不在备份中：请另行保存（zixin doctor 会说明其来源）。",
        )
    )


def restore(
    call: typer.Context,
    file: Annotated[Path, typer.Argument(help="What zixin backup wrote.", exists=True, dir_okay=False)],
    replace: Annotated[
        bool, typer.Option(help="Where the profile is there already: what is there is kept in a folder of its own.")
    ] = False,
) -> None:
    """Proves every file by its digest first; says what to do where the key is another one."""
    from zixin.services import backups

    context: Context = call.obj
    done = backups.restore(context.profile, file, datetime.now(UTC), replace=replace)
    manifest, sealed = done.manifest, done.sealed.text(context.language) if done.sealed else None
    if context.json:
        context.document({"made_at": manifest.made_at, "rows": manifest.rows, "reconnect": sealed})
        return
    count = sum(manifest.rows.values())
    context.say(context.words(f"{count:,} rows as of {manifest.made_at}.", f"{count:,} 行，截至 {manifest.made_at}。"))
    if sealed:
        context.say(f"! {sealed}")
    else:
        next_ = (
            "Next: restart zixin serve where it runs, then zixin doctor and zixin sync",
            "下一步：如有运行中的 zixin serve 请重启，然后运行 zixin doctor 和 zixin sync",
        )
        context.say(context.words(*next_))
