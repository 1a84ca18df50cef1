"""Measures the ear against faster-whisper on the same recordings, clip by clip, interleaved, with the same weights.

    python -P benchmarks/speech.py --data FOLDER --model FOLDER           # the whole table
    python -P benchmarks/speech.py --data … --model … --fit-confidence    # coefficients for speech/confidence.py
    python -P benchmarks/speech.py --data … --model … --soak 500          # memory over many transcriptions
    python -P benchmarks/speech.py --data … --model … --long 5            # long recordings, five times over

FOLDER of recordings: `clips.jsonl` with `file`, `lang`, `text`, `seconds`. Peers that are not installed are left out.
Words are compared in lower case without punctuation and diacritics; `wer_numbers_alike` takes "5" and "five" for one word.
Times include reading the file and choosing the language; processor time counts the worker's and our own, on all cores.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import io
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
import unicodedata
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neural_hive.understanding.audio import decode
from neural_hive.understanding.speech import confidence
from neural_hive.understanding.speech.ear import Ear, EarOptions
from neural_hive.understanding.speech.model import WhisperModel
from neural_hive.understanding.speech.process import ALLOCATION
from neural_hive.understanding.speech.recognise import Options, Recogniser
from neural_hive.understanding.vad import VoiceActivityDetector

RATE_HZ = 16_000
N_BOOTSTRAP = 2_000
#: Between the clips of a long recording, seconds; and how long recordings are heard.
PAUSE_S = 0.5
LONG = ("hive", "hive, piece by piece", "faster-whisper", "faster-whisper batched")
#: A transcript is right if no more than this share of its words is wrong.
MOST_WRONG = 0.1
Transcribe = Callable[[bytes], tuple[str, str]]


def words(text: str) -> list[str]:
    """Lower case, no punctuation, no diacritics."""
    letters = (c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9 ]", " ", "".join(letters)).split()


NUMBERS = {
    "0": "zero cero", "1": "one um uma un uno una", "2": "two dois duas dos", "3": "three tres", "4": "four quatro cuatro",
    "5": "five cinco", "6": "six seis", "7": "seven sete siete", "8": "eight oito ocho", "9": "nine nove nueve", "10": "ten dez diez",
}  # fmt: skip
DIGIT_OF = {word: digit for digit, said in NUMBERS.items() for word in said.split()}


def numbers_alike(said: list[str]) -> list[str]:
    """The words with numbers up to ten as digits."""
    return [DIGIT_OF.get(word, word) for word in said]


def alignment(reference: list[str], heard: list[str]) -> tuple[int, list[bool]]:
    """Least number of edits (Levenshtein 1966), and which heard words are right in one cheapest alignment."""
    n, m = len(reference), len(heard)
    cost = np.zeros((n + 1, m + 1), int)
    cost[:, 0], cost[0, :] = np.arange(n + 1), np.arange(m + 1)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            differs = reference[i - 1] != heard[j - 1]
            cost[i, j] = min(cost[i - 1, j] + 1, cost[i, j - 1] + 1, cost[i - 1, j - 1] + differs)
    right, i, j = [False] * m, n, m
    while i and j:
        if cost[i, j] == cost[i - 1, j - 1] + (reference[i - 1] != heard[j - 1]):
            right[j - 1] = reference[i - 1] == heard[j - 1]
            i, j = i - 1, j - 1
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return int(cost[n, m]), right


def degraded(sound: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """float32 (n_samples,) made worse: telephone band, noise at a signal-to-noise ratio, clipping, a room's echo."""
    if kind == "8 kHz":
        spectrum = np.fft.rfft(sound)
        spectrum[np.fft.rfftfreq(len(sound), 1 / RATE_HZ) > 3_800] = 0
        sound = np.fft.irfft(spectrum, len(sound))
    elif kind.startswith("noise"):
        power = np.mean(sound**2) / 10 ** (float(kind.split()[1]) / 10)
        sound = sound + rng.normal(0, math.sqrt(power), len(sound))
    elif kind == "clipping":
        level = np.quantile(np.abs(sound), 0.9)
        sound = np.clip(sound, -level, level) / max(level, 1e-6) * 0.9
    elif kind == "reverb":
        t = np.arange(int(0.5 * RATE_HZ)) / RATE_HZ
        echo = rng.normal(0, 1, len(t)) * 10 ** (-3 * t / 0.5)
        wet = np.convolve(sound, echo / np.sqrt(np.sum(echo**2)))[: len(sound)]
        sound = 0.7 * sound + 0.3 * wet
    return np.clip(sound, -1, 1).astype(np.float32)


