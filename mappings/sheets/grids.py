"""A file of sheets as grids of cells, whatever it calls itself: XLSX, XLS, CSV, or a web page that is named .xls.

What a cell holds is told by its kind: a text was typed, a number may have lost digits, a day is sure.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any, Literal

import msoffcrypto
from msoffcrypto.exceptions import FileFormatError, InvalidKeyError
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from connector.errors import Misconfigured
from mappings.sheets.decoding import Decoded, decoded

#: Text as it was typed, a number, a day, yes or no, nothing.
Kind = Literal["t", "n", "d", "b", ""]
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DELIMITERS = ",;\t|"
#: Lines by which the delimiter of a text file is told.
_HEAD = 30
#: Digits that a number of a spreadsheet keeps.
_EXACT = 15
_MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet: rows of texts, null where a cell is empty, and what kind each is."""

    name: str
    texts: list[list[str | None]]
    kinds: list[list[Kind]]
    #: First row, first column, last row, last column of merged cells.
    merged: tuple[tuple[int, int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """A file: its sheets that are not empty; or what a person has to say before it can be read."""

    grids: list[Grid]
    #: Of a text file.
    encoding: str = ""
    #: Encoding → how the file reads by it, where several fit.
    readings: dict[str, str] = field(default_factory=dict)


def book(
    data: bytes, name: str, known: Callable[[str], int], *, encoding: str = "", password: str = ""
) -> Book:  # fmt: skip
    """The sheets of a file. `known`: how many headers of ours a line of text holds; `encoding`, `password`: as said.

    Raises Misconfigured: it is no file of sheets, is damaged, or wants a password.
    """
    if len(data) > _MOST_BYTES:
        raise Misconfigured("E-SHEET", file=name, detail=f"it is larger than {_MOST_BYTES // 1_000_000} MB")
    if data.startswith(_OLE):
        data = _decrypted(data, name, password)
    if data.startswith((_ZIP, _OLE)):
        return Book(_workbook(data, name))
    text = decoded(data, known, encoding)
    if text is None:
        detail = f"it is no text in {encoding}" if encoding else "it is neither a workbook nor text in a known encoding"
        raise Misconfigured("E-SHEET", file=name, detail=detail)
    if text.text is None:
        return Book([], readings=dict(text.readings))
    return Book(_of_text(text, name), text.encoding)


def _decrypted(data: bytes, name: str, password: str) -> bytes:
    """An encrypted workbook, opened; any other as it is."""
    try:
        office = msoffcrypto.OfficeFile(io.BytesIO(data))
        if not office.is_encrypted():
            return data
        if not password:
            raise Misconfigured("E-SHEET-PASSWORD", file=name)
        out = io.BytesIO()
        office.load_key(password=password)
        office.decrypt(out)
        return out.getvalue()
    except InvalidKeyError:
        raise Misconfigured("E-SHEET-PASSWORD", file=name) from None
    except (FileFormatError, OSError, ValueError, KeyError, AttributeError):
        # Of a shape that it does not know: the reader of workbooks says what it is.
        return data


def _workbook(data: bytes, name: str) -> list[Grid]:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        return [grid for each in workbook.sheet_names if (grid := _sheet(workbook, each)).texts]
    except PasswordError:
        raise Misconfigured("E-SHEET-PASSWORD", file=name) from None
    except (CalamineError, OSError, ValueError) as error:
        raise Misconfigured("E-SHEET", file=name, detail=f"it is damaged ({type(error).__name__})") from None


def _sheet(workbook: CalamineWorkbook, name: str) -> Grid:
    sheet = workbook.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=False)
    cells = [[_cell(value) for value in row] for row in rows]
    texts, kinds = [[text for text, _ in row] for row in cells], [[kind for _, kind in row] for row in cells]
    merged = tuple((*first, *last) for first, last in sheet.merged_cell_ranges or ())
    return _trimmed(Grid(name, texts, kinds, merged))


def _cell(value: Any) -> tuple[str | None, Kind]:
    match value:
        case "":
            return None, ""
        case str():
            return value, "t"
        case bool():
            return ("true" if value else "false"), "b"
        case float():
            return _number(value), "n"
        case int():
            return str(value), "n"
        case datetime():
            day = value.date().isoformat() if value.time() == time() else value.isoformat()
            return day, "d"
        case date():
            return value.isoformat(), "d"
        case time() | timedelta():
            return str(value), "t"
        case _:
            return None, ""


def _number(value: float) -> str:
    """As a person sees it: fifteen digits are kept by a spreadsheet, and 0.1 + 0.2 is 0.3 there."""
    text = f"{Decimal(f'{value:.{_EXACT}g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_inexact(text: str) -> bool:
    """Whether a number of so many digits may have been another one before a spreadsheet kept it."""
    return len(re.sub(r"[^0-9]", "", text).strip("0")) >= _EXACT or len(text.lstrip("-").partition(".")[0]) > _EXACT


def _of_text(found: Decoded, name: str) -> list[Grid]:
    text = found.text or ""
    if re.search(r"(?i)<(table|html|!doctype)", text[:5_000]):
        return [grid for grid in _tables(text) if grid.texts]
    delimiter = _delimiter(text)
    csv.field_size_limit(_MOST_BYTES)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise Misconfigured("E-SHEET", file=name, detail=f"it is no CSV ({error})") from None
    return [grid for grid in [_typed(name, rows)] if grid.texts]


def _typed(name: str, rows: Sequence[Sequence[str]]) -> Grid:
    """A grid all of whose cells were typed."""
    width = max((len(row) for row in rows), default=0)
    texts = [[(each if each.strip() else None) for each in row] + [None] * (width - len(row)) for row in rows]
    kinds: list[list[Kind]] = [["t" if each is not None else "" for each in row] for row in texts]
    return _trimmed(Grid(name, texts, kinds))


def _trimmed(grid: Grid) -> Grid:
    """Without the empty rows at its end: a format reaches further than what is filled in."""
    end = next((at + 1 for at in range(len(grid.texts) - 1, -1, -1) if any(grid.texts[at])), 0)
    return Grid(grid.name, grid.texts[:end], grid.kinds[:end], grid.merged)


def _delimiter(text: str) -> str:
    """What most lines agree on: so many cells each, as many as there are."""
    lines = [line for line in text.splitlines()[:_HEAD] if line.strip()]

    def agree(mark: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=mark)]
        most = max(set(counts), key=lambda count: (counts.count(count) if count > 1 else 0, count), default=1)
        return (counts.count(most), most) if most > 1 else (0, 0)

    return max(_DELIMITERS, key=agree)


