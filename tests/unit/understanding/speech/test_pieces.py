"""The pieces of a long recording: how many are read at once, in which order they come back, what a failure leaves behind."""

import threading

import numpy as np
import pytest

from neural_hive.understanding.speech import recognise
from neural_hive.understanding.speech.language import Heard
from neural_hive.understanding.speech.model import WhisperModel
from neural_hive.understanding.speech.recognise import Options, Recogniser
from neural_hive.understanding.vad import Span

S = 16_000
SPANS = [Span(i * 30 * S, (i * 30 + 2) * S) for i in range(6)]
SOUND = np.repeat(np.arange(6, dtype=np.float32), 30 * S)


class _Detector:
    def spans(self, _):
        return SPANS


class _Readers:
    """Stands for `Reader`: notes which pieces are read, and lets `n` of them go on only together."""

    def __init__(self, n: int) -> None:
        self.together, self.lock = threading.Barrier(n, timeout=20), threading.Lock()
        self.started: list[float] = []
        self.running = self.most = 0
        self.failing: float | None = None

    def __call__(self, _model, _rarity, sound, _wishes):
        self_, piece = self, float(sound[0])

        class One:
            def read(self):
                return self_.read(piece)

        return One()

    def read(self, piece):
        with self.lock:
            self.started.append(piece)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            if piece == self.failing:
                raise MemoryError
            if self.failing is None:
                self.together.wait()
            return Heard(f"x{piece:.0f}", 1.0, is_supported=False), None
        finally:
            with self.lock:
                self.running -= 1


@pytest.fixture
def reading(tiny, monkeypatch):
    def start(n_threads):
        readers = _Readers(n_threads)
        monkeypatch.setattr(recognise, "Reader", readers)
        recogniser = Recogniser(WhisperModel(tiny, n_threads=n_threads), _Detector())
        return recogniser, readers

    return start


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_as_many_pieces_as_threads_are_read_at_once_and_come_back_in_order(reading, n_threads):
    recogniser, readers = reading(n_threads)
    seen = [heard.language for heard, _ in recogniser._read(SOUND, SPANS, Options())]
    assert seen == [f"x{i}" for i in range(6)]
    assert readers.most == n_threads


def test_progress_follows_the_pieces_on_the_thread_that_asked(reading):
    recogniser, _ = reading(2)
    shares = []
    recogniser.transcribe(SOUND, Options(), lambda share: shares.append((share, threading.current_thread())))
    assert shares == [(span.end / len(SOUND), threading.current_thread()) for span in SPANS]


def test_a_piece_that_fails_fails_the_recording_and_leaves_nothing_running(reading):
    recogniser, readers = reading(2)
    readers.failing = 1.0
    threads = threading.active_count()
    with pytest.raises(MemoryError):
        recogniser.transcribe(SOUND, Options())
    assert readers.running == 0
    assert threading.active_count() == threads
