"""The chain: one canonical form, and no change of any byte goes unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from neural_hive.canonical import canonical_json
from neural_hive.storage.ledger.chain import (
    GENESIS,
    Draft,
    Entry,
    Head,
    entry_bytes,
    export_line,
    export_row,
    find_break,
    seal,
    verify_export,
)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
AT = st.just("2026-01-31T12:00:00.000000Z")
KINDS = st.sampled_from(["accepted", "decided", "reviewed"])
DRAFTS = st.builds(Draft, KINDS, case_id=TEXTS, tenant=TEXTS, at=AT, body=JSON.map(canonical_json))
CHAINS = st.lists(DRAFTS, min_size=1, max_size=5)


def chain(drafts: Sequence[Draft]) -> list[Entry]:
    head, entries = Head(), []
    for draft in drafts:
        entries.append(seal(draft, head))
        head = entries[-1].head
    return entries


def exported(drafts: Sequence[Draft]) -> list[bytes]:
    return [export_line(export_row(entry)) for entry in chain(drafts)]


DRAFT = Draft("accepted", "c-1", "default", "2026-01-31T12:00:00.000000Z", b'{"risk":5e-05}')


def test_an_entry_has_one_form_that_anybody_can_hash() -> None:
    expected = (
        b'{"at":"2026-01-31T12:00:00.000000Z","body":{"risk":5e-05},"case_id":"c-1","kind":"accepted",'
        b'"previous_hash":"' + b"0" * 64 + b'","seq":1,"tenant":"default"}'
    )
    assert entry_bytes(1, DRAFT, GENESIS) == expected
    assert seal(DRAFT, Head()) == Entry(1, DRAFT, GENESIS, hashlib.sha256(expected).hexdigest())


def test_the_body_is_hashed_as_it_is_written() -> None:
    spaced = Draft(DRAFT.kind, DRAFT.case_id, DRAFT.tenant, DRAFT.at, b'{"risk": 5e-05}')
    assert seal(spaced, Head()).hash != seal(DRAFT, Head()).hash


@given(CHAINS)
def test_a_chain_follows_itself(drafts: list[Draft]) -> None:
    head = Head()
    for entry in chain(drafts):
        assert find_break(entry, head) is None
        head = entry.head


@given(CHAINS)
def test_an_export_holds_the_bytes_that_the_hash_covers(drafts: list[Draft]) -> None:
    for line, entry in zip(exported(drafts), chain(drafts), strict=True):
        assert line[9:-75] == entry_bytes(entry.seq, entry.draft, entry.previous_hash)
        assert hashlib.sha256(line[9:-75]).hexdigest() == json.loads(line)["hash"]


@given(CHAINS)
def test_an_export_verifies(drafts: list[Draft]) -> None:
    found = verify_export(exported(drafts))
    assert (found.ok, found.checked) == (True, len(drafts))


@given(CHAINS, st.data())
def test_any_changed_byte_of_an_export_is_found_where_it_is(drafts: list[Draft], data: st.DataObject) -> None:
    lines = exported(drafts)
    n = data.draw(st.integers(0, len(lines) - 1), label="line")
    place = data.draw(st.integers(0, len(lines[n]) - 1), label="byte")
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != lines[n][place]), label="value")
    lines[n] = lines[n][:place] + bytes([byte]) + lines[n][place + 1 :]
    found = verify_export(lines)
    assert (found.ok, found.first_broken, found.checked) == (False, str(n + 1), n)


@given(st.lists(DRAFTS, min_size=2, max_size=5), st.data())
def test_a_removed_repeated_or_moved_row_is_found(drafts: list[Draft], data: st.DataObject) -> None:
    lines = exported(drafts)
    n = data.draw(st.integers(0, len(lines) - 2), label="line")
    assert verify_export(lines[:n] + lines[n + 1 :]).first_broken == str(n + 1)
    assert verify_export([*lines[: n + 1], *lines[n:]]).first_broken == str(n + 2)
    assert verify_export([*lines[:n], lines[n + 1], lines[n], *lines[n + 2 :]]).first_broken == str(n + 1)


@given(st.lists(DRAFTS, min_size=3, max_size=6), st.data())
def test_one_tenants_export_may_have_gaps_but_no_changes(drafts: list[Draft], data: st.DataObject) -> None:
    lines = exported(drafts)
    kept = sorted(data.draw(st.sets(st.integers(0, len(lines) - 1), min_size=2), label="kept"))
    mine = [lines[n] for n in kept]
    assert verify_export(mine, is_one_tenant=True).ok
    assert not verify_export(mine[::-1], is_one_tenant=True).ok
    changed = mine[-1].replace(b"2026", b"2025")
    assert not verify_export([*mine[:-1], changed], is_one_tenant=True).ok


def test_what_is_not_an_entry_is_broken_and_empty_lines_are_nothing() -> None:
    line = exported([DRAFT])[0]
    assert verify_export([line, b"\n", ""]).ok
    assert verify_export([line.decode() + "\n"]).ok
    without = (b"{", b"[]", b"null", b'{"entry":{},"hash":""}', b'{"entry":null,"hash":""}', b"\xff")
    for bad in (*without, line.replace(b":1,", b':"1",'), line + b" x", line.replace(b",", b", ")):
        assert verify_export([bad]).first_broken == "1"
