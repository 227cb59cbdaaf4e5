"""`minigpt2 repl`: look inside a transformer while it works.

| module           | what it answers                                                              |
|------------------|------------------------------------------------------------------------------|
| `line.py`        | what a typed line means: a sentence, or a command with its arguments         |
| `session.py`     | what a conversation holds: the model, the sentences kept, what was said      |
| `reply.py`       | what a command gives back: pictures for people, an object for programs       |
| `commands/`      | one module for each command                                                  |
| `exchange.py`    | one line in, its reply out, with the time that it took                       |
| `loop.py`        | a person at a terminal                                                       |
| `script.py`      | commands from a pipe or from `--command`                                     |
| `asking.py`      | what several commands ask about: texts, layers, heads, how many              |
| `wording.py`     | numbers and tokens in the sentences that explain a picture                   |
| `keys.py`        | single keys from a terminal, for `/trace`                                    |
"""
