"""Identifiers with right check digits, in sentences in pt, es and en: how many of them masking leaves.

`python benchmarks/privacy.py` writes benchmarks/results/privacy.json and exits 1 if any is left. Numbers come from a seeded
generator, never from people. An identifier is left if its letters and digits, without separators, are still in what comes out.
"""

from __future__ import annotations

import json
import random
import re
import string
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from neural_hive.understanding.privacy import Masker, checksums

RESULT = Path(__file__).parent / "results/privacy.json"
SEED, N_EACH = 20261123, 40
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
#: Sentences by language; none but the last of each announces what the identifier is.
FRAMES = {
    "pt": (
        "apagar o cadastro de {} até sexta",
        "o cliente {} pediu a exclusão dos dados",
        "{} precisa de acesso ao painel",
        "O sistema deve bloquear {} após três tentativas falhas.",
        "duplicado no CRM: {} (ver anexo)",
        "dados da pessoa, documento ou contato: {}",
    ),
    "es": (
        "el usuario {} no puede entrar desde ayer",
        "borrar la ficha de {} antes del viernes",
        "{} necesita acceso al panel",
        "El sistema deberá avisar a {} cuando cambie el estado.",
        "duplicado en el CRM: {} (ver adjunto)",
        "datos de la persona, documento o contacto: {}",
    ),
    "en": (
        "please delete {} from the production database",
        "customer {} asked for a copy of the data",
        "{} needs access to the dashboard",
        "The system shall lock {} after three failed attempts.",
        "duplicate in the CRM: {} (see attachment)",
        "details of the person, document or contact: {}",
    ),
}


def makers(rng: random.Random) -> dict[str, Callable[[], str]]:
    """The 16 kinds, each with what makes a valid one, as people write it: plain or grouped."""

    def digits(length: int) -> str:
        return "".join(rng.choice(string.digits) for _ in range(length))

    def valid(body: Callable[[], str], check: Callable[[str], bool], tails: Sequence[str]) -> str:
        while True:
            head = body()
            found = next((head + tail for tail in tails if check(head + tail)), None)
            if found is not None:
                return found

    def grouped(pattern: str, form: str, value: str) -> str:
        return rng.choice([value, re.sub(pattern, form, value)])

    ones, twos = list(string.digits), [f"{number:02d}" for number in range(100)]
    alnum, cnpj_form = string.digits + string.ascii_uppercase, (r"(..)(...)(...)(....)(..)", r"\1.\2.\3/\4-\5")
    return {
        "cpf": lambda: grouped(r"(...)(...)(...)(..)", r"\1.\2.\3-\4", valid(lambda: digits(9), checksums.is_cpf, twos)),
        "cnpj": lambda: grouped(*cnpj_form, valid(lambda: digits(8) + "0001", checksums.is_cnpj, twos)),
        "cnpj, letters": lambda: grouped(
            *cnpj_form, valid(lambda: rng.choice(string.ascii_uppercase) + "".join(rng.choices(alnum, k=11)), checksums.is_cnpj, twos)
        ),
        "nif_pt": lambda: grouped(
            r"(...)(...)(...)", r"\1 \2 \3", valid(lambda: rng.choice("125") + digits(7), checksums.is_nif_pt, ones)
        ),
        "nif_es": lambda: grouped(r"(\d{8})(.)", r"\1-\2", valid(lambda: digits(8), checksums.is_dni_es, list(_DNI_LETTERS))),
        "nie_es": lambda: valid(lambda: rng.choice("XYZ") + digits(7), checksums.is_nie_es, list(_DNI_LETTERS)),
        "cif_es": lambda: valid(lambda: rng.choice("ABCDEFGH") + digits(7), checksums.is_cif_es, ones),
        "ssn": lambda: re.sub(r"(...)(..)(....)", r"\1-\2-\3", valid(lambda: digits(8), checksums.is_ssn, ones)),
        "iban": lambda: grouped(r"(.{4})(?=.)", r"\1 ", _iban(rng)),
        "card": lambda: grouped(r"(.{4})(?=.)", r"\1 ", valid(lambda: rng.choice(["4", "51", "55"]).ljust(2, "7") + digits(13), checksums.is_card, ones)),
        "phone, Brazil": lambda: f"({rng.choice(['11', '21', '31', '71'])}) 9{digits(4)}-{digits(4)}",
        "phone, Portugal": lambda: f"{rng.choice(['', '+351 '])}9{rng.choice('1236')}{digits(1)} {digits(3)} {digits(3)}",
        "phone, Spain": lambda: f"+34 6{digits(2)} {digits(3)} {digits(3)}",
        "email": lambda: f"{''.join(rng.choices(string.ascii_lowercase, k=7))}.{digits(2)}@{rng.choice(['empresa.com.br', 'correio.pt', 'example.org'])}",
        "ipv4": lambda: f"{rng.randint(1, 126)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
        "ipv6": lambda: "2001:db8:" + ":".join(f"{rng.randint(1, 65535):x}" for _ in range(6)),
    }  # fmt: skip


def _iban(rng: random.Random) -> str:
    country, length = rng.choice([("PT", 21), ("ES", 20), ("DE", 18)])
    while True:
        body = "".join(rng.choices(string.digits, k=length))
        for check in range(2, 99):
            if checksums.is_iban(code := f"{country}{check:02d}{body}"):
                return code


def compact(text: str) -> str:
    """Letters and digits only, in lower case."""
    return re.sub(r"[\W_]", "", text).lower()


def left_over(masker: Masker) -> Counter[tuple[str, str]]:
    """How many identifiers masking left, by kind and language."""
    rng, left = random.Random(SEED), Counter[tuple[str, str]]()
    for kind, make in makers(rng).items():
        for language, frames in FRAMES.items():
            for _ in range(N_EACH):
                value = make()
                left[kind, language] += compact(value) in compact(masker.mask(rng.choice(frames).format(value)).text)
    return left


def main() -> int:
    left = left_over(Masker())
    kinds = sorted({kind for kind, _ in left})
    for kind in kinds:
        print(f"{kind:18}", *(f"{language} {left[kind, language]:3d} of {N_EACH}" for language in FRAMES))
    n_all, n_left = N_EACH * len(left), sum(left.values())
    row = {
        "measure": f"valid identifiers of {len(kinds)} kinds left", "value": n_left, "target": "0",
        "split": f"{n_all} generated, in sentences in three languages", "measured": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip
    RESULT.write_text(json.dumps([row], indent=1) + "\n")
    print(f"{n_left} of {n_all} left")
    return 1 if n_left else 0


if __name__ == "__main__":
    sys.exit(main())
