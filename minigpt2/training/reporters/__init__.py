"""Those who listen to a training run: plain lines, JSON lines, and a dashboard for a terminal."""

from .dashboard import Dashboard
from .jsonl import JsonLines
from .plain import PlainLines

__all__ = ["Dashboard", "JsonLines", "PlainLines"]
