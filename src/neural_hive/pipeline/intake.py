"""A caller's words → an intent that may be stored: cleaned, masked, its plan checked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import uuid_utils
from pydantic import ValidationError

from neural_hive.canonical import canonical_json, digest
from neural_hive.contracts import Ask, Caller, Intent, PiiMention, Plan, PlanFacts, Transcript
from neural_hive.errors import UsageError
from neural_hive.specialists.plan import plan_facts
from neural_hive.understanding.intake import clean_text
from neural_hive.understanding.privacy import Masker

if TYPE_CHECKING:
    from neural_hive.understanding.privacy.vault import Vault


class Intake:
    """Makes intents. Nothing that was not masked leaves it."""

    def __init__(self, masker: Masker, max_text_chars: int, vault_key: bytes | None = None) -> None:
        """vault_key: 32 bytes under which what is masked is kept with the case; None keeps nothing."""
        self._masker, self._max_text_chars, self._vault_key = masker, max_text_chars, vault_key

    def intent(self, ask: Ask, caller: Caller, transcript: Transcript | None = None) -> tuple[Intent, tuple[PiiMention, ...]]:
        """The intent and what was masked in its text.

        Raises:
            TextRejectedError: the text is empty, too long or not text.
            PlanError: the plan cannot be carried out.
        """
        id_ = str(uuid_utils.uuid7())
        vault = self._vault(id_)
        session = self._masker.session(vault)
        masked = session.mask(clean_text(ask.text, self._max_text_chars), language=ask.language)
        plan = None
        if ask.plan is not None:
            plan_facts(ask.plan)
            plan = self._revalidated(Plan, session.mask_tree(ask.plan.model_dump(mode="json")))
        heard = None
        if transcript is not None:
            heard = self._revalidated(Transcript, session.mask_tree(transcript.model_dump(mode="json")))
        intent = Intent(
            id=id_,
            tenant=caller.tenant,
            actor=caller.actor,
            channel=caller.channel,
            text=masked.text,
            language=ask.language,
            plan=plan,
            context=session.mask_tree(ask.context) if ask.context else {},
            constraints=session.mask_tree(ask.constraints) if ask.constraints else {},
            transcript=heard,
            vault=vault.entries if vault is not None else {},
            received_at=datetime.now(UTC),
            trace=caller.trace,
        )
        return intent, masked.pii

    def _vault(self, case_id: str) -> Vault | None:
        """Somewhere to keep what is masked; its library is loaded only where there is a key."""
        if self._vault_key is None:
            return None
        from neural_hive.understanding.privacy.vault import Vault

        return Vault(self._vault_key, case_id)

    def comment(self, text: str) -> str:
        """A reviewer's comment, masked; empty stays empty."""
        return self._masker.mask(text.replace("\0", "").strip()).text if text.strip() else ""

    def _revalidated(self, kind: Any, value: Any) -> Any:
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            raise UsageError(f"{kind.__name__.lower()}: {error.errors()[0]['msg']}") from error


def facts_of(intent: Intent) -> PlanFacts | None:
    """Facts of the intent's plan, if it has one."""
    return plan_facts(intent.plan) if intent.plan is not None else None


def body_digest(ask: Ask) -> str:
    """SHA-256 that tells whether two requests with one idempotency key are the same."""
    return digest(canonical_json(ask.model_dump(mode="json", exclude_none=True)))
