"""Music made of arithmetic, as much like the real thing as that gets: what an ear must not take for speech."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
Sound = NDArray[np.float64]

#: I–V–vi–IV in C and i–VI–III–VII in A minor, as MIDI numbers.
_BRIGHT = ((60, 64, 67), (55, 59, 62), (57, 60, 64), (53, 57, 60))
_DARK = ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62))
_BEAT_S = 0.5


def _hz(midi: float) -> float:
    return float(440.0 * 2 ** ((midi - 69) / 12))


def _time(seconds: float) -> Sound:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def _struck(midi: float, seconds: float) -> Sound:
    """A piano's hammer: twelve partials, each dying faster than the one below, slightly sharp of the harmonic."""
    t = _time(seconds)
    partials = (n * np.sqrt(1 + 4e-4 * n * n) for n in range(1, 13))
    tone = sum(np.sin(2 * np.pi * _hz(midi) * p * t) * np.exp(-(1.5 + 0.9 * p) * t) / p for p in partials)
    return np.asarray(tone) * np.minimum(1, t / 0.004)


def _plucked(midi: float, seconds: float) -> Sound:
    """A guitar's string. Source: Karplus & Strong 1983, "Digital Synthesis of Plucked-String and Drum Timbres"."""
    period = round(RATE_HZ / _hz(midi))
    line = np.random.default_rng(round(midi * 10)).uniform(-1, 1, period)
    rounds = []
    for _ in range(int(seconds * RATE_HZ / period) + 1):
        rounds.append(line)
        line = 0.996 * 0.5 * (line + np.roll(line, 1))
    return np.concatenate(rounds)[: round(seconds * RATE_HZ)]


def _bowed(midi: float, seconds: float) -> Sound:
    """Four strings that never quite agree, with vibrato."""
    t = _time(seconds)
    bent = [_hz(midi + cents / 100) * (t + 0.004 * np.sin(2 * np.pi * (5 + cents / 20) * t) / 5) for cents in (-7, -2, 3, 8)]
    tone = sum(np.sin(2 * np.pi * n * phase) / n for phase in bent for n in range(1, 9))
    return np.asarray(tone) * np.minimum(1, t / 0.2) * np.minimum(1, (seconds - t) / 0.2) / 4


def _square(midi: float, seconds: float) -> Sound:
    """A game console's voice."""
    t = _time(seconds)
    return np.sign(np.sin(2 * np.pi * _hz(midi) * t)) * np.exp(-4 * t)


def _drums(beats: int) -> Sound:
    """Kick on one and three, snare on two and four, hat on every half."""
    rng, t = np.random.default_rng(2), _time(_BEAT_S / 2)
    kick = np.sin(2 * np.pi * (50 * t + 8 * (1 - np.exp(-t * 30)))) * np.exp(-t * 14)
    snare = (rng.normal(0, 0.5, len(t)) + 0.5 * np.sin(2 * np.pi * 190 * t)) * np.exp(-t * 22)
    hat = np.diff(rng.normal(0, 0.25, len(t) + 1)) * np.exp(-t * 70)
    return np.concatenate([np.concatenate([(snare if beat % 2 else kick) + hat, hat]) for beat in range(beats)])


def _chords(chords: Sequence[Sequence[int]], bars: int, play: Callable[[float, float], Sound], octave: int = 0) -> Sound:
    bar = [sum(play(note + 12 * octave, 4 * _BEAT_S) for note in chords[i % len(chords)]) for i in range(bars)]
    return np.concatenate([np.asarray(sound) for sound in bar])


def _notes(chords: Sequence[Sequence[int]], bars: int, play: Callable[[float, float], Sound], octave: int = 0) -> Sound:
    order = (0, 1, 2, 1, 0, 2, 1, 2)
    tune = [chords[bar % len(chords)][step] + 12 * octave for bar in range(bars) for step in order]
    return np.concatenate([play(note, _BEAT_S / 2) for note in tune])


def pieces(seconds: float) -> dict[str, NDArray[np.float32]]:
    """Kinds of music by name: float32 (n_samples,), mono, 16 kHz, in [-0.7, 0.7], `seconds` long."""
    bars = int(seconds / (4 * _BEAT_S)) + 1
    drums, bass = _drums(4 * bars), _notes(_DARK, bars, _plucked, -2)
    made = {
        "piano": _chords(_BRIGHT, bars, _struck),
        "guitar": _notes(_BRIGHT, bars, _plucked, -1),
        "strings": _chords(_DARK, bars, _bowed),
        "a melody on strings": _notes(_BRIGHT, bars, _bowed, 1),
        "drums": drums,
        "a chip tune": _notes(_BRIGHT, bars, _square, 1) + 0.3 * drums,
        "a band": 2 * drums + bass + 0.5 * _chords(_DARK, bars, _struck) + 0.3 * _notes(_DARK, bars, _bowed, 1),
    }
    n = round(seconds * RATE_HZ)
    return {name: (0.7 * sound[:n] / np.abs(sound[:n]).max()).astype(np.float32) for name, sound in made.items()}
