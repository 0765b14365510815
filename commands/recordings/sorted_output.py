"""Read what one output of Kilosort or phy says of itself: its units, and the data file that it was made from.

``params.py`` is read as literals, never run. ``spike_clusters.npy`` (numpy.lib.format) says which clusters are left:
phy keeps the rows of those that were merged in some of its tables.
"""

import ast
import re
import struct
import sys
import warnings
from array import array
from collections import Counter
from collections.abc import Collection

from commands.recordings.disk import Listing, read_file, shown
from commands.recordings.plausible import checked
from commands.recordings.session import UnreadableSession

PARAMS_LIMIT = 64 << 10
TABLE_LIMIT = 16 << 20
SPIKES_LIMIT = 128 << 20
"""Bytes; 33 million spikes. Of a longer one only ``cluster_info.tsv`` is believed."""

_INFO = "cluster_info.tsv"
_TABLES = (_INFO, "cluster_group.tsv", "cluster_groups.csv", "cluster_KSLabel.tsv")
SPIKES = "spike_clusters.npy"
FILES = (*_TABLES, SPIKES, "params.py")

_GROUPS = ("group", "KSLabel")
_ESCAPED = re.compile(r"[\x00-\x1f]")
_HEADER = re.compile(
    rb"\{\s*'descr':\s*'([<|][iu][1248])',\s*'fortran_order':\s*(?:True|False),\s*'shape':\s*\((\d{1,12}),?(?:\s*1,?)?\),?\s*\}\s*"
)
_KINDS = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}


def read_params(data: bytes) -> dict[str, object]:
    """The assignments of literals in a ``params.py``; whatever else it says is left out. Never runs it.

    A Windows path in plain quotes (``'E:\\Neuro\\run_g0'``) is no Python, or another text than was meant: its
    backslashes are taken as they are. Raises ValueError where it is no Python even then.
    """
    try:
        values = _literals(data)
    except ValueError:
        return _literals(data.replace(b"\\", b"\\\\"))
    if any(_garbled(value) for value in values.values()):
        return _literals(data.replace(b"\\", b"\\\\"))
    return values


def _literals(data: bytes) -> dict[str, object]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Windows paths are full of invalid escapes
            module = ast.parse(data)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not a Python file: {error}") from error
    values: dict[str, object] = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            try:
                values[node.targets[0].id] = ast.literal_eval(node.value)
            except (ValueError, TypeError, RecursionError, MemoryError):
                continue
    return values


def _garbled(value: object) -> bool:
    texts = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(text, str) and _ESCAPED.search(text) for text in texts)


def data_files(root: str, folder: str, listing: Listing) -> list[str]:
    """The recordings that an output was made from, as its ``params.py`` names them; none where it does not."""
    file = f"{folder}/params.py" if folder else "params.py"
    try:
        path = read_params(read_file(root, file, limit=PARAMS_LIMIT, listing=listing)).get("dat_path")
        paths = path if isinstance(path, list | tuple) else [path]
        return [checked(text, file=file) for text in paths if isinstance(text, str)]
    except (ValueError, UnreadableSession):
        return []  # it says nothing usable; the output is what counts


def count_units(table: bytes, clusters: Collection[int] | None = None) -> dict[str, int] | None:
    """Clusters per group in a table of them; None: it has no column that says it (``group``, else ``KSLabel``).

    With ``clusters`` those are counted and no others; the ones without a row are "unsorted".
    """
    lines = table.decode("utf-8-sig", "replace").splitlines()
    header = [column.strip() for column in lines[0].split("\t")] if lines else []
    known = next((name for name in _GROUPS if name in header), None)
    if known is None or len(header) < 2:
        return None
    column = header.index(known)
    counts: Counter[str] = Counter()
    left = None if clusters is None else set(clusters)
    for line in lines[1:]:
        if not line.strip():
            continue
        cells = line.split("\t")
        if left is not None:
            number = cells[0].strip()
            if not (number.isascii() and number.isdecimal() and len(number) < 19 and int(number) in left):
                continue
            left.discard(int(number))
        group = cells[column].strip() if column < len(cells) else ""
        counts[shown(group[:40]) or "unsorted"] += 1
    if left:
        counts["unsorted"] += len(left)
    return dict(sorted(counts.items()))


def units_of(root: str, folder: str, names: Collection[str], listing: Listing) -> dict[str, int] | None:
    """Units per group of an output of Kilosort or phy, of which ``names`` are the files; None: nothing says it.

    Raises UnreadableSession.
    """
    clusters: set[int] | None = None
    counted = False
    for table in _TABLES:
        if table not in names:
            continue
        data = read_file(root, _joined(folder, table), limit=TABLE_LIMIT, listing=listing)
        if table != _INFO and not counted:
            counted = True
            if SPIKES in names:
                try:
                    clusters = clusters_left(root, _joined(folder, SPIKES), listing)
                except UnreadableSession as problem:
                    if problem.code == "file-too-large":
                        return None
                    raise
        units = count_units(data, clusters)
        if units is not None:
            return units
    return None


def clusters_left(root: str, file: str, listing: Listing) -> set[int] | None:
    """The clusters that have a spike, of a ``spike_clusters.npy``; None: it has none, or is of another form."""
    try:
        data = read_file(root, file, limit=SPIKES_LIMIT, listing=listing)
    except UnreadableSession as problem:
        if problem.code == "empty-file":
            return None
        raise
    if not data.startswith(b"\x93NUMPY") or len(data) < 12:
        return None
    short = data[6] == 1
    length = struct.unpack_from("<H" if short else "<I", data, 8)[0]
    begin = (10 if short else 12) + length
    header = _HEADER.fullmatch(data[begin - length : begin]) if length <= 10_000 else None
    if header is None:
        return None
    kind = header[1][1:].decode("ascii")
    size = int(kind[1])
    spikes = min(int(header[2]), (len(data) - begin) // size)
    if spikes == 0:
        return None
    values = array(_KINDS[kind])
    values.frombytes(memoryview(data)[begin : begin + spikes * size])
    if sys.byteorder == "big":
        values.byteswap()
    return set(values)


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
