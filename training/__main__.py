"""`python -m training` lists the commands, `python -m training NAME …` runs one of them."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

COMMANDS = Path(__file__).parent / "commands"


def listed() -> dict[str, str]:
    """Each command with the first line of its file, read without importing it: torch is slow."""
    files = sorted(path for path in COMMANDS.glob("*.py") if path.stem != "__init__")
    return {
        path.stem: (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split(
            "\n"
        )[0]
        for path in files
    }


def main() -> None:
    """Run the command that the first argument names, with the others as its own."""
    names = listed()
    match sys.argv[1:]:
        case [] | ["-h" | "--help"]:
            print(f"usage: python -m training NAME …; its --help says more\n\n{table(names)}")
        case [name, *others] if name in names:
            sys.argv = [f"python -m training {name}", *others]
            importlib.import_module(f"training.commands.{name}").main()
        case [name, *_]:
            raise SystemExit(f"expected a command, got {name!r}; there are:\n\n{table(names)}")


def table(names: dict[str, str]) -> str:
    width = max(map(len, names))
    return "\n".join(f"  {name:{width}}  {says}" for name, says in names.items())


if __name__ == "__main__":
    main()