class _Page(HTMLParser):
    """The tables of a web page, nested ones as text of their cell."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._depth, self._cell, self._span = 0, [""], 1
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A table, a row or a cell begins."""
        if tag == "table":
            self._depth += 1
            self.tables += [[]] if self._depth == 1 else []
        elif self._depth == 1 and tag == "tr":
            self.tables[-1].append([])
        elif self._depth == 1 and tag in ("td", "th") and self.tables[-1]:
            self._close()
            told = dict(attrs).get("colspan") or "1"
            self._span = min(int(told), 1_000) if told.isdigit() else 1
            self._open, self._cell = True, [""]
        elif tag == "br" and self._open:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """It ends."""
        if tag in ("td", "th", "tr") and self._depth == 1:
            self._close()
        elif tag == "table" and self._depth:
            self._close()
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        """Words of a cell."""
        if self._open:
            self._cell.append(data)

    def _close(self) -> None:
        if self._open and self.tables[-1]:
            text = " ".join("".join(self._cell).split())
            self.tables[-1][-1] += [text] + [""] * (self._span - 1)
        self._open = False


def _tables(text: str) -> list[Grid]:
    page = _Page()
    page.feed(text)
    page.close()
    return [_typed(f"table {number}", rows) for number, rows in enumerate(page.tables, 1)]
