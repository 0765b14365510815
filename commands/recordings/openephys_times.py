"""When recordings of Open Ephys began, and which settings are theirs: both lie beside the recordings, or elsewhere."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from commands.recordings.calendar_text import time_in_name
from commands.recordings.disk import OF_THE_SYSTEM, read_file, shown
from commands.recordings.openephys_settings import SETTINGS_LIMIT, Settings, parse_settings
from commands.recordings.place import Place
from commands.recordings.session import Remark, UnreadableSession

SYNC_LIMIT = 1 << 20

_RECORDING = re.compile(r"(?:(.*)/)?experiment(\d{1,6})/recording(\d{1,6})", re.DOTALL)
_SETTINGS = re.compile(r"settings(?:_(\d{1,6}))?\.xml", re.IGNORECASE)
_UTC = re.compile(r"1970 UTC\)\s*:\s*(\d{1,14})\b")
_SAMPLES = re.compile(
    r"^(.{1,300}?) ?(?:start time: (\d{1,15})@(\d{1,7})|@ (\d{1,7}) ?Hz: (\d{1,15}))", re.MULTILINE
)
_LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Start:
    """``source`` is the file, or the name, that the time is from."""

    time: datetime | None = None
    source: str | None = None
    from_utc: bool = False
    inferred: bool = False


class Times:
    """What settings.xml and sync_messages.txt say of the recordings of one session directory. Each is read once."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._files: dict[str, Settings | None] = {}
        self._starts: dict[str, Start] = {}
        self._found: dict[tuple[str, int], str] = {}
        for found in place.having((".xml",)):
            if match := _SETTINGS.fullmatch(found.name):
                self._found[found.folder, int(match[1] or 1)] = found.file
        self._syncs = {found.folder: found.file for found in place.having(("sync_messages.txt",))}
        self._folders = {found.folder for found in place.having(("structure.oebin", "sync_messages.txt"))}

    def settings(self, folder: str) -> Settings | None:
        """The settings of the recording in a folder; None where there are none that can be read."""
        file = self._settings_file(folder)
        if file is None:
            return None
        if file not in self._files:
            self._files[file] = self._parsed(file)
        return self._files[file]

    def _settings_file(self, folder: str) -> str | None:
        """In the record node, in the recording, above, or in another node; of the same experiment if there are any."""
        node, experiment, _ = _parts(folder)
        above = [node]
        while above[-1]:
            above.append(above[-1].rpartition("/")[0])
        inside = [folder, folder.rpartition("/")[0]]
        for number in dict.fromkeys((experiment, 1)):
            for place in (node, *inside, *above):
                if (place, number) in self._found:
                    return self._found[place, number]
            others = sorted(file for (_, other), file in self._found.items() if other == number)
            if others:
                return others[0]
        return None

    def _parsed(self, file: str) -> Settings | None:
        place = self._place
        try:
            data = read_file(place.root, file, limit=SETTINGS_LIMIT, listing=place.listing)
            return parse_settings(data, file=file)
        except UnreadableSession as problem:
            if problem.code in OF_THE_SYSTEM:
                raise
            return Settings(file, broken=problem.message)

    def remarks(self) -> list[Remark]:
        """A remark on each settings file that could not be read to its end."""
        return [
            Remark(
                "settings-unreadable",
                settings.file,
                (settings.file,),
                f"{_broken(settings)}: the serial numbers of probes may not be known.",
            )
            for settings in self._files.values()
            if settings is not None and settings.broken
        ]

    def inferred(self) -> Start | None:
        """When some experiment began: the best guess for recordings whose own start nothing tells."""
        dated = [(s.date, s.file) for s in self._files.values() if s is not None and s.date is not None]
        return Start(*min(dated), inferred=True) if dated else None

    def start(self, folder: str) -> Start:
        """When the recording in a folder began."""
        if folder not in self._starts:
            self._starts[folder] = self._start(folder)
        return self._starts[folder]

    def _start(self, folder: str) -> Start:
        node, experiment, recording = _parts(folder)
        settings = self.settings(folder)
        dated = settings.date if settings and self._is_of(settings.file, experiment) else None
        if dated is not None and settings is not None:
            if recording == 1:
                return Start(dated, settings.file)
            first = f"{folder.rpartition('/')[0]}/recording1"
            elapsed = self._elapsed(first, folder) if first in self._folders else None
            if elapsed is not None:
                return Start(dated + elapsed, self._syncs[folder])
        utc, _ = self._sync(folder)
        if utc is not None:
            return Start(self._place.local(utc), self._syncs[folder], from_utc=True)
        if experiment == recording == 1:
            for name in (*reversed(node.split("/")), self._place.name):
                if named := time_in_name(name):
                    return Start(named, f"folder {name}", inferred=True)
        return Start()

    def _is_of(self, file: str, experiment: int) -> bool:
        match = _SETTINGS.fullmatch(file.rpartition("/")[2])
        return match is not None and int(match[1] or 1) == experiment

    def _elapsed(self, first: str, folder: str) -> timedelta | None:
        """The time between the starts of two recordings of one experiment."""
        (utc_then, samples_then), (utc_now, samples_now) = self._sync(first), self._sync(folder)
        if utc_then is not None and utc_now is not None:
            elapsed = utc_now - utc_then
        else:
            same = next((key for key in samples_now if key in samples_then), None)
            if same is None or not same[1]:
                return None
            elapsed = timedelta(seconds=(samples_now[same] - samples_then[same]) / same[1])
        return elapsed if timedelta(0) <= elapsed <= _LONGEST else None

    def _sync(self, folder: str) -> tuple[datetime | None, dict[tuple[str, int], int]]:
        """The start in UTC, and by stream and rate the number of its first sample."""
        file = self._syncs.get(folder)
        if file is None:
            return None, {}
        try:
            data = read_file(self._place.root, file, limit=SYNC_LIMIT, listing=self._place.listing)
        except UnreadableSession as problem:
            if problem.code in OF_THE_SYSTEM:
                raise
            return None, {}
        text = data.decode("latin-1")
        match = _UTC.search(text)
        utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1])) if match else None
        samples = {
            (name, int(early_rate or rate)): int(early or first)
            for name, early, early_rate, rate, first in _SAMPLES.findall(text)
        }
        return utc, samples


def recording_node(file: str) -> str:
    """The record node (its path in the session directory) of a ``structure.oebin``."""
    return _parts(file.rpartition("/")[0])[0]


def _parts(folder: str) -> tuple[str, int, int]:
    """The record node of a recording, and the numbers of its experiment and of itself."""
    match = _RECORDING.fullmatch(folder)
    if match is None:
        return folder.rpartition("/")[0].rpartition("/")[0], 1, 1
    return match[1] or "", int(match[2]), int(match[3])


def _broken(settings: Settings) -> str:
    """What is wrong with a settings file, which may name the file itself."""
    file, why = shown(settings.file), shown(str(settings.broken)).rstrip(".")
    return why if why.startswith(file) else f"{file} cannot be read to its end ({why})"
