"""What was downloaded before, so that it is not asked for again."""

import json
from pathlib import Path

from treasury_actors.errors import DataError
from treasury_actors.market.adapters.catalog import write_atomically

Span = tuple[int, int]
"""[first, last) in nanoseconds since 1970."""


class FetchLog:
    """Which spans of which series were asked of which host; kept in `<catalog>/fetch_log.json`."""

    def __init__(self, catalog: Path) -> None:
        self._path = catalog / "fetch_log.json"
        self._spans: dict[tuple[str, str], list[Span]] = {}
        if self._path.is_file():
            self._read()

    def missing(self, series: str, base_url: str, wanted: Span) -> list[Span]:
        """Return the parts of `wanted` that were not asked for yet, oldest first."""
        parts, (begin, end) = [], wanted
        for first, last in self._spans.get((series, base_url), []):
            if last <= begin or first >= end:
                continue
            if first > begin:
                parts.append((begin, first))
            begin = max(begin, last)
        return [*parts, (begin, end)] if begin < end else parts

    def add(self, series: str, base_url: str, asked: Span) -> None:
        """Note, durably, that `asked` is in the catalog."""
        spans = sorted([*self._spans.get((series, base_url), []), asked])
        joined = spans[:1]
        for first, last in spans[1:]:
            before_first, before_last = joined[-1]
            if first <= before_last:
                joined[-1] = (before_first, max(before_last, last))
            else:
                joined.append((first, last))
        self._spans[series, base_url] = joined
        entries = [
            {"series": name, "base_url": url, "start_ns": first, "end_ns": last}
            for (name, url), known in sorted(self._spans.items())
            for first, last in known
        ]
        write_atomically(self._path, json.dumps({"fetched": entries}, indent=1).encode())

    def _read(self) -> None:
        """Read the file; raise DataError if it isn't what `add` writes."""
        try:
            for entry in json.loads(self._path.read_bytes())["fetched"]:
                first, last = int(entry["start_ns"]), int(entry["end_ns"])
                self._spans.setdefault((str(entry["series"]), str(entry["base_url"])), []).append(
                    (first, last)
                )
        except (ValueError, KeyError, TypeError):
            raise DataError(
                f"{self._path}: not a fetch log; allowed: delete it, and all is asked anew"
            ) from None
