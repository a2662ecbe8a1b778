"""A CRM whose fields an earlier release made: a flag fewer, a shorter text, another Chinese label, the same ten grades.

What is new in a release is thereby real: today's engine raises the flag, and today's writer sends it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from connector.assessment import FLAGS, OUTPUT_FIELDS, OutputField

#: What the earlier release did not know.
NEW_FLAG = "OVERDUE_90"
SHORTER, OTHER_LABEL = 300, "信用标记"


def _before(item: OutputField) -> OutputField:
    if item.name == "flags":
        return replace(item, options=tuple(flag for flag in FLAGS if flag != NEW_FLAG), zh=OTHER_LABEL)
    return replace(item, length=SHORTER) if item.name == "reasons" else item


@contextmanager
def earlier_release() -> Iterator[None]:
    """Within it, `fields apply` makes what the earlier release made."""
    assert NEW_FLAG in FLAGS
    with pytest.MonkeyPatch.context() as patched:
        output_fields = tuple(_before(item) for item in OUTPUT_FIELDS)
        patched.setattr("zixin.services.crm_fields.OUTPUT_FIELDS", output_fields)
        patched.setattr("zixin.services.crm_fields.CORE", tuple(item for item in output_fields if not item.optional))
        yield
