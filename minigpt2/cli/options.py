"""The options that several commands share: which model, where it computes, what its vectors are."""

import argparse
import os
from typing import TYPE_CHECKING

from ..backend import DEVICES, DTYPES
from ..errors import UsageError

if TYPE_CHECKING:
    from ..encoder import Encoder

DEVICE_VARIABLE = "MINIGPT2_DEVICE"


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """`--model`"""
    parser.add_argument(
        "--model",
        metavar="DIR",
        help="a model directory, or the name of a bundled model (default: nano, which is bundled)",
    )


def add_encoder_options(parser: argparse.ArgumentParser) -> None:
    """Everything that `open_encoder` reads, and what shapes a vector"""
    add_model_option(parser)
    add_backend_options(parser)
    parser.add_argument(
        "--prompt-name", metavar="NAME", help="put this prompt of the model before every text, e.g. query"
    )
    parser.add_argument(
        "--truncate-dim", type=positive_int, metavar="N", help="keep the first N dimensions of a vector"
    )


def add_backend_options(parser: argparse.ArgumentParser) -> None:
    """`--device` and `--dtype`"""
    parser.add_argument(
        "--device",
        choices=DEVICES,
        help=f"where to compute (default: ${DEVICE_VARIABLE}, or else cpu, because starting a GPU takes "
        "seconds, longer than a CPU needs for many sentences; auto: the GPU if one is usable)",
    )
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="precision (default: float32)")


def open_encoder(args: argparse.Namespace) -> "Encoder":
    """The encoder that the options ask for."""
    from ..encoder import load

    device = args.device
    if device is None:
        device = os.environ.get(DEVICE_VARIABLE) or "cpu"
        if device not in DEVICES:
            raise UsageError(
                f"{DEVICE_VARIABLE} is {device!r}: set it to one of {', '.join(DEVICES)}, or unset it"
            )
    return load(args.model, device=device, dtype=args.dtype)


def positive_int(text: str) -> int:
    """An argparse type: a whole number of at least 1"""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value
