"""Charts as accessible SVG, drawn here. Pure: records in, markup out. Colours are classes of the style sheet."""

from neural_hive.console.charts.blast import blast_radius
from neural_hive.console.charts.comb import comb
from neural_hive.console.charts.dial import meter, risk_dial
from neural_hive.console.charts.scatter import risk_and_confidence
from neural_hive.console.charts.trends import outcomes_over_time, risk_over_time

__all__ = [
    "blast_radius",
    "comb",
    "meter",
    "outcomes_over_time",
    "risk_and_confidence",
    "risk_dial",
    "risk_over_time",
]
