"""What a docstring, a comment or a page cites stands in this repository."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: A page of ours, by its path from the root.
_PAGE = re.compile(r"(?<![\w/.-])((?:docs|design|reference|shared|prototypes)/[\w./-]+\.(?:md|yaml|yml))")


def test_every_page_that_is_cited_is_here() -> None:
    folders = ("connector", "mappings", "adapters", "sync", "zixin", "tests", "bench", "docs")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md", ".yaml")
    ]
    files += [ROOT / name for name in ("README.md", "README.zh-CN.md", "setup.cfg", "go.py")]
    cited = {
        (path.relative_to(ROOT).as_posix(), page)
        for path in files
        if path != Path(__file__)
        for page in _PAGE.findall(path.read_text(encoding="utf-8"))
    }
    assert len(cited) > 20
    assert {(file, page) for file, page in cited if not (ROOT / page).is_file()} == set()
