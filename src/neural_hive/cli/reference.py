"""The command line's reference page, written from the commands themselves: `python -m neural_hive.cli.reference`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from neural_hive.cli.app import build_app, load_verb, verbs

_HEAD = """# The `hive` command

<!-- Written by `python -m neural_hive.cli.reference`; a test fails when it is not current. -->

Data goes to stdout, talk and progress to stderr. A terminal gets text, a pipe gets JSON; `--json` and `--text` choose.
Exit codes: 0 ok, 1 failed, 2 usage, 130 interrupted. A failure is one line that says
what to do; `HIVE_LOG_LEVEL=debug` adds the traceback. `NO_COLOR=1` turns colours off.
"""


def reference() -> str:
    """The page, Markdown."""
    parts = [_HEAD]
    root = build_app()
    for section in dict.fromkeys(verb.section for verb in verbs().values()):
        parts.append(f"## {section}\n")
        for name in (n for n, verb in verbs().items() if verb.section == section):
            context: Any = root.make_context("hive", [name], resilient_parsing=True)
            parts.extend(_pages(load_verb(name), f"hive {name}", context))
    return "\n".join(parts)


def _pages(command: Any, path: str, parent: Any) -> Iterator[str]:
    """A command's page, or those of the commands below it."""
    below = getattr(command, "commands", None)
    if below:
        for name, child in below.items():
            yield from _pages(child, f"{path} {name}", parent)
        return
    context = parent.__class__(command, info_name=path.removeprefix("hive "), parent=parent)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield f"### `{path}`\n\n```\n{usage}\n```\n\n{inspect.cleandoc(command.help or '')}\n"
    rows = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    if rows:
        yield "\n".join(["| argument or option | meaning |", "|---|---|", *(_row(*row) for row in rows)]) + "\n"


def _row(names: str, meaning: str) -> str:
    escaped = [text.replace("|", "\\|").replace("\n", " ") for text in (names, meaning)]
    return f"| `{escaped[0]}` | {escaped[1]} |"


if __name__ == "__main__":
    print(reference(), end="")
