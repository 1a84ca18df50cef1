"""Finds and masks personal data, whatever the language of the text; nothing here keeps a raw value."""

from neural_hive.understanding.privacy.masking import KINDS, Masked, Masker, MaskingSession, mentions

__all__ = ["KINDS", "Masked", "Masker", "MaskingSession", "mentions"]
