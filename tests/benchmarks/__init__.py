"""Measures speed by hand: one command a table, always as a ratio to a floor and to peers of the same run.

`python -m tests.benchmarks engine` measures the engine. The server runs in a process of its own, and so does every
reader; each round runs all readers one after the other, and a table gives the medians over the rounds. Ratios hold
from one machine to the next, absolute times do not; with other work on the machine they get wider, not different.
The peers (openai, litellm) live in an environment of their own, which the first run makes in the user's cache.
"""
