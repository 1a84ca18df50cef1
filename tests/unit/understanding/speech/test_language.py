"""The language chosen is one of ours unless another is clearly spoken."""

import pytest

from neural_hive.understanding.speech.language import choose


@pytest.mark.parametrize(
    ("found", "duration_s", "hint", "language", "is_supported"),
    [
        ({"pt": 0.6, "es": 0.3, "gl": 0.1}, 3, None, "pt", True),
        ({"it": 0.9, "es": 0.08, "pt": 0.02}, 3, None, "es", True),
        ({"it": 0.97, "es": 0.03}, 3, None, "es", True),
        ({"it": 0.993, "es": 0.002}, 2, None, "it", False),
        ({"it": 0.99, "es": 0.01}, 8, None, "it", False),
        ({"de": 0.9, "en": 0.1}, 2, None, "de", False),
        ({"de": 0.45, "en": 0.44, "pt": 0.01}, 2, None, "en", True),
        ({"en": 0.99, "pt": 0.01}, 3, "pt", "pt", True),
        ({"pt": 0.0, "en": 0.0, "es": 0.0, "fr": 0.2}, 3, None, "pt", True),
    ],
)
def test_the_choice(found, duration_s, hint, language, is_supported):
    heard = choose(found, duration_s, hint)
    assert (heard.language, heard.is_supported) == (language, is_supported)
    assert 0 <= heard.probability <= 1
