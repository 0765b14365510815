"""Parse the ``settings.xml`` of Open Ephys, from 0.4 to 1.0: when it was written, and which probes were connected.

A processor has streams (named from 0.6 on) and probes: ``NP_PROBE`` or ``PROBE`` elements of Neuropix-PXI and OneBox,
``NEUROPIXELSV1E``, ``V1F`` and ``V2E`` of ONIX Source. Which probe a stream comes from is told by the names that the
plugins make (https://github.com/open-ephys-plugins/neuropixels-pxi, generateProbeName; onix-source, createStreamName):
the probe's own name, its port's, its serial number; the automatic ones (ProbeA, ProbeB) follow the order of the
enabled probes, as the settings themselves list both. What was recorded the settings do not say.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from xml.parsers import expat

from commands.recordings.calendar_text import local_time
from commands.recordings.plausible import checked

SETTINGS_LIMIT = 16 << 20
"""Bytes. The largest published settings have 450 kB."""

_DEEPEST = 64
_DATE = re.compile(r"(\d{1,2})\s+([A-Za-z]{3,9})\s+(\d{4})\s+([\d:]{5,8})")
_SERIAL = re.compile(r"[0-9A-Za-z_-]{1,40}")
_BAND = re.compile(r"-(?:AP|LFP)$")
_FOUR_SHANKS = re.compile(
    r"NP20(?:10|13|14|2\d)|NP302\d|PRB2_4_.*|.*multi-?\s?shank.*|.*quad base.*", re.IGNORECASE
)


@dataclass(slots=True)
class Probe:
    """A probe that was connected. ``serial`` is None where it is not known (stored as 0)."""

    serial: str | None
    part_number: str | None
    enabled: bool
    model: str = ""
    own_name: str = ""
    port_name: str = ""
    shank: str = ""
    with_lfp: bool = False

    @property
    def shanks(self) -> int | None:
        """The shanks that a probe of this part has; None: the settings name neither part nor model."""
        known = [text for text in (self.part_number, self.model) if text]
        if not known:
            return None
        return 4 if any(_FOUR_SHANKS.fullmatch(text) for text in known) else 1


@dataclass(slots=True)
class Processor:
    name: str
    number: str
    streams: list[str] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)

    def probe_of(self, stream: str) -> Probe | None:
        """The probe that a stream (without its band) comes from; None where the names do not tell."""
        enabled = [probe for probe in self.probes if probe.enabled]
        for told_by in (_is_named, _is_on_port, _holds_serial):
            named = [probe for probe in enabled if told_by(probe, stream)]
            if len(named) == 1 or (named and len({probe.serial for probe in named}) == 1):
                return named[0]
        if stream.isdecimal():
            return _by_index(enabled, int(stream))
        streams = self.probe_streams()
        if stream in streams and len(streams) == len(enabled):
            return enabled[streams.index(stream)]
        return None

    def probe_streams(self) -> list[str]:
        """The streams of probes, without their bands, in the order of the probes."""
        onix = self.name.lower().startswith("onix")
        named = (_BAND.sub("", s) for s in self.streams if "ADC" not in s and (not onix or "Probe" in s))
        return list(dict.fromkeys(named))


@dataclass(slots=True)
class Settings:
    """``date`` is when the file was written, in local time. What follows a fault (``broken``) is not read."""

    file: str
    date: datetime | None = None
    processors: list[Processor] = field(default_factory=list)
    broken: str = ""

    def processor(self, name: str, number: str) -> Processor | None:
        """The processor of that number, else the only one of that kind that has probes."""
        for processor in self.processors:
            if processor.number == number and (processor.probes or _kind(processor.name) == _kind(name)):
                return processor
        alike = [p for p in self.processors if p.probes and (not p.name or _kind(p.name) == _kind(name))]
        return alike[0] if len(alike) == 1 else None


def parse_settings(data: bytes, *, file: str) -> Settings:
    """What a ``settings.xml`` says, as far as it can be read. Raises UnreadableSession for what cannot be stored."""
    reader = _Reader(file)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        reader.settings.broken = f"line {error.lineno}: {expat.ErrorString(error.code)}"
    except (LookupError, ValueError) as error:  # no encoding of that name, or none that expat reads
        reader.settings.broken = f"its encoding: {error}"
    except _RefusedError as error:
        reader.settings.broken = str(error)
    else:
        reader.close_processor()
    checked(reader.settings, file=file)
    return reader.settings


class _RefusedError(Exception):
    """The file declares entities, or is nested without end: Open Ephys writes no such file."""


class _Reader:
    """Collects what is wanted while the file is read, element by element; nothing else is kept."""

    def __init__(self, file: str) -> None:
        self.settings = Settings(file)
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._open: list[str] = []
        self._processor: Processor | None = None
        self._ports: dict[str, dict[str, str]] = {}
        self._slots: list[tuple[Probe, str, str]] = []
        self._device: dict[str, str] = {}
        self._date = ""

    def _refuse(self, *_: object) -> None:
        raise _RefusedError("it has a document type, which Open Ephys does not write")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        above = self._open[-1] if self._open else ""
        self._open.append(tag)
        if len(self._open) > _DEEPEST:
            raise _RefusedError(f"it is nested more than {_DEEPEST} deep")
        if tag == "PROCESSOR":
            self.close_processor()
            name = attributes.get("name", "").rpartition("/")[2]
            number = attributes.get("nodeId") or attributes.get("NodeId") or ""
            self._processor = Processor(name, number)
        elif tag == "STREAM" and above == "PROCESSOR" and self._processor is not None:
            self._processor.streams.append(attributes.get("name", ""))
        elif tag == "BASESTATION":
            self._ports[attributes.get("Slot", "")] = attributes
        elif tag.startswith("NEUROPIXELSV"):
            self._device = attributes
            if "probeSerialNumber" in attributes:
                self._add(attributes, onix=attributes.get("name", "Probe"))
        elif "probe_serial_number" in attributes:
            self._add(attributes)
        elif "probeSerialNumber" in attributes:
            self._add(attributes, onix="Probe" + tag.removeprefix("PROBE"))

    def _end(self, tag: str) -> None:
        self._open.pop()
        if tag == "DATE" and (match := _DATE.fullmatch(self._date.strip())):
            self.settings.date = local_time(match[3], match[2], match[1], match[4])
        if tag == "SIGNALCHAIN":
            self.close_processor()

    def _text(self, text: str) -> None:
        if self._open and self._open[-1] == "DATE" and len(self._date) < 200:
            self._date += text

    def _add(self, attributes: dict[str, str], *, onix: str | None = None) -> None:
        serial = attributes.get("probe_serial_number") or attributes.get("probeSerialNumber") or ""
        part = attributes.get("probe_part_number") or attributes.get("probePartNumber")
        enabled = attributes.get("isEnabled") or self._device.get("isEnabled") or "1"
        known = _SERIAL.fullmatch(serial) is not None and serial.strip("0-") != ""
        probe = Probe(
            serial=serial if known else None,
            part_number=part or None,
            enabled=enabled != "0",
            model=attributes.get("probe_name", ""),
            own_name=attributes.get("custom_probe_name", ""),
            shank=attributes.get("shank", ""),
            with_lfp="lfpGainValue" in attributes,
        )
        if onix is not None:
            index = int(self._device.get("idx", "0")) if self._device.get("idx", "0").isdecimal() else 0
            probe.own_name = f"Port{'A' if index & 256 else 'B'} {onix}"
        if self._processor is None:
            self._processor = Processor("", "")
        self._processor.probes.append(probe)
        at = f"port{attributes.get('port', '')}dock{attributes.get('dock', '')}"
        self._slots.append((probe, attributes.get("slot", ""), at))

    def close_processor(self) -> None:
        """Take the processor that was read; only then is what its base stations call their ports known."""
        if self._processor is not None:
            self.settings.processors.append(self._processor)
        for probe, slot, at in self._slots:
            probe.port_name = self._ports.get(slot, {}).get(at, "")
        self._processor, self._ports, self._slots, self._device = None, {}, [], {}


def _kind(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())[:8]


def _is_named(probe: Probe, stream: str) -> bool:
    if not probe.own_name:
        return False
    port, _, device = probe.own_name.partition(" ")
    if device and port in ("PortA", "PortB"):
        return stream.startswith(f"{port}-") and stream.endswith(f"-{device.replace(' ', '')}")
    numbered = f"{probe.own_name}-{int(probe.shank) + 1}" if probe.shank.isdecimal() else probe.own_name
    return stream in (probe.own_name, numbered)


def _is_on_port(probe: Probe, stream: str) -> bool:
    return bool(probe.port_name) and stream == probe.port_name


def _holds_serial(probe: Probe, stream: str) -> bool:
    if probe.serial is None:
        return False
    return re.search(rf"(?<![0-9]){re.escape(probe.serial)}(?![0-9])", stream) is not None


def _by_index(probes: list[Probe], index: int) -> Probe | None:
    """The probe of a stream that has a number for its name: probes with an LF band have two of them."""
    for probe in probes:
        index -= 2 if probe.with_lfp else 1
        if index < 0:
            return probe
    return None
