"""What a person sees: lines on stderr, progress where there is a terminal, results on stdout."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

EXIT_INTERRUPTED: Final = 130
"""The exit code of what a person broke off."""


def say(text: str) -> None:
    """Tell the person, without touching what a script reads."""
    print(text, file=sys.stderr, flush=True)


def emit(result: Mapping[str, object]) -> None:
    """Print a result as one JSON object; NaN and infinity are refused."""
    print(json.dumps(result, allow_nan=False), flush=True)


def show(text: str) -> None:
    """Print a result for a person."""
    print(text, flush=True)


class StandbyLine:
    """Says once that this process waits, and what it then knows; what comes after is the log's to say."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said = False

    def __call__(self, seq: int) -> None:
        """Hear up to which event it is ready."""
        if not self._said:
            self._said = True
            say(f"standing by at event {seq} of {self._folder}: goes on when the process that plays it ends")


class ProgressLine:
    """One line that is overwritten on a terminal, or a plain line every tenth without one."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_terminal = sys.stderr.isatty()
        self._shown = -1

    def __call__(self, frame: int, frames: int, living: int) -> None:
        """Show how far a season is."""
        step = 100 * frame // frames if self._is_terminal else 10 * frame // frames
        if step == self._shown and frame != frames:
            return
        self._shown = step
        text = f"{self._what}: day {frame // 24} of {frames // 24}, {living} agents living"
        if self._is_terminal:
            print(f"\r{text:<78}", end="\n" if frame == frames else "", file=sys.stderr, flush=True)
        else:
            say(text)