DEGRADATIONS = ("8 kHz", "noise 20 dB", "noise 10 dB", "clipping", "reverb")


def wav(sound: np.ndarray) -> bytes:
    """A 16-bit WAV file of float32 (n_samples,) at 16 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((sound * 32_767).astype("<i2").tobytes())
    return buffer.getvalue()


def engines(model: Path, loop: asyncio.AbstractEventLoop, ear: Ear) -> dict[str, Transcribe]:
    """Everything that is installed, by name: bytes of a file → text and language."""

    def hive(audio: bytes) -> tuple[str, str]:
        transcript = loop.run_until_complete(ear.transcribe(audio))
        return transcript.text, transcript.language

    found: dict[str, Transcribe] = {"hive": hive}
    if importlib.util.find_spec("faster_whisper"):
        import faster_whisper

        peer = faster_whisper.WhisperModel(str(model), device="cpu", compute_type="int8")
        found["faster-whisper"] = _faster_whisper(peer)
        found["faster-whisper greedy"] = _faster_whisper(peer, beam_size=1)
    return found


def _faster_whisper(peer: Any, **options: Any) -> Transcribe:
    def run(audio: bytes) -> tuple[str, str]:
        segments, info = peer.transcribe(io.BytesIO(audio), **options)
        return " ".join(segment.text.strip() for segment in segments), info.language

    return run


def processor_s(ear: Ear) -> float:
    """Processor time of this process and of the ear's worker, in seconds."""
    fields = Path(f"/proc/{ear.worker_pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(
    clips: list[dict[str, Any]],
    runs: dict[str, Transcribe],
    audio: Callable[[dict[str, Any]], bytes],
    processor: Callable[[], float],
) -> dict[str, list[dict[str, Any]]]:
    """Every clip through every engine, the order turning with each clip: rows of edits, words, seconds, language."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in runs}
    names = list(runs)
    for i, clip in enumerate(clips):
        data = audio(clip)
        for name in names[i % len(names) :] + names[: i % len(names)]:
            started, cpu_before = time.perf_counter(), processor()
            text, language = runs[name](data)
            took, cpu = time.perf_counter() - started, processor() - cpu_before
            reference, heard = words(clip["text"]), words(text)
            edits, _ = alignment(reference, heard)
            edits_alike, _ = alignment(numbers_alike(reference), numbers_alike(heard))
            row = {
                "lang": clip["lang"],
                "edits": edits,
                "edits_alike": edits_alike,
                "words": len(reference),
                "s": took,
                "cpu_s": cpu,
            }
            rows[name].append(row | {"sound_s": clip["seconds"], "is_language_right": language == clip["lang"]})
        print(f"\r{i + 1}/{len(clips)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return rows


def wer(rows: list[dict[str, Any]], key: str = "edits") -> dict[str, float]:
    """Word error rate in per cent with its 95 % interval over clips (percentile bootstrap, Efron 1979)."""
    edits, counts = (np.array([row[name] for row in rows], float) for name in (key, "words"))
    rate, (low, high) = float(100 * edits.sum() / counts.sum()), _interval(edits, counts)
    return {"wer": round(rate, 2), "low": low, "high": high}


def wer_difference(rows: list[dict[str, Any]], base: list[dict[str, Any]]) -> dict[str, float]:
    """Word error rate of `rows` less that of `base`, in points, with its 95 % interval: the same clips drawn for both."""
    edits = np.array([a["edits"] - b["edits"] for a, b in zip(rows, base, strict=True)], float)
    counts = np.array([row["words"] for row in rows], float)
    low, high = _interval(edits, counts)
    return {"points": round(float(100 * edits.sum() / counts.sum()), 2), "low": low, "high": high}


def _interval(edits: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    draws = np.random.default_rng(0).integers(0, len(edits), (N_BOOTSTRAP, len(edits)))
    low, high = np.quantile(100 * edits[draws].sum(axis=1) / counts[draws].sum(axis=1), [0.025, 0.975])
    return round(float(low), 2), round(float(high), 2)


def summary(rows: list[dict[str, Any]], base: list[dict[str, Any]]) -> dict[str, Any]:
    """What one engine did, and its speed as the median over clips of the ratio to `base`."""
    seconds = np.array([row["s"] for row in rows])
    five = [row["s"] for row in rows if 4 <= row["sound_s"] <= 6]
    ratios, cpu_ratios = ([b[key] / a[key] for a, b in zip(rows, base, strict=True)] for key in ("s", "cpu_s"))
    by_language = {lang: wer([r for r in rows if r["lang"] == lang]) for lang in sorted({r["lang"] for r in rows})}
    return {
        "wer": wer(rows),
        "wer_numbers_alike": wer(rows, "edits_alike"),
        "wer_less_that_of_faster_whisper": wer_difference(rows, base),
        "by_language": by_language,
        "language_right_percent": round(100 * float(np.mean([row["is_language_right"] for row in rows])), 1),
        "p50_s": round(float(np.median(seconds)), 3),
        "p95_s": round(float(np.quantile(seconds, 0.95)), 3),
        "p50_of_4_to_6_s": round(float(np.median(five)), 3),
        "rtf": round(float(seconds.sum() / sum(row["sound_s"] for row in rows)), 4),
        "cpu_p50_s": round(float(np.median([row["cpu_s"] for row in rows])), 3),
        "times_faster_than_faster_whisper": round(float(np.median(ratios)), 2),
        "times_less_processor_time": round(float(np.median(cpu_ratios)), 2),
    }


def peak_memory_mb(name: str, model: Path, clip: Path) -> float:
    """Peak resident memory of a process of its own, the hive's set up as its worker, that hears one clip three times."""
    command = [
        sys.executable,
        __file__,
        "--data",
        str(clip.parent),
        "--model",
        str(model),
        "--peak",
        name,
        "--clip",
        str(clip),
    ]
    environment = os.environ | (ALLOCATION if name.startswith("hive") else {})
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout.strip().splitlines()[-1])


