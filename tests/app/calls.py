"""The command line as it is called, within the test's own process."""

import pytest

from app.cli.main import main


def run(*words: str) -> int:
    """Exit code of one call."""
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(left.value.code or 0)
