"""How well and how fast personal data, language and entities are found: recall, false positives, microseconds.

    python benchmarks/understanding_parts.py [--data ../shared/data] [--quick]

Measures only: nothing is trained on or copied from the data. Sets that are absent are left out. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import statistics
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from neural_hive.understanding.entities import EntityFinder
from neural_hive.understanding.language import LanguageIdentifier
from neural_hive.understanding.privacy import Masker, checksums
from neural_hive.understanding.privacy.masking import find_personal_data
from neural_hive.understanding.privacy.names import NameFinder

REPOSITORY = Path(__file__).parents[1]
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
#: Frames in three languages in which identifiers are hidden, without a word that announces them.
FRAMES = (
    "apagar o cadastro de {} até sexta",
    "o cliente {} pediu a exclusão dos dados",
    "please delete {} from the production database",
    "el usuario {} no puede entrar desde ayer",
    "registro duplicado: {} (ver anexo)",
    "{} precisa de acesso ao painel",
)
TYPICAL = (
    "Apagar as contas inativas há mais de cinco anos em produção, sem backup, até 31/12, e avisar os clientes",
    "Migrate the billing database to PostgreSQL 17 this weekend with a rollback plan for the support team",
    "El botón de pagar no se ve en el móvil y los clientes de Madrid se quejan desde el lunes por la tarde",
    "Aumentar o timeout do serviço de pagamentos para trinta segundos e reiniciar o gateway hoje às 22h",
    "O cliente João da Silva, CPF 529.982.247-25, quer apagar a conta e receber os dados por e-mail: j@x.com",
)


class Score(NamedTuple):
    """Names in a set: how many there are, were touched, were wholly masked; what was masked beside them; words read."""

    n_names: int
    n_touched: int
    n_whole: int
    n_false: int
    n_words: int


def identifiers(rng: random.Random) -> dict[str, Callable[[], str]]:
    """Makers of valid identifiers of each kind."""

    def digits(length: int) -> str:
        return "".join(rng.choice(string.digits) for _ in range(length))

    def valid(body: Callable[[], str], check: Callable[[str], bool], tails: Sequence[str]) -> str:
        while True:
            head = body()
            for tail in tails:
                if check(head + tail):
                    return head + tail

    ones, twos = list(string.digits), [f"{number:02d}" for number in range(100)]
    alnum = string.digits + string.ascii_uppercase
    return {
        "cpf": lambda: valid(lambda: digits(9), checksums.is_cpf, twos),
        "cpf formatted": lambda: re.sub(r"(...)(...)(...)(..)", r"\1.\2.\3-\4", valid(lambda: digits(9), checksums.is_cpf, twos)),
        "cnpj": lambda: valid(lambda: digits(8) + "0001", checksums.is_cnpj, twos),
        "cnpj alphanumeric": lambda: valid(lambda: "".join(rng.choice(alnum) for _ in range(12)), checksums.is_cnpj, twos),
        "nif_es": lambda: valid(lambda: digits(8), checksums.is_dni_es, list(_LETTERS)),
        "nie_es": lambda: valid(lambda: rng.choice("XYZ") + digits(7), checksums.is_nie_es, list(_LETTERS)),
        "cif_es": lambda: valid(lambda: rng.choice("ABCDEFGH") + digits(7), checksums.is_cif_es, ones),
        "nif_pt": lambda: valid(lambda: rng.choice("125") + digits(7), checksums.is_nif_pt, ones),
        "nif_pt announced": lambda: "NIF " + valid(lambda: rng.choice("125") + digits(7), checksums.is_nif_pt, ones),
        "ssn": lambda: re.sub(r"(...)(..)(....)", r"\1-\2-\3", valid(lambda: digits(8), checksums.is_ssn, ones)),
        "iban": lambda: next(
            code for body in iter(lambda: digits(21), "") for check in twos if checksums.is_iban(code := f"PT{check}{body}")
        ),
        "card": lambda: valid(
            lambda: rng.choice(["4", "5" + rng.choice("12345")]).ljust(2, "7") + digits(13), checksums.is_card, ones
        ),
        "phone BR": lambda: f"({rng.choice(['11', '21', '31', '71'])}) 9{digits(4)}-{digits(4)}",
        "phone PT": lambda: f"9{rng.choice('1236')}{digits(1)} {digits(3)} {digits(3)}",
        "phone ES": lambda: f"+34 6{digits(2)} {digits(3)} {digits(3)}",
        "phone US": lambda: f"(415) {rng.choice('23456789')}{digits(2)}-{digits(4)}",
        "email": lambda: f"{''.join(rng.choice(string.ascii_lowercase) for _ in range(7))}.{digits(2)}@empresa.com.br",
        "ip": lambda: f"{rng.randint(1, 223)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
    }


def survivors(masker: Masker, n_each: int) -> list[tuple[str, int, int]]:
    """Kind, how many were hidden in the frames, how many were left in the masked text."""
    rng = random.Random(7)
    rows = []
    for kind, make in identifiers(rng).items():
        values = [make() for _ in range(n_each)]
        texts = [rng.choice(FRAMES).format(value) for value in values]
        left = sum(value.removeprefix("NIF ") in masker.mask(text).text for value, text in zip(values, texts, strict=True))
        rows.append((kind, n_each, left))
    return rows


def random_numbers(masker: Masker, n_each: int) -> list[tuple[str, int, int]]:
    """What is nobody's: random numbers, dates, amounts, versions; how many, how many masked."""
    rng = random.Random(8)

    def digits(length: int) -> str:
        return str(rng.randint(10 ** (length - 1), 10**length - 1))

    makers: dict[str, Callable[[], str]] = {
        **{
            f"order number, {length} digits": (lambda length=length: f"pedido {digits(length)} atrasado")
            for length in (6, 8, 9, 10, 11, 12, 14, 16)
        },
        "number alone, 9 digits": lambda: f"ver {digits(9)} no painel",
        "number alone, 11 digits": lambda: f"ver {digits(11)} no painel",
        "date": lambda: (
            f"até {rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}/{rng.randint(2020, 2030)} às {rng.randint(0, 23)}:30"
        ),
        "timestamp": lambda: (
            f"desde 20{rng.randint(20, 29)}-{rng.randint(10, 12)}-{rng.randint(10, 28)}T10:{rng.randint(10, 59)}:00Z "
            f"e {rng.randint(1_600_000_000, 1_800_000_000)}"
        ),
        "amount": lambda: f"custa R$ {rng.randint(1, 999)}.{rng.randint(100, 999)}.{rng.randint(100, 999)},{rng.randint(10, 99)}",
        "version": lambda: "atualizar para a versão " + ".".join(str(rng.randint(0, 30)) for _ in range(4)),
        "commit": lambda: f"revert do commit {rng.getrandbits(160):040x}",
    }
    rows = []
    for kind, make in makers.items():
        texts = [make() for _ in range(n_each)]
        rows.append((kind, n_each, sum(masker.mask(text).text != text for text in texts)))
    return rows


