"""What a command gives back: pictures for people, and the same as an object for programs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..views import View


class Reply(NamedTuple):
    """The answer to one line."""

    views: "tuple[View, ...]" = ()  # drawn one below the other
    data: Mapping[str, Any] = MappingProxyType({})  # what --json prints; plain Python values, arrays as lists
    quits: bool = False  # the conversation ends here
