"""An export of charges as a spreadsheet: the same lines as its CSV, amounts as numbers, days as dates. The same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime

import xlsxwriter

from restores.ledger import COLUMNS

WIDTHS = {"customer": 28, "description": 36, "cause": 48, "decided_by": 24}


def as_xlsx(number: str, created_at: datetime, lines: Sequence[Sequence[str]]) -> bytes:
    """The file. No cell is a formula, whatever its text begins with."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": number, "created": created_at.astimezone(UTC).replace(tzinfo=None)})
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet(number)
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, WIDTHS.get(name, 14))
            sheet.write_string(0, column, name, bold)
        for row, line in enumerate(lines, 1):
            for column, (name, cell) in enumerate(zip(COLUMNS, line, strict=True)):
                if name == "amount":
                    sheet.write_number(row, column, float(cell), money)  # spreadsheets know no other numbers
                elif name == "day":
                    sheet.write_datetime(row, column, datetime.fromisoformat(cell), day)
                else:
                    sheet.write_string(row, column, cell)
    return made.getvalue()
