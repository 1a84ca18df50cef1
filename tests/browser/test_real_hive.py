"""The console around a real hive: what it really understands, judges and records."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from chromium import expect
from serving import served_for_real

from conftest import NewPage

TAMPER = """
DROP TRIGGER entries_are_never_changed;
UPDATE entries SET body = replace(body, 'contas inativas', 'contas ativas') WHERE seq = 1;
"""
TEXT = "Apagar em produção todas as contas inativas há mais de cinco anos, sem backup, e avisar maria.silva@exemplo.com"


def test_from_a_text_to_a_reviewed_case_in_an_intact_ledger(tmp_path: Path, new_page: NewPage) -> None:
    with served_for_real(tmp_path) as console:
        page = new_page(locale="pt-BR")
        page.goto(console.address)
        page.get_by_label("O seu pedido").fill(TEXT)
        page.get_by_role("button", name="Consultar a colmeia").click()
        page.wait_for_url(re.compile("/cases/"))
        expect(page.locator("#verdict h2")).to_have_text(re.compile("pessoa deve decidir|Rejeitado"))
        expect(page.locator("#opinions, .opinion .scores")).to_have_count(6)
        expect(page.locator("#asked .is-pii")).to_have_count(1)
        assert "maria.silva" not in page.content()
        quote = page.locator(".quote").first
        quote.focus()
        assert page.locator("#asked .lit").count() > 0

        page.goto(f"{console.address}/hive")
        expect(page.locator(".specialists > li")).to_have_count(5)
        page.goto(f"{console.address}/ledger")
        page.get_by_role("button", name="Verificar todo o livro").click()
        expect(page.locator("#verification")).to_contain_text("Intacto")
        with closing(sqlite3.connect(tmp_path / "hive.db")) as behind_its_back:
            behind_its_back.executescript(TAMPER)
        page.get_by_role("button", name="Verificar todo o livro").click()
        expect(page.locator("#verification")).to_contain_text("A cadeia está quebrada")
        expect(page.locator("#break .number")).to_have_text("1")
        expect(page.locator("#break")).to_contain_text("o hash não bate certo")
        expect(page.locator(".chain:not(.around) .is-broken")).to_have_count(1)
        page.goto(f"{console.address}/trends")
        expect(page.locator(".trend .bar")).to_have_count(1)
