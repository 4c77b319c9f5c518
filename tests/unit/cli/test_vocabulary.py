"""A journal can be checked only if every event type is known to whoever reads it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

COUNT = """
import importlib, pkgutil
import treasury_actors.daemon.vocabulary as vocabulary
from treasury_actors.journal.codec import registered_tags
known = set(registered_tags())
import treasury_actors
for module in pkgutil.walk_packages(treasury_actors.__path__, "treasury_actors."):
    importlib.import_module(module.name)
print(len(vocabulary.VOCABULARY), len(known), *sorted(set(registered_tags()) - known))
"""


def test_the_vocabulary_alone_registers_every_event_of_the_package() -> None:
    """In a process of its own: other tests register event types of their own."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    named, known, *missing = done.stdout.split()

    assert missing == []
    assert named == known
