"""Line editing by prompt_toolkit: a menu of completions, suggestions from the history, several lines at once.

Enter ends the text, unless it goes on as `multiline.py` says; Alt-Enter makes a new line; several lines that
are pasted at once are one text; Ctrl-R searches the history; the right arrow takes the suggestion.
"""

from collections.abc import Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer
from prompt_toolkit.completion import Completion as Offer
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from ..visible import visible
from .completion import complete
from .history import editable
from .input import LineEditor, Prompts
from .multiline import Multiline
from .session import Session


class ToolkitEditor(LineEditor):
    """A prompt of prompt_toolkit."""

    ends_lines = True

    def __init__(self, session: Session, prompts: Prompts) -> None:
        super().__init__(session, prompts)
        self._prompt = PromptSession(
            history=InMemoryHistory(editable(session.history.entries)),
            completer=_Completer(session),
            complete_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
            multiline=True,
            prompt_continuation=prompts.next,
            key_bindings=_keys(),
        )

    def read_line(self, prompt: str) -> str:
        return self._prompt.prompt(prompt)


class _Completer(Completer):
    """`complete` for prompt_toolkit."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Offer]:
        before = document.text_before_cursor
        for completion in complete(self._session, before):
            yield Offer(
                completion.text,
                start_position=completion.start - len(before),
                display=visible(completion.text.strip()),
                display_meta=visible(completion.label),
            )


def _keys() -> KeyBindings:
    bindings = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)  # and not in a search, where Enter takes what was found

    @bindings.add("enter", filter=typing)
    def _(event: KeyPressEvent) -> None:
        """End the text where it is complete, else go on in the next line."""
        buffer = event.current_buffer
        menu = buffer.complete_state
        if menu and menu.current_completion and len(menu.completions) > 1:
            buffer.complete_state = None  # Enter takes the completion that is chosen in the menu
        elif Multiline().feed(buffer.text) is None:
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @bindings.add("escape", "enter", filter=typing)
    def _(event: KeyPressEvent) -> None:
        """Alt-Enter."""
        event.current_buffer.insert_text("\n")

    @bindings.add(Keys.Vt100MouseEvent)
    def _(event: KeyPressEvent) -> None:
        """Nothing: the mouse is never asked for, so this is a colour that was pasted, as `ESC[31m`."""

    return bindings