def print_peak(name: str, model: Path, clip: Path) -> None:
    run = in_process(name, model)
    for _ in range(3):
        run(clip.read_bytes())
    # Not getrusage: its peak survives exec, so a child of a large process would report its parent.
    status = Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024)


class _PieceByPiece(Recogniser):
    """A recogniser that reads the pieces of a long recording one after the other."""

    def _read(self, waveform: Any, spans: Any, options: Options) -> Iterator[Any]:
        for span in spans:
            yield from super()._read(waveform, [span], options)


def in_process(name: str, model: Path) -> Transcribe:
    """One way to hear, in this process: bytes of a file → text and language."""
    if name.startswith("hive"):
        recogniser = (Recogniser if name == "hive" else _PieceByPiece)(WhisperModel(model), VoiceActivityDetector())

        def hive(audio: bytes) -> tuple[str, str]:
            transcript = recogniser.transcribe(decode(audio), Options())
            return transcript.text, transcript.language

        return hive
    import faster_whisper

    peer = faster_whisper.WhisperModel(str(model), device="cpu", compute_type="int8")
    return _faster_whisper(faster_whisper.BatchedInferencePipeline(peer) if "batched" in name else peer)


def long_audio(clips: list[dict[str, Any]], data: Path, model: Path, n: int) -> dict[str, Any]:
    """All clips of a language in a row, with pauses: `n` times through every way to hear, and the memory that each takes."""
    recordings, sounds = [], {}
    for lang in sorted({clip["lang"] for clip in clips}):
        of_it = [clip for clip in clips if clip["lang"] == lang]
        parts = [np.pad(decode((data / clip["file"]).read_bytes()), (0, round(PAUSE_S * RATE_HZ))) for clip in of_it]
        sound = np.concatenate(parts)
        sounds[lang] = wav(sound)
        said = " ".join(clip["text"] for clip in of_it)
        recordings.append({"lang": lang, "text": said, "seconds": round(len(sound) / RATE_HZ, 1)})
    names = [name for name in LONG if name.startswith("hive") or importlib.util.find_spec("faster_whisper")]
    runs = {name: in_process(name, model) for name in names}
    rows = measure(recordings * n, runs, lambda recording: sounds[recording["lang"]], time.process_time)
    longest = max(recordings, key=lambda recording: recording["seconds"])
    found: dict[str, Any] = {"seconds": {r["lang"]: r["seconds"] for r in recordings}, "times": n}
    found |= {"cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(sounds[longest["lang"]])
        file.flush()
        for name, got in rows.items():
            memory_mb = round(peak_memory_mb(name, model, Path(file.name)))
            found[name] = long_summary(got, rows) | {"peak_memory_mb": memory_mb}
    return found


def long_summary(got: list[dict[str, Any]], rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Errors and speed of one way to hear long recordings; speed as the median ratio to each other way."""
    ratios = {
        f"times_{what}_than_{name}": round(float(np.median([b[key] / a[key] for a, b in zip(got, base, strict=True)])), 2)
        for name, base in rows.items()
        if base is not got
        for what, key in (("faster", "s"), ("less_processor_time", "cpu_s"))
    }
    edits, said = (sum(row[key] for row in got) for key in ("edits", "words"))
    seconds, sound_s = (sum(row[key] for row in got) for key in ("s", "sound_s"))
    by_language = {row["lang"]: wer([r for r in got if r["lang"] == row["lang"]])["wer"] for row in got}
    return ratios | {"wer": round(100 * edits / said, 2), "by_language": by_language, "rtf": round(seconds / sound_s, 4)}


def soak(ear: Ear, loop: asyncio.AbstractEventLoop, clips: list[dict[str, Any]], data: Path, n: int) -> dict[str, Any]:
    """Resident memory of one worker after each tenth of `n` transcriptions, in MB."""

    def resident_mb() -> float:
        pages = int(Path(f"/proc/{ear.worker_pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    seen: list[float] = []
    for i in range(n):
        loop.run_until_complete(ear.transcribe((data / clips[i % len(clips)]["file"]).read_bytes()))
        if (i + 1) % max(1, n // 10) == 0:
            seen.append(round(resident_mb(), 1))
    return {"n": n, "after_each_tenth_mb": seen}


class _Collecting(Recogniser):
    """A recogniser that keeps the features of every word it reads."""

    def __init__(self, model: WhisperModel) -> None:
        super().__init__(model, VoiceActivityDetector())
        self.seen: list[tuple[str, tuple[float, ...]]] = []

    def _words(self, span: Any, reading: Any, word_cost: Any) -> Any:
        for text, at in self._model.tokens.words(reading.tokens):
            features = confidence.word_features(reading.logprobs[at], reading.avg_logprob, word_cost(text))
            self.seen.append((text, features))
        return super()._words(span, reading, word_cost)


def fit_confidence(clips: list[dict[str, Any]], data: Path, model: Path) -> dict[str, Any]:
    """Logistic coefficients of words and utterances, with the calibration error over ten folds of clips."""
    recogniser, rng = _Collecting(WhisperModel(model)), np.random.default_rng(1)
    rows = []
    for i, clip in enumerate(clips):
        sound = decode((data / clip["file"]).read_bytes())
        for kind in ("clean", *(DEGRADATIONS[(i + j) % len(DEGRADATIONS)] for j in (0, 2))):
            recogniser.seen.clear()
            recogniser.transcribe(sound if kind == "clean" else degraded(sound, kind, rng), Options(clip["lang"]))
            rows.append((i, words(clip["text"]), list(recogniser.seen)))
    return fitted(rows)


def fitted(rows: list[tuple[int, list[str], list[tuple[str, tuple[float, ...]]]]]) -> dict[str, Any]:
    """Coefficients from readings: number of the clip, what was said, and the words heard with their features."""
    by_word, readings = [], []
    for i, said, seen in rows:
        heard = [(word, features) for text, features in seen for word in words(text)]
        edits, right = alignment(said, [word for word, _ in heard])
        by_word += [(i, features, ok) for (_, features), ok in zip(heard, right, strict=True)]
        if heard:
            readings.append((i, [features for _, features in heard], edits <= MOST_WRONG * len(said)))
    word = _logistic(by_word)
    scores = confidence.Logistic(word["bias"], tuple(word["weights"]))
    by_utterance = [(i, confidence.utterance_features([scores(f) for f in features]), ok) for i, features, ok in readings]
    return {"word": word, "utterance": _logistic(by_utterance)}


def _logistic(rows: list[tuple[int, tuple[float, ...], bool]]) -> dict[str, Any]:
    groups, y = np.array([row[0] for row in rows]), np.array([row[2] for row in rows], float)
    x = np.array([(1.0, *row[1]) for row in rows])
    held_out = np.zeros(len(rows))
    for fold in range(10):
        test = groups % 10 == fold
        held_out[test] = 1 / (1 + np.exp(-x[test] @ _newton(x[~test], y[~test])))
    rng = np.random.default_rng(0)
    by_chance = [calibration_error(held_out, rng.random(len(y)) < held_out) for _ in range(200)]
    error, least = calibration_error(held_out, y), float(np.mean(by_chance))
    ranks = held_out.argsort().argsort() + 1
    n_right = y.sum()
    auc = (ranks[y == 1].sum() - n_right * (n_right + 1) / 2) / max(1.0, n_right * (len(y) - n_right))
    fitted = _newton(x, y).round(3).tolist()
    share = round(float(y.mean()), 3)
    report = {"n": len(rows), "right": share, "auc": round(float(auc), 3), "calibration_error": round(error, 4)}
    report |= {"calibration_error_of_a_perfect_one": round(least, 4)}
    return {"bias": fitted[0], "weights": fitted[1:]} | report


def calibration_error(scores: np.ndarray, right: np.ndarray, n_bins: int = 5) -> float:
    """Expected calibration error in bins of equal size. Source: Nixon et al. 2019, "Measuring Calibration in Deep Learning"."""
    bins = scores.argsort().argsort() * n_bins // len(scores)
    return float(sum(abs(scores[bins == b].mean() - right[bins == b].mean()) * np.mean(bins == b) for b in range(n_bins)))


def _newton(x: np.ndarray, y: np.ndarray, ridge: float = 1.0) -> np.ndarray:
    """Maximum a posteriori logistic regression by Newton's method, a unit Gaussian prior on the slopes."""
    beta = np.zeros(x.shape[1])
    prior = ridge * np.eye(x.shape[1])
    prior[0, 0] = 1e-6
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ beta))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + prior
        beta += np.linalg.solve(hessian, x.T @ (y - p) - prior @ beta)
    return beta


