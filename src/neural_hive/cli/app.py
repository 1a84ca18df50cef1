"""The table of verbs and the group that loads a verb's module only when that verb is used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from neural_hive import __version__


@dataclass(frozen=True, slots=True)
class Verb:
    """One word of the command line.

    section: heading in `hive --help`. about: its line there. target: "module:attribute" below `neural_hive.cli`;
    the attribute is called with a typer app and adds the verb to it.
    """

    section: str
    about: str
    target: str


#: Every verb in the order of `hive --help`; `verbs` gives those whose module is there.
_TABLE: dict[str, Verb] = {
    "ask": Verb("Decide", "Ask for one thing and get the hive's decision on it.", "ask:register"),
    "decide": Verb("Decide", "Judge many intents, JSON lines in and out; nothing is recorded.", "decide:register"),
    "understand": Verb("Decide", "Understand many intents without judging them.", "understand:register"),
    "listen": Verb("Decide", "Ask by voice: recordings in, decisions out.", "listen:register"),
    "transcribe": Verb("Decide", "Turn recordings into text.", "transcribe:register"),
    "reviews": Verb("Review", "List the cases that wait for a person.", "reviews:register_queue"),
    "review": Verb("Review", "Give your verdict on a case.", "reviews:register_verdict"),
    "ledger": Verb("Review", "Verify, read or export the record of every case.", "ledger:register"),
    "up": Verb("Run", "Run everything in one process.", "up:register"),
    "serve": Verb("Run", "Run one role: the gateway, a specialist or a worker.", "serve:register"),
    "doctor": Verb("Run", "Check that this machine can run the hive.", "doctor:register"),
    "status": Verb("Run", "Show how a running hive is.", "status:register"),
    "logs": Verb("Run", "Show what happened to one case.", "logs:register"),
    "graph": Verb("Teach", "Tell the hive about your systems.", "graph:register"),
    "models": Verb("Teach", "Give the hive another model, and see which one serves.", "models:register"),
    "train": Verb("Teach", "Train on your own data.", "train:register"),
    "classify": Verb("Teach", "Label texts with a model you trained.", "classify:register"),
    "evaluate": Verb("Teach", "Measure a model you trained on rows with known labels.", "evaluate:register"),
}


@cache
def verbs() -> dict[str, Verb]:
    """The verbs of this installation by name."""
    folder = Path(__file__).parent
    return {name: verb for name, verb in _TABLE.items() if (folder / f"{verb.target.split(':')[0]}.py").exists()}


class HiveGroup(TyperGroup):
    """Lists verbs from the table; imports a verb's module when it is called or completed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all verbs, in the order of the table."""
        return list(verbs())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A placeholder with the verb's name and line of help; nothing is imported for it."""
        verb = verbs().get(cmd_name)
        return verb and TyperCommand(cmd_name, help=verb.about, rich_markup_mode=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb to run, loaded. A word that is no verb is a usage error that names the nearest ones."""
        if args[0] in verbs():
            return args[0], load_verb(args[0]), args[1:]
        self.commands = {name: self.get_command(ctx, name) for name in verbs()}
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs under their headings."""
        width = max(map(len, verbs()))
        for section in dict.fromkeys(verb.section for verb in verbs().values()):
            rows = [(name.ljust(width), verb.about) for name, verb in verbs().items() if verb.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)


def load_verb(name: str) -> Any:
    """Import the module of a verb and return its command."""
    module, attribute = verbs()[name].target.split(":")
    holder = typer.Typer(rich_markup_mode=None, add_completion=False)
    getattr(import_module(f"neural_hive.cli.{module}"), attribute)(holder)
    return get_group(holder).commands[name]


def build_app() -> TyperGroup:
    """The root command, with every verb still unloaded."""
    app = typer.Typer(
        cls=HiveGroup,
        rich_markup_mode=None,
        no_args_is_help=True,
        epilog="Data goes to stdout, talk to stderr. Exit codes: 0 ok, 1 failed, 2 usage, 130 interrupted.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    root: Any = typer.main.get_command(app)
    return root  # type: ignore[no-any-return]


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"hive {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """An intent in Portuguese, Spanish or English in; five opinions and one recorded decision out."""
