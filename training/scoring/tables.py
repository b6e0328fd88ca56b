"""Rows of figures as a Markdown table."""

from __future__ import annotations


def print_table(rows: list[dict[str, str | float]]) -> None:
    def cell(column: str, value: str | float) -> str:
        if isinstance(value, str):
            return value
        return f"{value:.2f}" if column == "length ratio" else f"{value:.1f}"

    print("| " + " | ".join(rows[0]) + " |")
    print("|" + " --- |" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(cell(*item) for item in row.items()) + " |")
    print()