def report(result: dict[str, Any]) -> None:
    """Print the tables."""
    columns = ("pt", "en", "es", "lang %", "p50 s", "p95 s", "4-6 s", "RTF")
    print(f"{'engine':24}{'WER % (95 %)':>24}" + "".join(f"{name:>8}" for name in columns) + f"{'×':>7}")
    for name, s in result.get("engines", {}).items():
        rates = "".join(
            f"{s['by_language'][lang]['wer'] if lang in s['by_language'] else math.nan:8.2f}" for lang in ("pt", "en", "es")
        )
        w = s["wer"]
        interval = f"{w['wer']:.2f} ({w['low']:.2f}-{w['high']:.2f})"
        print(
            f"{name:24}{interval:>24}{rates}{s['language_right_percent']:8.1f}{s['p50_s']:8.3f}{s['p95_s']:8.3f}",
            end="",
        )
        print(f"{s['p50_of_4_to_6_s']:8.3f}{s['rtf']:8.4f}{s['times_faster_than_faster_whisper']:7.2f}")
    for kind, by_engine in result.get("robustness", {}).items():
        print(f"{kind:14}", {name: found["wer"] for name, found in by_engine.items()})
    print("long recordings:", json.dumps(result.get("long"), indent=1))
    print("peak memory, MB:", result.get("peak_memory_mb"), "soak:", result.get("soak"))


