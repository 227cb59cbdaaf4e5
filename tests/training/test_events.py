"""Events as JSON."""

import json
import math
from pathlib import Path

import numpy as np

from minigpt2.evaluation.collapse import Collapse
from minigpt2.training.events import (
    CheckpointWritten,
    RunEnded,
    RunStarted,
    StepDone,
    Validated,
    Warned,
    record,
)
from minigpt2.training.settings import TrainingSettings

GAUGES = Collapse(0.5, None, -2.0, 3.5, 8)
EVENTS = [
    (RunStarted(TrainingSettings(), {"model": "tiny"}, 10, 0), "started"),
    (StepDone(1, 10, 0.5, np.float32(2.0), 1e-3, 3.0, 40, 100.0, 0.4, None), "step"),
    (Validated(5, {"auc": 0.75}, "auc", True, GAUGES, np.ones(3), np.zeros(2)), "validated"),
    (Warned(5, "the vectors are collapsing"), "warning"),
    (CheckpointWritten(5, Path("run/checkpoints/step-00000005"), False), "checkpoint"),
    (RunEnded(10, "finished", 5, 0.75, 12.5, Path("run/best")), "ended"),
]


def test_every_event_becomes_a_line_of_json():
    for event, name in EVENTS:
        fields = json.loads(json.dumps(record(event), allow_nan=False))
        assert next(iter(fields)) == "event"
        assert fields["event"] == name
        assert fields["step"] == event.step
        assert set(fields) == {"event", *event._fields} - {"positives", "negatives"}


def test_what_the_fields_become():
    started, _, validated, _, checkpoint, _ = (record(event) for event, _ in EVENTS)
    assert started["settings"] == TrainingSettings().to_dict()
    assert validated["collapse"] == GAUGES._asdict()
    assert checkpoint["path"] == "run/checkpoints/step-00000005"
    assert record(EVENTS[1][0]._replace(loss=math.nan, gradient_norm=math.inf))["loss"] is None
