"""The ledger's documents in MongoDB. Pure.

`entries` holds one document per entry, `_id` being its number: the entry itself, which never changes, and beside it
what may: the events that wait to be published and, on the accepted entry, the case as lists and leases need it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from neural_hive.errors import NotFoundError
from neural_hive.ports import CaseQuery, IdempotencyKey
from neural_hive.storage.ledger.chain import Break, Draft, Entry, EntryKind
from neural_hive.storage.ledger.counting import Decided
from neural_hive.storage.ledger.records import CaseRows, Sealed, waits_for_a_person

Document = dict[str, Any]

_WORDS = re.compile(r"[^\W_]+")

#: Index name → keys, and its options. The unique ones are what makes an intent, a decision, a review and a key one.
INDEXES: dict[str, tuple[list[tuple[str, int]], dict[str, Any]]] = {
    "one of each": ([("case_id", 1), ("kind", 1), ("detail", 1)], {"unique": True}),
    "one case per key": ([("keys.id", 1)], {"unique": True, "sparse": True}),
    "waiting events": ([("unpublished", 1)], {"sparse": True}),
    "entries to project": ([("unprojected", 1)], {"sparse": True}),
    "cases of a tenant": ([("case.tenant", 1), ("case.id", -1)], {"sparse": True}),
    "words of a tenant": ([("case.tenant", 1), ("case.words", 1)], {"sparse": True}),
    "unfinished cases": ([("case.lease_until", 1)], {"partialFilterExpression": {"case.is_open": True}}),
}


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to append. detail: what makes it one of its kind in its case. beside: fields that are not hashed.

    event_parts: the events it brings, each as `records.event_part`.
    """

    draft: Draft
    event_parts: Sequence[str]
    detail: str = ""
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identities(self) -> list[Document]:
        """Each finds what is already recorded in this entry's place, by one index."""
        same: list[Document] = [{"case_id": self.draft.case_id, "kind": self.draft.kind, "detail": self.detail}]
        return same + [{"keys.id": key["id"]} for key in self.beside.get("keys", ())]


def key_document(tenant: str, key: IdempotencyKey) -> Document:
    """An idempotency key as an accepted entry carries it."""
    return {"id": f"{tenant}\x1f{key.key}", "digest": key.body_digest}


def case_document(tenant: str, case_id: str, text: str, lease_until: float) -> Document:
    """The case beside its accepted entry. version: number of the last later entry that it shows."""
    return {
        "tenant": tenant,
        "id": case_id,
        "words": words(text),
        "lease_until": lease_until,
        "is_open": True,
        "is_waiting": False,
        "version": 0,
    }


def words(text: str) -> list[str]:
    """The different words of a text, without accents and case, sorted."""
    plain = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return sorted(set(_WORDS.findall(unicodedata.normalize("NFC", plain).casefold())))


def document(entry: Entry, new: NewEntry) -> Document:
    """The document of an entry that has its place."""
    draft = entry.draft
    return {
        "_id": entry.seq,
        "kind": draft.kind,
        "case_id": draft.case_id,
        "tenant": draft.tenant,
        "at": draft.at,
        "body": draft.body.decode(),
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
        "detail": new.detail,
        "waiting": [f"{draft.case_id}:{part}" for part in new.event_parts],
        "unpublished": entry.seq,
        **new.beside,
        **({} if draft.kind == EntryKind.ACCEPTED else {"unprojected": entry.seq}),
    }


def entry_from(found: Document) -> Entry:
    """The entry of a document."""
    draft = Draft(found["kind"], found["case_id"], found["tenant"], found["at"], found["body"].encode())
    return Entry(found["_id"], draft, found["previous_hash"], found["hash"])


def rows_from(documents: Sequence[Document], case_id: str) -> CaseRows:
    """The case that its entries, in order, describe.

    Raises:
        NotFoundError: there are none.
    """
    accepted = next((found for found in documents if found["kind"] == EntryKind.ACCEPTED), None)
    if accepted is None:
        raise NotFoundError(f"There is no case {case_id}.")
    decided = next((found for found in documents if found["kind"] == EntryKind.DECIDED), None)
    sealed = Sealed(decided["body"], decided["hash"], decided["previous_hash"], decided["at"]) if decided else None
    reviews = tuple(found["body"] for found in documents if found["kind"] == EntryKind.REVIEWED)
    return CaseRows(accepted["body"], sealed, reviews)


