"""Where a chain breaks is shown with the entries around it, and no other tenant's case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fake_hive import FakeHive

from neural_hive.console.breaks import Link, links_around
from neural_hive.contracts import Verification
from neural_hive.errors import StorageError


async def around(hive: FakeHive, entry: str | None, tenant: str = "default") -> list[Link]:
    return await links_around(hive, tenant, Verification(ok=False, checked=4, first_broken=entry, reason="it is so"))


async def test_a_changed_entry_is_shown_with_what_it_holds_now(hive: FakeHive) -> None:
    hive.changed_entry = 5
    links = await around(hive, "5")
    assert [(link.number, link.state) for link in links] == [
        (3, "intact"),
        (4, "intact"),
        (5, "broken"),
        (6, "unchecked"),
        (7, "unchecked"),
    ]
    broken = links[2]
    assert broken.flaw == "content"
    assert broken.content_hash != broken.hash == links[3].previous_hash
    assert broken.case_id == sorted(hive.known)[4]


async def test_a_removed_entry_leaves_a_gap(hive: FakeHive) -> None:
    hive.removed_entry = 5
    assert [(link.number, link.state) for link in await around(hive, "5")][1:4] == [
        (4, "intact"),
        (5, "missing"),
        (6, "unchecked"),
    ]
    last = len(hive.known)
    hive.removed_entry = last
    assert (await around(hive, str(last)))[-1] == Link(last, "missing")


async def test_an_entry_that_is_as_written_has_its_flaw_elsewhere(hive: FakeHive) -> None:
    links = await around(hive, "1")
    assert (links[0].number, links[0].flaw) == (1, "lists")


@pytest.mark.parametrize("entry", [None, ""])
async def test_damage_in_no_entry_shows_none(hive: FakeHive, entry: str | None) -> None:
    assert await around(hive, entry) == []


async def test_another_tenants_entries_are_not_ones_own(hive: FakeHive) -> None:
    assert [link.is_own for link in await around(hive, "3", "acme")] == [False] * 5


async def test_what_cannot_even_be_read_is_still_named(hive: FakeHive) -> None:
    async def unreadable(_tenant: str | None) -> AsyncIterator[dict[str, Any]]:
        raise StorageError("the page is damaged")
        yield {}

    hive.export = unreadable  # type: ignore[method-assign]
    assert await around(hive, "5") == [Link(5, "broken", flaw="unreadable")]