def conll(path: Path) -> Iterator[tuple[str, list[tuple[int, int]], int]]:
    """Text, spans of persons, number of words of each sentence."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        words: list[tuple[str, str]] = []
        for line in [*lines, "\n"]:
            if line.strip():
                parts = line.split()
                words.append((parts[0], parts[-1]))
            elif words:
                yield _joined(words)
                words = []


def _joined(words: list[tuple[str, str]]) -> tuple[str, list[tuple[int, int]], int]:
    text, spans, previous = "", [], "O"
    for word, tag in words:
        text += "" if not text or word in ",.;:)" else " "
        start, kind = len(text), tag.split("-")[-1]
        text += word
        if kind in ("PESSOA", "PER"):
            if tag.startswith("B-") or kind != previous:
                spans.append((start, len(text)))
            else:
                spans[-1] = (spans[-1][0], len(text))
        previous = kind
    return text, spans, len(words)


def massive_people(path: Path) -> Iterator[tuple[str, list[tuple[int, int]], int]]:
    """Utterances of MASSIVE with the spans of their `person` slots; lower case throughout."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            text, spans = "", []
            for match in re.finditer(r"\[([^:\]]+) : ([^\]]+)\]|[^\[]+", json.loads(line)["annot_utt"]):
                start = len(text)
                text += match[2] or match[0]
                if (match[1] or "").strip() == "person":
                    spans.append((start, len(text)))
            yield text, spans, len(text.split())


def names_in(rows: Iterator[tuple[str, list[tuple[int, int]], int]], limit: int) -> Score:
    """How many of the names the finder sees."""
    finder, counts = NameFinder(), Counter[str]()
    for number, (text, spans, n_words) in enumerate(rows):
        if number >= limit:
            break
        found = [(one.start, one.end) for one in finder.find(text)]
        counts["words"] += n_words
        for start, end in spans:
            overlap = sum(max(0, min(end, b) - max(start, a)) for a, b in found)
            counts.update(names=1, touched=overlap > 0, whole=overlap >= 0.95 * (end - start) - 1)
        counts["false"] += sum(all(b <= start or a >= end for start, end in spans) for a, b in found)
    return Score(counts["names"], counts["touched"], counts["whole"], counts["false"], counts["words"])


