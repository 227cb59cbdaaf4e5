"""minigpt2 against its rivals on the CPU: see __main__.py."""
