"""One JSON object an event, for programs: on stdout, or in a file.

    {"event": "started", "settings": {…}, "summary": {"model": "…", …}, "steps": 1200, "step": 0}
    {"event": "step", "step": 10, "steps": 1200, "epoch": 0.04, "loss": 0.2310, "lr": 0.0002,
     "gradient_norm": 0.9, "tokens": 15210, "tokens_per_second": 52310.0, "seconds": 0.3,
     "seconds_left": 33.1}
    {"event": "validated", "step": 60, "metrics": {"auc": 0.87, …}, "metric": "auc", "best": true,
     "collapse": {"mean_cosine": …, "alignment": …, "uniformity": …, "effective_rank": …, "dimensions": …}}
    {"event": "warning", "step": 60, "message": "…"}
    {"event": "checkpoint", "step": 60, "path": "out/checkpoints/step-00000060", "best": true}
    {"event": "ended", "step": 1200, "reason": "finished", "best_step": 960, "best_metric": 0.93,
     "seconds": 118.2, "path": "out/best"}

The fields are those of the classes in `events.py`, where each is explained; the cosines of a validation are
left out. A number that is not finite is null, because JSON has none such.
"""

import json
from typing import TextIO

from ..events import Event, record


class JsonLines:
    """Writes each event at once, so that a reader at the other end of a pipe sees it at once."""

    def __init__(self, stream: TextIO) -> None:
        """`stream`: an open text stream in UTF-8. It stays open: whoever opened it closes it."""
        self._stream = stream

    def report(self, event: Event) -> None:
        """Write one line. Raises OSError where the stream cannot take it."""
        self._stream.write(json.dumps(record(event), ensure_ascii=False, allow_nan=False) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Every line is out already."""