def robustness(
    clips: list[dict[str, Any]], data: Path, runs: dict[str, Transcribe], processor: Callable[[], float]
) -> dict[str, Any]:
    """Word error rates in bad sound."""
    rng, table = np.random.default_rng(1), {}
    for kind in DEGRADATIONS:
        bad = lambda clip, kind=kind: wav(degraded(decode((data / clip["file"]).read_bytes()), kind, rng))  # noqa: E731
        rows = measure(clips, runs, bad, processor)
        table[kind] = {name: wer(found) for name, found in rows.items()}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "speech.json")
    parser.add_argument("--every", type=int, default=1, help="use every n-th clip, where time is short")
    parser.add_argument("--robust-every", type=int, default=3, help="use every n-th clip in bad sound; 0 leaves it out")
    parser.add_argument("--soak", type=int, default=0)
    parser.add_argument("--long", type=int, default=0, metavar="N", help="only long recordings, N times over")
    parser.add_argument("--without", nargs="*", default=(), metavar="ENGINE", help="leave these engines out")
    parser.add_argument("--fit-confidence", action="store_true")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print_peak(options.peak, options.model, options.clip)
        return
    lines = (options.data / "clips.jsonl").read_text(encoding="utf-8").splitlines()
    clips = [json.loads(line) for line in lines][:: options.every]
    known = json.loads(options.output.read_text()) if options.output.exists() else {}
    if options.fit_confidence:
        known["confidence"] = fit_confidence(clips, options.data, options.model)
        print(json.dumps(known["confidence"], indent=1))
    else:
        known |= run(options, clips)
        report(known)
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def run(options: argparse.Namespace, clips: list[dict[str, Any]]) -> dict[str, Any]:
    """The tables, or the soak or the long recordings alone."""
    if options.long:
        return {"long": long_audio(clips, options.data, options.model, options.long)}
    loop = asyncio.new_event_loop()
    ear = Ear(options.model, EarOptions(max_jobs=10**9))
    loop.run_until_complete(ear.warm())
    try:
        if options.soak:
            return {"soak": soak(ear, loop, clips, options.data, options.soak)}
        runs = {name: run for name, run in engines(options.model, loop, ear).items() if name not in options.without}
        rows = measure(clips, runs, lambda clip: (options.data / clip["file"]).read_bytes(), lambda: processor_s(ear))
        base = rows.get("faster-whisper", rows["hive"])
        found: dict[str, Any] = {"n_clips": len(clips), "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
        found["engines"] = {name: summary(got, base) for name, got in rows.items()}
        if options.robust_every:
            both = {name: runs[name] for name in ("hive", "faster-whisper") if name in runs}
            some = clips[:: options.robust_every]
            found |= {
                "robustness": robustness(some, options.data, both, lambda: processor_s(ear)),
                "robustness_n_clips": len(some),
            }
        clip = options.data / clips[0]["file"]
        names = [name for name in runs if name != "faster-whisper greedy"]
        found["peak_memory_mb"] = {name: round(peak_memory_mb(name, options.model, clip)) for name in names}
        return found
    finally:
        loop.run_until_complete(ear.close())
        loop.close()


if __name__ == "__main__":
    main()
