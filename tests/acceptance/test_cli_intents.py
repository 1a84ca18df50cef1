"""`hive train intents`, `hive classify` and `hive evaluate` as a person uses them."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from .conftest import HIVE, PATIENCE_S

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "bring-your-own-intents.md"
PHRASES = {
    "password_reset": ["esqueci a senha", "redefinir a palavra-passe", "I forgot my password", "olvidé la contraseña"],
    "invoice_query": ["onde está a fatura", "segunda via da fatura", "where is my invoice", "dónde está la factura"],
    "invoice_dispute": ["a fatura está errada", "cobraram a mais", "my invoice is wrong", "me cobraron de más"],
    "delivery_late": ["a encomenda está atrasada", "onde anda o pacote", "my parcel is late", "el paquete no llega"],
    "account_close": ["quero encerrar a conta", "apagar a minha conta", "close my account", "cerrar mi cuenta"],
}
ENDS = ["", " por favor", " hoje", " please", " gracias", "!", " ???", " outra vez", " de novo", " now"]


def hive(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([HIVE, *arguments], input=given, capture_output=True, text=True, timeout=2 * PATIENCE_S)


def written(path: Path, rows: Sequence[object]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return str(path)


def rows() -> list[dict[str, str]]:
    pairs = [(f"{text}{end}", label) for label, texts in PHRASES.items() for text, end in itertools.product(texts, ENDS)]
    return [{"utt": text, "intent": label} for text, label in pairs]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("data") / "tickets.jsonl", rows())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, data: str) -> str:
    folder = tmp_path_factory.mktemp("models") / "tickets"
    done = hive("train", "intents", "--data", data, "--text-field", "utt", "--label-field", "intent", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["created_from"]["n_rows"] == len(rows())
    assert told["digest"] == json.loads((folder / "manifest.json").read_text())["digest"]
    return str(folder)


def test_it_labels_rows_from_a_pipe_in_order(model: str) -> None:
    asked = [{"id": "a", "text": "esqueci-me da senha"}, {"id": 2, "text": "my parcel is very late", "language": "en"}]
    done = hive("classify", "--model", model, given="\n".join(map(json.dumps, asked)))
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(answer["id"], answer["label"]) for answer in answers] == [("a", "password_reset"), (2, "delivery_late")]
    assert all(set(answer) == {"id", "label", "confidence", "in_scope"} for answer in answers)
    assert all(0 <= answer["confidence"] <= 1 and isinstance(answer["in_scope"], bool) for answer in answers)


def test_it_labels_a_file_into_a_file(model: str, tmp_path: Path) -> None:
    asked = written(tmp_path / "in.jsonl", [{"id": n, "text": row["utt"]} for n, row in enumerate(rows())])
    done = hive("classify", "--model", model, "--input", asked, "--output", str(tmp_path / "out.jsonl"))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [answer["id"] for answer in answers] == list(range(len(rows())))
    n_right = sum(answer["label"] == row["intent"] for answer, row in zip(answers, rows(), strict=True))
    assert n_right >= 0.98 * len(answers)


def test_it_refuses_what_the_intents_do_not_cover(model: str) -> None:
    asked = [{"id": 1, "text": "qual é a capital da Mongólia"}, {"id": 2, "text": "play some jazz in the kitchen"}]
    done = hive("classify", "--model", model, given="\n".join(map(json.dumps, asked)))
    assert [json.loads(line)["in_scope"] for line in done.stdout.splitlines()] == [False, False]


def test_a_bad_row_is_named_and_ends_the_work_unless_told_otherwise(model: str) -> None:
    given = '{"id": 1, "text": "fatura"}\n{"id": 2}\nnot json\n{"id": 4, "text": "conta"}\n'
    done = hive("classify", "--model", model, given=given)
    assert done.returncode == 1
    assert "line 2" in done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1]
    done = hive("classify", "--model", model, "--skip-bad", given=given)
    assert done.returncode == 0
    assert "line 2" in done.stderr
    assert "line 3" in done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 4]


def test_it_measures_and_reports(model: str, data: str, tmp_path: Path) -> None:
    outside = written(tmp_path / "oos.jsonl", [{"utt": "play some jazz", "intent": "oos"}, {"utt": "sing", "intent": "oos"}])
    page = tmp_path / "report.html"
    fields = ["--text-field", "utt", "--label-field", "intent"]
    asked = ["--model", model, "--data", data, "--data", outside, *fields, "--oos-label", "oos", "--report", str(page)]
    done = hive("evaluate", *asked, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["n"] == len(rows())
    assert found["accuracy"] > 0.95
    assert found["out_of_scope"]["n"] == 2
    assert "<svg" in page.read_text()
    assert "right" in hive("evaluate", "--model", model, "--data", data, *fields, "--text").stdout


def test_training_again_gives_the_same_bytes(model: str, data: str, tmp_path: Path) -> None:
    fields = ["--text-field", "utt", "--label-field", "intent"]
    done = hive("train", "intents", "--data", data, *fields, "--out", str(tmp_path / "tickets"))
    assert done.returncode == 0, done.stderr
    for file in sorted(Path(model).iterdir()):
        assert file.read_bytes() == (tmp_path / "tickets" / file.name).read_bytes(), file.name


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("", 2, "holds no rows"),
        ('{"utt": "a", "intent": "x"}\n{"utt": "b"}\n', 2, 'line 2: there is no "intent"'),
        ('{"utt": "a", "intent": "x"}\n{"utt": "b", "intent": "x"}\n', 2, "All rows have the label 'x'"),
        ('{"utt": "a", "intent": "x"}\n{"utt": "b", "intent": "y"}\n', 2, "single row"),
        ("oops\n", 2, "line 1: not JSON"),
    ],
)
def test_data_that_cannot_be_used_is_named_and_leaves_nothing(tmp_path: Path, content: str, code: int, message: str) -> None:
    (tmp_path / "bad.jsonl").write_text(content)
    fields = ["--text-field", "utt", "--label-field", "intent"]
    done = hive("train", "intents", "--data", str(tmp_path / "bad.jsonl"), *fields, "--out", str(tmp_path / "m"))
    assert done.returncode == code
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.jsonl"]


def test_texts_with_two_labels_are_told_before_the_training(tmp_path: Path) -> None:
    said = [("pagar a conta", "x"), ("pagar a conta", "y"), ("pagar a fatura", "x"), ("pagar tudo", "y")]
    data = written(tmp_path / "d.jsonl", [{"text": text, "label": label} for text, label in said])
    done = hive("train", "intents", "--data", data, "--out", str(tmp_path / "m"))
    assert done.returncode == 0, done.stderr
    assert "Texts with more than one label: 1, such as 'pagar a conta': x, y." in done.stderr


def test_a_report_that_cannot_be_written_is_told_before_the_work(model: str, data: str, tmp_path: Path) -> None:
    done = hive("evaluate", "--model", model, "--data", data, "--report", str(tmp_path / "no" / "r.html"))
    assert done.returncode == 2
    assert "--report" in done.stderr
    assert "Measuring" not in done.stderr


def test_a_folder_that_is_no_model_is_refused_and_kept(data: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = hive("train", "intents", "--data", data, "--text-field", "utt", "--label-field", "intent", "--out", str(tmp_path))
    assert done.returncode == 2
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    done = hive("classify", "--model", str(tmp_path), given='{"id": 1, "text": "a"}')
    assert done.returncode == 1
    assert "no intent model" in done.stderr


@pytest.mark.parametrize("arguments", [["train", "intents"], ["classify"], ["evaluate"], ["train", "nothing"]])
def test_a_wrong_command_line_exits_with_2(arguments: list[str]) -> None:
    assert hive(*arguments).returncode == 2


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_the_commands_and_the_python_of_the_page_work(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    shutil.copytree(ROOT / "data" / "phrases", tmp_path / "data" / "phrases")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environment = os.environ | {"PATH": f"{Path(HIVE).parent}{os.pathsep}{os.environ['PATH']}"}
    for kind, block in re.findall(r"^```(sh|python)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        command = ["bash", "-euo", "pipefail", "-c", block] if kind == "sh" else [Path(HIVE).with_name("python"), "-c", block]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900)
        assert ran.returncode == 0, f"{block}\n{ran.stdout}\n{ran.stderr}"
    n_asked = len((tmp_path / "examples" / "intents.jsonl").read_text("utf-8").splitlines())
    assert len((tmp_path / "labels.jsonl").read_text("utf-8").splitlines()) == n_asked
    assert "<svg" in (tmp_path / "report.html").read_text("utf-8")
    held_out, trained = (
        {json.loads(line)["group"] for line in (tmp_path / name).read_text("utf-8").splitlines()}
        for name in ("test.jsonl", "train.jsonl")
    )
    assert len(held_out) > 50
    assert not held_out & trained
