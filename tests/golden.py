"""Files that a test compares with what the code makes; `ZIXIN_REGENERATE=1 pytest` writes them anew, for `git diff`."""

import difflib
import os
from pathlib import Path

ROOT = Path(__file__).parents[1]


def check(path: str, made: str) -> None:
    """Fail with a readable difference where the file is not what was made."""
    file = ROOT / path
    if os.environ.get("ZIXIN_REGENERATE"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(made, encoding="utf-8")
    stored = file.read_text(encoding="utf-8") if file.exists() else ""
    difference = "\n".join(difflib.unified_diff(stored.splitlines(), made.splitlines(), path, "made now", lineterm=""))
    assert made == stored, f"{path} is not what the code makes; ZIXIN_REGENERATE=1 pytest writes it anew.\n{difference}"