def projection(entry: Entry, outcome: str) -> Document:
    """What the case shows once `entry`, a decision or a review, is its last. outcome: the case's decision."""
    body = orjson.loads(entry.draft.body)
    if entry.draft.kind == EntryKind.DECIDED:
        return {
            "case.version": entry.seq,
            "case.decided_seq": entry.seq,
            "case.is_open": False,
            "case.outcome": outcome,
            "case.domain": body["understanding"]["domain"],
            "case.is_waiting": waits_for_a_person(outcome, None),
        }
    return {"case.version": entry.seq, "case.is_waiting": waits_for_a_person(outcome, body["verdict"])}


def outcome_of(decided: Document) -> str:
    """The outcome that a decided entry records."""
    return str(orjson.loads(decided["body"])["decision"]["outcome"])


def moment(at: str) -> datetime:
    """The time of an entry."""
    return datetime.fromisoformat(at)


def decided_cases(found: Sequence[Document], accepted_at: Mapping[str, datetime]) -> list[Decided]:
    """Decisions, each with the last verdict on its case, from the later entries of whole cases in order."""
    verdicts = {one["case_id"]: str(orjson.loads(one["body"])["verdict"]) for one in found if one["kind"] == EntryKind.REVIEWED}
    decided = [(one["case_id"], orjson.loads(one["body"])["decision"]) for one in found if one["kind"] == EntryKind.DECIDED]
    return [Decided(accepted_at[id_], said["outcome"], said["risk"], verdicts.get(id_, "")) for id_, said in decided]


def list_filter(query: CaseQuery) -> Document:
    """The accepted entries of the cases that a query asks for."""
    wanted: Document = {"case.tenant": query.tenant}
    if query.cursor is not None:
        wanted["case.id"] = {"$lt": query.cursor}
    if query.outcome is not None:
        wanted["case.outcome"] = query.outcome.value
    if query.domain is not None:
        wanted["case.domain"] = query.domain
    if query.waiting:
        wanted["case.is_waiting"] = True
    if query.text is not None and query.text.strip():
        wanted["case.words"] = {"$all": words(query.text)}  # of no words: finds nothing
    return wanted


def disagreement(found: Document, accepted: Document | None, decided_seqs: Mapping[int, str]) -> Break | None:
    """Where the case beside the accepted entry says something else than the entry `found`, whose own bytes are good.

    decided_seqs: number → case id of the decided entries that are really there.
    """
    case: Document = (accepted or {}).get("case", {})
    if found["kind"] == EntryKind.ACCEPTED:
        agrees = _accepted_agrees(found, case, decided_seqs)
    elif "unprojected" in found:
        agrees = accepted is not None  # its writer has not come to it yet
    else:
        agrees = _shown_agrees(found, case)
    reason = f"the case {found['case_id']} is not what entry {found['_id']} ({found['kind']}) says"
    return None if agrees else Break(str(found["_id"]), reason)


def _accepted_agrees(found: Document, case: Document, decided_seqs: Mapping[int, str]) -> bool:
    text = orjson.loads(found["body"])["text"]
    shown = [case.get("id"), case.get("tenant"), case.get("words")]
    decided_seq = case.get("decided_seq")
    is_decided_there = decided_seq is None or decided_seqs.get(decided_seq) == found["case_id"]
    return is_decided_there and shown == [found["case_id"], found["tenant"], words(text)]


def _shown_agrees(found: Document, case: Document) -> bool:
    outcome = outcome_of(found) if found["kind"] == EntryKind.DECIDED else case.get("outcome", "")
    wanted = {name.removeprefix("case."): value for name, value in projection(entry_from(found), outcome).items()}
    if case.get("version", 0) > found["_id"]:  # later entries have changed these
        wanted = {name: value for name, value in wanted.items() if name not in ("version", "is_waiting")}
    is_same_review = found["kind"] != EntryKind.REVIEWED or orjson.loads(found["body"])["id"] == found["detail"]
    return is_same_review and all(case.get(name) == value for name, value in wanted.items())
