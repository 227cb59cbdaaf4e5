"""Runs with and without an interruption, from generators that differ."""

from types import ModuleType

import numpy as np

from minigpt2.learn.checking import WrongAnswer, require

BEFORE, AFTER = 5, 6


def check(exercise: ModuleType) -> None:
    whole = exercise.Run(seed=1)
    whole.train(BEFORE)
    at_the_kill = {name: np.copy(getattr(whole, name)) for name in ("theta", "m", "v")}
    require((at_the_kill["m"] != 0).any(), "train does not change m any more", "leave the training as it is")
    checkpoint = whole.save()
    require(
        isinstance(checkpoint, dict), f"save gives a {type(checkpoint).__name__}, expected is a dictionary"
    )
    whole.train(AFTER)
    require(
        not any(
            np.shares_memory(v, getattr(whole, n))
            for v in checkpoint.values()
            if isinstance(v, np.ndarray)
            for n in at_the_kill
        ),
        "the checkpoint has changed while the run went on",
        "it holds the run's own arrays, which are changed in place: store copies",
    )
    resumed = exercise.Run(seed=2)
    resumed.load(checkpoint)
    for name, right in at_the_kill.items():
        if not np.array_equal(getattr(resumed, name), right):
            raise WrongAnswer(
                f"after load, {name} is {np.round(getattr(resumed, name), 4).tolist()}, it was "
                f"{np.round(right, 4).tolist()}",
                reason=LOST[name],
            )
    require(
        resumed.step == BEFORE,
        f"after load, step is {resumed.step}, it was {BEFORE}",
        "the rate and both corrections depend on the step",
    )
    resumed.train(AFTER)
    difference = float(np.abs(resumed.theta - whole.theta).max())
    require(
        difference == 0.0,
        f"the resumed run ends elsewhere: theta differs by {difference:.3g}",
        "it draws other random numbers: the state of the generator, rng.bit_generator.state, belongs "
        "into the checkpoint",
    )
    again = exercise.Run(seed=3)
    again.load(checkpoint)
    again.train(AFTER)
    require(
        np.array_equal(again.theta, whole.theta),
        "a second run from the same checkpoint ends elsewhere",
        "the first run has changed the checkpoint's own arrays: load copies of them",
    )


LOST = {
    "theta": "the parameters are the first thing to keep",
    "m": "Adam's momentum starts from zero again: both moments belong into the checkpoint",
    "v": "Adam's second moment starts from zero again: its steps will be far too large",
}
