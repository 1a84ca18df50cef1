"""`hive ledger`: verify, read and export the record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from neural_hive.cli.ask import show_case
from neural_hive.cli.connect import connect_ledger, run, server_of, tenant_of
from neural_hive.cli.failures import FAILED, OK, tell
from neural_hive.cli.options import Json, Output, Server, Tenant, Token
from neural_hive.cli.output import open_output, print_json, wants_json
from neural_hive.cli.progress import open_progress, waiting
from neural_hive.contracts import Case, Verification
from neural_hive.errors import UsageError
from neural_hive.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add `ledger` and its verbs."""
    verbs = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Verify, read or export the record of every case.")
    verbs.command("verify")(verify)
    verbs.command("show")(show)
    verbs.command("export")(export)
    verbs.command("reveal")(reveal)
    app.add_typer(verbs, name="ledger")


def verify(
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="F.jsonl", exists=True, dir_okay=False, help="Check this export instead."),
    ] = None,
    one_tenant: Annotated[
        bool, typer.Option("--one-tenant", help="The export holds one tenant's entries, so it has gaps.")
    ] = False,
    as_json: Json = None,
    server: Server = None,
    token: Token = None,
) -> int:
    """Check that nothing was changed.

    Every hash, every link, the order, and every case against its entries; with --file, an export. The exit code is 1
    if anything was changed, removed or moved.
    """
    if one_tenant and file is None:
        raise UsageError("--one-tenant says something about --file; add it.")
    found = run(_verify(server, token)) if file is None else _verify_file(file, one_tenant)
    if wants_json(as_json):
        print_json(found.model_dump(mode="json", exclude_none=True))
    else:
        _print_verdict(found)
    return OK if found.ok else FAILED


def show(
    case_id: Annotated[str, typer.Argument(metavar="ID", help="The case.")],
    tenant: Tenant = None,
    as_json: Json = None,
    server: Server = None,
    token: Token = None,
) -> None:
    """Show one case as it was recorded."""
    show_case(run(_case(tenant_of(tenant, server), case_id, server, token)), as_json)


def reveal(
    case_id: Annotated[str, typer.Argument(metavar="ID", help="The case.")],
    tenant: Tenant = None,
    as_json: Json = None,
    server: Server = None,
    token: Token = None,
) -> None:
    """Give back what was masked in a case.

    Only with HIVE_VAULT_KEY, the key that was set when the case was recorded; without a key nothing was kept.
    """
    from neural_hive.understanding.privacy.vault import Vault, vault_key

    key = vault_key(load_settings().vault_key.get_secret_value())
    if key is None:
        raise UsageError("HIVE_VAULT_KEY is not set; without the key that the case was recorded under there is no way back.")
    case = run(_case(tenant_of(tenant, server), case_id, server, token))
    values = Vault(key, case.id, case.intent.vault).reveal_all()
    if wants_json(as_json):
        print_json(values)
        return
    if not values:
        tell("Nothing was kept with this case: nothing was masked in it, or no key was set when it was recorded.")
    for placeholder, value in values.items():
        typer.echo(f"{placeholder}  {value}")


def export(
    target: Output = None,
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="Only this tenant's entries.")] = None,
    server: Server = None,
    token: Token = None,
) -> None:
    """Copy every entry out as JSON lines.

    Oldest first, each with its hash: `hive ledger verify --file` checks the copy anywhere. A running hive gives only the
    entries of the token's tenant: check those with --one-tenant.
    """
    tenant_of(tenant, server)
    run(_export(target, tenant, server, token))


async def _verify(server: str | None, token: str | None) -> Verification:
    with waiting("Checking every entry"):
        async with connect_ledger(server, token) as ledger:
            return await ledger.verify()


def _verify_file(file: Path, is_one_tenant: bool) -> Verification:
    from neural_hive.storage.ledger.chain import verify_export

    with file.open("rb") as lines:
        return verify_export(lines, is_one_tenant=is_one_tenant)


def _print_verdict(found: Verification) -> None:
    from rich.text import Text

    from neural_hive.cli.terminal import open_console

    n = f"{found.checked:,} {'entry' if found.checked == 1 else 'entries'}"
    if found.ok:
        told = Text("Intact", style="bold green").append(f": {n}, every hash and link as written.", style="not bold default")
    else:
        told = Text("BROKEN", style="bold red").append(f": {found.reason}.", style="not bold default")
        told.append(f" {n} before it as written." if found.checked else "", style="not bold default")
    open_console().print(told, soft_wrap=True)


async def _case(tenant: str, case_id: str, server: str | None, token: str | None) -> Case:
    async with connect_ledger(server, token) as ledger:
        return await ledger.case(tenant, case_id)


async def _export(target: Path | None, tenant: str | None, server: str | None, token: str | None) -> None:
    n_entries = 0
    async with _exported(tenant, server, token) as lines:
        with open_output(target) as out, open_progress("Exporting", None, target) as progress:
            async for line in lines:
                out.write(line + b"\n")
                n_entries += 1
                progress(0, n_entries)
    if target is not None:
        tell(f"{n_entries:,} entries written to {target}.")


@asynccontextmanager
async def _exported(tenant: str | None, server: str | None, token: str | None) -> AsyncIterator[AsyncIterator[bytes]]:
    """The lines of an export, from a running hive or from HIVE_LEDGER_URL."""
    if server is not None or token is not None:
        from neural_hive.cli.remote import open_remote

        async with open_remote(*server_of(server, token)) as remote:
            yield remote.export()
        return
    from neural_hive.cli.record import open_record
    from neural_hive.storage.ledger.chain import export_line

    async with open_record(load_settings()) as ledger:
        yield (export_line(row) async for row in ledger.export(tenant))