def texts_of(path: Path) -> list[str]:
    """The `text` of each row."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [row for line in lines if (row := str(json.loads(line).get("text") or ""))]


def latency_us(function: Callable[[str], object], n_rounds: int) -> tuple[float, float]:
    """Median and 99th percentile in microseconds over the typical texts."""
    for text in TYPICAL:
        function(text)
    seconds = []
    for _ in range(n_rounds):
        for text in TYPICAL:
            start = time.perf_counter()
            function(text)
            seconds.append(time.perf_counter() - start)
    seconds.sort()
    return statistics.median(seconds) * 1e6, seconds[int(0.99 * len(seconds))] * 1e6


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(f'{cell:.3f}' if isinstance(cell, float) else str(cell) for cell in row)} |")


def report_privacy(data: Path, n_each: int) -> None:
    """Identifiers, numbers that are nobody's, names, false finds in real requirements."""
    masker = Masker()
    table("Valid identifiers left (no word announces them)", ("kind", "hidden", "left"), survivors(masker, n_each))
    table("Numbers that are nobody's, masked all the same", ("kind", "texts", "masked"), random_numbers(masker, n_each))
    sets = {
        "LeNER-Br dev": ("ner_pt/lener_br.dev.conll.gz", conll),
        "LeNER-Br train": ("ner_pt/lener_br.train.conll.gz", conll),
        "WikiANN pt dev": ("ner_pt/wikiann_pt.dev.conll.gz", conll),
        "Paramopama (silver)": ("ner_pt/paramopama_silver.conll.gz", conll),
        **{
            f"MASSIVE {locale} dev, lower case": (f"massive/{locale}.dev.jsonl.gz", massive_people)
            for locale in ("pt-PT", "es-ES", "en-US")
        },
    }
    rows = []
    for name, (file, read) in sets.items():
        if (data / file).exists():
            score = names_in(read(data / file), 4_000)
            rows.append(
                (
                    name,
                    score.n_names,
                    score.n_touched / score.n_names,
                    score.n_whole / score.n_names,
                    1000 * score.n_false / score.n_words,
                )
            )
    table("Names of people", ("set", "names", "touched", "wholly masked", "others masked per 1,000 words"), rows)
    rows = []
    for file in ("datareq_pt/dev.jsonl", "es_fr_nfr/dev.jsonl", "promise_exp/dev.jsonl", "banking77/dev.jsonl.gz"):
        if (data / file).exists():
            texts = texts_of(data / file)
            found = Counter(one.kind for text in texts for one in find_personal_data(text, masker._names))
            rows.append((file, len(texts), sum(len(text.split()) for text in texts), sum(found.values()), dict(found)))
    table("Anything masked in requirements and requests", ("set", "texts", "words", "finds", "kinds"), rows)


def report_language(data: Path) -> None:
    """Accuracy on MASSIVE dev: whole utterances and their first words."""
    identifier, rows = LanguageIdentifier(), []
    for language, locale in (("pt", "pt-PT"), ("es", "es-ES"), ("en", "en-US")):
        path = data / f"massive/{locale}.dev.jsonl.gz"
        if path.exists():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                texts = [json.loads(line)["utt"] for line in lines]
            shortened = [texts, *([" ".join(text.split()[:n_words]) for text in texts] for n_words in (3, 2, 1))]
            rows.append(
                (
                    locale,
                    len(texts),
                    *(sum(identifier.identify(text).language == language for text in part) / len(part) for part in shortened),
                )
            )
    table(
        "Language, MASSIVE dev (any of 34 answers allowed)",
        ("set", "texts", "whole", "first 3 words", "first 2", "first"),
        rows,
    )


def report_speed(n_rounds: int) -> None:
    """Microseconds of each part on texts of about 100 characters, warm; and 20,000 characters."""
    masker, identifier, finder = Masker(), LanguageIdentifier(), EntityFinder()
    parts: dict[str, Callable[[str], object]] = {
        "mask": masker.mask,
        "language": identifier.identify,
        "entities": lambda text: finder.find(text, "pt", NOW),
    }
    long = " ".join(TYPICAL * 50)[:20_000]
    rows = []
    for name, function in parts.items():
        median, tail = latency_us(function, n_rounds)
        start = time.perf_counter()
        function(long)
        rows.append((name, round(median), round(tail), round((time.perf_counter() - start) * 1000, 1)))
    table("Speed", ("part", "median µs", "p99 µs", "20,000 characters, ms"), rows)


def main() -> None:
    """Measure everything there is data for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--quick", action="store_true", help="a tenth of the made-up texts")
    options = parser.parse_args()
    report_privacy(options.data, 30 if options.quick else 300)
    report_language(options.data)
    report_speed(50 if options.quick else 400)


if __name__ == "__main__":
    main()
