"""What becomes of the input files of each case, in the ledger."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one input file, uploaded ``after`` others. ``outcomes``, ``reasons`` and ``texts`` go by its sessions;
    ``probes``, ``remarks`` and ``clusterings`` (status and reason) are those of the last. ``groups`` are the outcomes of
    its multi-session clusterings. ``rejected`` is the code of an
    error, ``findings`` are codes of what is said besides, and ``hint`` stands in one of them."""

    file: str = "input.yml"
    outcomes: list[str] = field(default_factory=lambda: ["inserted"])
    reasons: list[str | None] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    probes: dict[str, str] | None = None
    remarks: list[str] = field(default_factory=list)
    clusterings: list[tuple[str, str | None]] | None = None
    groups: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    rejected: str | None = None
    findings: list[str] = field(default_factory=list)
    hint: str = ""


def _waits(reason: str, text: str, **more: object) -> Outcome:
    return Outcome(outcomes=["waiting"], reasons=[reason], texts=[text], **more)  # type: ignore[arg-type]


def _fails(reason: str, text: str, **more: object) -> Outcome:
    return Outcome(outcomes=["error"], reasons=[reason], texts=[text], **more)  # type: ignore[arg-type]


_IN = Outcome()
_TWO = {"ProbeA": "npx_18194809281", "ProbeB": "npx_18194803162"}
_FOREIGN = "probe-of-another-subject"

OUTCOMES: dict[str, list[Outcome]] = {
    "wrong-animal": [
        _waits(_FOREIGN, "inserted in subject rat_01", file="wrong.yml"),
        Outcome("right.yml", probes={"Noise4Sam_g0_imec0": "npx_1_18194809281"}, after=["wrong.yml"]),
    ],
    "then-other-animal": [
        _waits(_FOREIGN, "The same recording is session s", file="copy.yml", after=["right.yml"]),
        Outcome(
            "wrong.yml", outcomes=["duplicate"], findings=["known-of-another-subject"], after=["right.yml"]
        ),
    ],
    "swapped-association": [_waits("serial-contradicts", "18194803162", file="in.yml")],
    "serial-of-another-probe": [_waits("serial-contradicts", "18194809281")],
    "symlink-twice": [
        Outcome("in.yml", rejected="duplicate-location"),
        Outcome(
            "in2.yml",
            outcomes=["duplicate"],
            findings=["known-of-another-subject"],
            after=["first entry of in.yml"],
        ),
    ],
    "nested-locations": [
        Outcome(),
        Outcome("input2.yml", rejected="nested-location", after=["input.yml"]),
    ],
    "two-runs-one-day": [Outcome(outcomes=["inserted"] * 3)],
    "ibl-layout": [_IN],
    "raw-beside-catgt": [
        Outcome(rejected="derived-location", hint='rec/rat_01/5-19-2022-CI0"'),
    ],
    "rig-clock": [
        Outcome(f"{name}.yml", remarks=remarks)
        for name, remarks in (
            ("y1969", ["clock-in-doubt", "before-insertion"]),
            ("y2000", ["clock-in-doubt", "before-insertion"]),
            ("y2049", ["clock-in-doubt"]),
            ("before", ["before-insertion"]),
        )
    ],
    "timezone": [Outcome("in.yml", clusterings=[("inserted", None)])],
    "crashed-acquisition": [_waits("acquiring", "when a person says so", file="in.yml")],
    "two-animals-one-run": [
        Outcome(
            "rat_01.yml", probes={"5-19-2022-CI0_g0_imec0": "npx_18194803162"}, remarks=["probe-left-out"]
        ),
        Outcome(
            "rat_02.yml",
            probes={"5-19-2022-CI0_g0_imec1": "npx_18194803842"},
            remarks=["probe-left-out"],
            after=["rat_01.yml"],
        ),
    ],
    "split-seconds": [
        Outcome("in.yml", outcomes=["inserted"] * 2),
        Outcome(
            "m.yml",
            rejected="unknown-session",
            hint='Did you mean "2016-11-28 21:50:33.212000"?',
            after=["in.yml"],
        ),
        Outcome("m2.yml", outcomes=[], groups=["inserted"], after=["in.yml"]),
    ],
    "OE-disabled-probe": [Outcome(probes={"ProbeA": "npx_19192717051"}, remarks=["probe-not-on-disk"])],
    "OE-one-probe-not-recorded": [
        Outcome(
            probes={"ProbeB": "npx_20403311724", "ProbeC": "npx_20403311714", "ProbeD": "npx_21144108671"},
            remarks=["probe-not-on-disk"],
        )
    ],
    "OEB-v0_5_3_two_neuropixels_stream": [_IN],
    "OEB-v0_5_x_two_nodes": [_fails("no-probe-recorded", "File Reader 100")],
    "OneBox-serial-0": [_waits("probe-association", '"ProbeA" may be any of "left_0", "right_1"')],
    "oe-ks": [Outcome(clusterings=[("inserted", None)])],
    "oe-no-settings": [
        Outcome(
            "in.yml",
            outcomes=["inserted", "waiting"],
            reasons=[None, "probe-association"],
            texts=["", "the neighbouring session has 20403311724"],
        )
    ],
    "phy-single": [Outcome(clusterings=[("inserted", None)])],
    "axona-tree": [Outcome(remarks=["nested-recordings"])],
    "meta-txt-one-of-two": [_waits("data-missing", "rename it to run_g0_t0.imec1.ap.meta")],
    "lf-only-one-of-two": [Outcome(remarks=["lf-only"])],
    "glx-days-renamed-as-triggers": [_waits("starts-apart", "2022-03-28")],
    "glx-multidrive": [
        Outcome(
            outcomes=["inserted", "error"],
            reasons=[None, "other-half"],
            texts=["", "the other half of its run"],
        )
    ],
    "ibl-uuid-names": [_IN],
    "onebox-adc-only": [_fails("no-probe-recorded", "no probe was recorded")],
    "oe-200-channels": [Outcome(probes=_TWO)],
    "oe-nidaq-node": [Outcome(probes=_TWO, remarks=["auxiliary-stream"])],
    "oe-crash-second-experiment": [_waits("data-missing", "experiment2")],
    "oe-location-too-deep": [_fails("part-of-session", "2025-08-13_10-00-00")],
    "oe-continuous-format": [_fails("open-ephys-format", "the Open Ephys format")],
    "phy-windows-params": [Outcome(clusterings=[("inserted", None)])],
    "si-phy-export-beside": [Outcome(clusterings=[("waiting", "two-clusterings")])],
    "oe-group-two-probes": [Outcome(outcomes=["inserted"] * 2, groups=["inserted"])],
    "nlx-no-time": [Outcome(remarks=["start-inferred"])],
}
