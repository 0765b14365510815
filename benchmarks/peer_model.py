"""The input format as a plain pydantic model: what validating a JSON file costs with nothing but the library."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Subject(_Strict):
    name: str | int
    datasource_id: int = 0


class Placed(_Strict):
    object_name: str
    coord_x: float
    coord_y: float
    note: str | None = None


class Card(_Strict):
    card_name: str
    coord_x: float
    coord_y: float
    note: str | None = None


class Curtain(_Strict):
    start_point: str
    direction: str
    coverage: float


class Task(_Strict):
    task_type: str
    arena_apparatus: str | None = None
    task_start: float | Literal[True] = True
    task_stop: float | Literal[True] = True
    notes: str | Literal[True] | None = None
    light_level: str | None = None
    objects: list[Placed] = []
    cue_cards: list[Card] = []
    curtains: list[Curtain] = []


class Clustering(_Strict):
    curator: str
    location: str
    curation_time: datetime | Literal[True] = True
    notes: str | None = None


class Session(_Strict):
    location: str
    experimenter: str | list[str]
    tasks: list[Task]
    clustering: bool | list[Clustering] = True
    probe_association: dict[str, str] | None = None
    room: str | float | None = None
    project: str | list[str] | None = None
    notes: str | None = None
    name: str | None = None


class GroupClustering(_Strict):
    curator: str
    location: str
    group_name: str
    sessions: list[str | datetime]
    curation_time: datetime | Literal[True] = True
    notes: str | None = None


class InputFile(_Strict):
    subject: Subject
    sessions: list[Session] = []
    clustering: list[GroupClustering] = []
