"""What can go wrong, sorted by what the caller must do.

    Problem
    ├── Retry            the same call may succeed later
    │   └── RateLimited  … not before `after` seconds
    ├── Refused          this record, never again as it is
    ├── Misconfigured    an admin must act: settings, mapping, policy, files, fields
    │   ├── Denied       credentials or permission (exit code 5)
    │   └── Exhausted    a quota is used up (exit code 6)
    ├── Untrusted        a forged or malformed call
    └── Busy             another run holds the lock (exit code 7)

The class says what to do. The `code` names an entry of `connector.messages.problems`, which says what happened and
what to try, in English and Chinese; `facts` fill its text and never hold secrets or personal data.
"""

from __future__ import annotations

from typing import ClassVar

from connector.messages.problems import PROBLEMS


class Problem(Exception):
    """Anything zixin raises on purpose; `str()` is the English text."""

    #: Exit code of a command that ends with this problem.
    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, **facts: str | int) -> None:
        self.code = code
        self.facts = facts
        super().__init__(self.text())

    def text(self, language: str = "en") -> str:
        """What happened and what to try, in `en` or `zh-CN`."""
        words = PROBLEMS[self.code]
        what, next_step = (words.what_zh, words.next_zh) if language == "zh-CN" else (words.what_en, words.next_en)
        return f"{what.format(**self.facts)} {next_step.format(**self.facts)}"


class Retry(Problem):
    """The same call may succeed later: a timeout, a 5xx, a lost connection."""


class RateLimited(Retry):
    """Told to slow down."""

    def __init__(self, code: str, *, after: float | None = None, **facts: str | int) -> None:
        #: Seconds to wait before the next try; None when the vendor did not say.
        self.after = after
        super().__init__(code, **facts)


class Refused(Problem):
    """The CRM will never take this record as it is."""


class Misconfigured(Problem):
    """An admin must act: settings, mapping, policy, files, fields."""


class Denied(Misconfigured):
    """Credentials or permission."""

    exit_code = 5


class Exhausted(Misconfigured):
    """A quota is used up."""

    exit_code = 6


class Untrusted(Problem):
    """A forged or malformed call."""


class Busy(Problem):
    """Another run holds the lock."""

    exit_code = 7
