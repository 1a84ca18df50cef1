"""Fuzzes the decoder's entry: any bytes become bounded sound or `AudioRejectedError`.

    python tests/fuzz/fuzz_audio.py -max_total_time=60 -max_len=65536 CORPUS_FOLDER

Needs atheris; `test_fuzz_audio.py` feeds a bounded set of mutations without it.
"""

from __future__ import annotations

import sys

import numpy as np

from neural_hive.errors import AudioRejectedError
from neural_hive.understanding.audio import SAMPLE_RATE_HZ, AudioLimits, decode

LIMITS = AudioLimits(max_s=20.0, max_bytes=1 << 20)


def check(data: bytes) -> None:
    """Decode `data` and check every promise that `decode` makes about what it returns."""
    try:
        sound = decode(data, LIMITS)
    except AudioRejectedError:
        return
    assert sound.dtype == np.float32
    assert sound.ndim == 1
    assert LIMITS.min_s * SAMPLE_RATE_HZ <= len(sound) <= LIMITS.max_s * SAMPLE_RATE_HZ
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1.0


def main() -> None:
    """Hand `check` to atheris."""
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
