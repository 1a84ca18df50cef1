"""Bring your own intents: labelled texts → a model that labels, says how sure it is, and says when it is none of them."""

from neural_hive.learning.intents.artefact import load_model, save_model
from neural_hive.learning.intents.evaluate import evaluate
from neural_hive.learning.intents.model import Answer, IntentModel, classify
from neural_hive.learning.intents.options import Progress, TrainingOptions
from neural_hive.learning.intents.report import report
from neural_hive.learning.intents.rows import LabelledText, read_rows
from neural_hive.learning.intents.train import train_intents

__all__ = [
    "Answer",
    "IntentModel",
    "LabelledText",
    "Progress",
    "TrainingOptions",
    "classify",
    "evaluate",
    "load_model",
    "read_rows",
    "report",
    "save_model",
    "train_intents",
]
