"""Where each piece of advice is met: what was done before, what is asked, and what is advised then."""

from tests.advice.playing import Situation, situation

_ANOTHER = {"approve-request": "user_2", "reject-request": "user_2", "restore": "user_2"}
"""What needs an admin, and another one than who asks."""
UP = "user_3: upload subject_1.yml"
ASKED = (UP, "user_3: delete request {first} --reason x")
GONE = (*ASKED, "user_2: request approve {request}")
CHANGED = 'edit: subject_1.yml: "2.345" -> "2.999"'
_TASKS = "recordings/12345/2023-05-01_10-00-00/sessions.txt"
BROKEN, MENDED = f"edit: {_TASKS}: #3 -> #4", f"edit: {_TASKS}: #4 -> #3"
WORDED = {"amend": ("edit: subject_1.yml: tasks: -> project: my_project\n    tasks:",)}
"""What the sentence says to write into the file first."""
BY_ITSELF = {"work": "nothing on the disk has changed meanwhile"}
OTHER_WAY = "what was asked for cannot be done at all, and this is what is meant"

SITUATIONS: list[Situation] = [
    # --- what is looked for and is not there ---
    situation("user_3: why s999", "list-sessions"),
    situation("user_3: request show d999", "list-requests"),
    situation("user_3: why c999", "list-clusterings"),
    situation("user_3: cat u999", "list-uploads"),
    situation("user_3: replay u999", "list-uploads"),
    situation("user_3: history user:user_99", "list-roles"),
    situation("user_3: history subject:99", "list-subjects"),
    situation("user_3: history probe:99", "list-values"),
    situation("user_3: work r", "list-sessions"),
    situation("user_1: redact 999 --reason x", "log"),
    situation("user_3: what-if --without s999", "log"),
    situation("user_3: diff 2001-01-01", "log"),
    situation("user_3: diff 15 5", "diff"),
    situation("user_1: token revoke nonsense", "list-tokens"),
    situation("user_1: user enable user_99", "list-users"),
    situation("user_1: role revoke user_99 admin", "list-roles"),
    # --- an entry's own way ---
    situation("user_3: withdraw {first}", "request-deletion", before=(UP,)),
    situation("user_3: settle {first} --despite-dates --reason x", "why", before=(UP,)),
    situation("user_3: associate {first} probe_1=npx", "amend", before=(UP,), mended=WORDED, stays={"amend": "it is for each further one"}),
    situation("user_3: add-tasks {first} subject_1.yml", "amend", before=(UP,), mended=WORDED, stays={"amend": "it is for each further one"}),
    situation(
        "user_3: annotate {first} --room 2.345", "amend", "request-correction", before=(UP,),
        mended={**WORDED, "request-correction": ("user_1: catalogue add reference.ExperimentRoom 2.999", CHANGED)},
        stays={"amend": OTHER_WAY, "request-correction": OTHER_WAY},
    ),
    situation("user_3: amend {first} --from-disk", "show", before=(UP,)),
    situation("user_3: amend {first} subject_1.yml", "show", before=(UP,)),
    situation(
        "user_3: amend {first} subject_1.yml ", "request-correction",
        before=(UP, "user_1: catalogue add reference.ExperimentRoom 2.999", CHANGED),
        stays={"request-correction": "asked for a second time, it names the request"},
    ),
    situation("user_3: why {first}", "show-request", "restore", before=GONE, by=_ANOTHER),
    situation("user_4: why {first}", "why", "work", before=("user_4: upload subject_1.yml",), stays=BY_ITSELF),
    situation(
        "user_4: why {waiting}", "add-clustering", "propose-value", "work",
        before=("user_4: upload subject_1.yml",), stays=BY_ITSELF,
    ),
    situation("user_3: why {first} ", "upload", before=(BROKEN, "accepted: user_3: upload subject_1.yml"),
              mended={"upload": (MENDED,)}),
    situation("user_3: why {upload}", "upload", before=(CHANGED, "rejected: user_3: upload subject_1.yml"),
              mended={"upload": ('edit: subject_1.yml: "2.999" -> "2.345"',)}, stays={"upload": "of the rejected one, which stays what it is"}),
    situation("user_3: associate {first} probe_1=npx ", "why", "upload",
              before=(BROKEN, "accepted: user_3: upload subject_1.yml", "user_3: withdraw {first}"),
              mended={"upload": (MENDED,)}, stays={"upload": "of the withdrawn one, which stays what it is"}),
    # --- requests ---
    situation("user_3: delete request {first} --reason x", "show-request", before=ASKED),
    situation("user_3: request approve {request}", "request-role", before=ASKED),
    situation("user_1: restore {request}", "show-request", before=ASKED),
    situation(
        "user_3: why {request}", "show-request", "approve-request", "reject-request", "cancel-request",
        before=ASKED, by=_ANOTHER,
    ),
    situation("user_2: why {request}", "restore", before=GONE),
    situation("user_1: request approve {request}", "grant-role", "set-approval-policy", place="one_admin",
              before=("user_1: upload subject_1.yml", "user_1: delete request {first} --reason x")),
    # --- who may not ---
    situation("user_4: amend {first} --from-disk", "request-role", before=(UP,)),
    situation("user_4: delete request {first} --reason x", "request-role", before=(UP,)),
    situation("user_3: catalogue load catalogue.yml", "request-role"),
    situation("user_3: role request admin --reason x", "show-request",
              before=("user_3: role request admin --reason x",)),
    situation("user_1: role revoke user_1 admin", "grant-role", place="one_admin"),
    situation("user_1: user reset-second-factor user_1", "grant-role", place="one_admin"),
    situation("user_3: upload subject_1.yml", "enable-user", place="accounts",
              before=("user_1: user disable user_3",), by={"enable-user": "user_1"}),
    situation("user_1: user reset-password user_3", "enable-user", place="accounts",
              before=("user_1: user disable user_3",)),
    situation("user_1: user invite user_3", "reset-password", place="accounts", stays={"reset-password": OTHER_WAY}),
    situation("user_1: user invite rig_1", "create-token", place="accounts", stays={"create-token": OTHER_WAY}),
    situation("user_1: user invite user_2 --role auditor", "grant-role"),
    situation("user_1: user reset-password user_4", "invite-user",
              before=("user_1: role grant user_4 researcher",), stays={"invite-user": "user_4 has to join now"}),
    situation("user_1: token create x --for user_99", "add-service-account", fills={"user": "user_99"}),
    situation("user_1: user allow user_3 work", "add-service-account", before=("user_1: role grant user_3 researcher",),
              stays={"add-service-account": OTHER_WAY}),
    situation("rig_1: --on-behalf-of user_3 upload subject_1.yml", "grant-right", place="accounts",
              by={"grant-right": "user_1"}),
    situation("user_1: person set user_3 --email nonsense", "erase-person", stays={"erase-person": OTHER_WAY}),
    situation("user_1: person set user_3 --name ' '", "erase-person", stays={"erase-person": OTHER_WAY}),
    # --- values, subjects, probes ---
    situation("user_1: catalogue retire reference.Probe npx_99", "list-values"),
    situation("user_1: catalogue take-back reference.Probe npx_1_18408400000 --reason x",
              "rename-value", "take-back-insertion", before=(UP,)),
    situation("user_3: validate subject_1.yml", "propose-value", before=("edit: subject_1.yml: 150_square -> 200_circle",)),
    situation("user_3: validate subject_1.yml  ", "restore-value",
              before=("user_1: catalogue retire reference.ExperimentRoom 2.345",)),
    situation("user_3: validate subject_1.yml ", "register-subject", before=('edit: subject_1.yml: "12345" -> "12399"',)),
    situation("user_3: validate subject_1.yml   ", "load-catalogue", "register-subject", place="nothing_known",
              fills={"file": "catalogue.yml"}, by={"load-catalogue": "user_1"}),
    situation("user_3: validate subject_1.yml    ", "insert-probe",
              before=('edit: subject_1.yml: "12345" -> "12399"', "user_3: subject add 12399", "user_1: catalogue add reference.Probe npx_9")),
    situation("user_3: subject add 12399", "insert-probe", before=("user_1: catalogue add reference.Probe npx_9",)),
    situation("user_3: probe insert 12399 npx_9 --at 2023-01-01", "register-subject"),
    situation("user_3: probe insert 12345 npx_99 --at 2023-01-01", "propose-value"),
    situation("user_3: probe insert 12346 npx_1_18408400000 --at 2023-04-01", "remove-probe", place="two_animals",
              fills={"at": "2023-03-20"}),
    situation("user_3: probe remove 12345 npx_99 --at 2023-01-01", "list-subjects"),
    situation("user_3: probe remove 12345 npx_1_18408400000 --at 2023-05-02", "insert-probe",
              before=("user_3: probe remove 12345 npx_1_18408400000 --at 2023-05-01",)),
    situation("user_3: probe insert 12345 npx_1_18408400000 --at 2023-04-01", "remove-probe", "mend-insertion",
              fills={"at": "2023-03-20"}),
    situation("user_3: validate catalogue.yml", "load-catalogue", fills={"file": "catalogue.yml"},
              by={"load-catalogue": "user_1"}, stays={"load-catalogue": OTHER_WAY}),
    situation("user_1: catalogue load subject_1.yml", "upload", stays={"upload": OTHER_WAY}),
    situation("user_3: why {open}", "insert-probe", "work", place="one_of_two_inserted",
              before=("user_3: upload two.yml",), fills={"probe": "right"}, stays=BY_ITSELF),
    # --- the ledger itself ---
    situation("user_1: sessions", "init", place="no_ledger"),
    situation("user_1: init", "load-catalogue", place="no_ledger", fills={"file": "catalogue.yml"}),
    situation("user_1: prove subject/0/12345 ", "make-checkpoint", before=("hide: daybook.key",),
              mended={"make-checkpoint": ("bring: daybook.key",)}),
    situation("user_1: prove {first} --checkpoint 1.txt", "make-checkpoint", before=("user_1: checkpoint -o 1.txt", UP),
              stays={"make-checkpoint": "the older checkpoint covers no more than it did"}),
    situation("user_1: doctor", "protect-file", before=("open: daybook.key",)),
    situation("user_3: blame {request}", "history", before=ASKED),
    situation("user_3: cat {upload}", "log", before=(
        UP, "user_1: redact {position of the upload} --reason x", "user_2: request approve {request}")),
    situation("user_1: checkpoint --cosign 2.txt --key w.key --log-key {the public key}", "prove-since", before=(
        "user_1: checkpoint -o 1.txt", "user_1: checkpoint --new-witness-key w.key witness",
        "user_1: checkpoint --cosign 1.txt --key w.key --log-key {the public key}", "user_3: subject add 12399",
        "user_1: checkpoint -o 2.txt"), fills={"CHECKPOINT": "1.txt", "FILE": "since.json"},
        stays={"prove-since": "the proof has to be named with it"}),
    situation("user_1: help invitation-expired", "list-invitations"),
    situation("user_1: checkpoint --cosign 1.txt --key w.key", "make-witness-key", before=("user_1: checkpoint -o 1.txt",), stays={"make-witness-key": "it has a name of its own"}),
    situation("user_1: export x.jsonl", "verify", "export-damaged", place="changed_behind_it",
              fills={"file": "y.jsonl"}, exits={"verify": 5}, stays={"export-damaged": OTHER_WAY}),
    situation("user_1: sessions ", "verify", "rebuild", place="damaged_head", exits={"verify": 5}),
    # --- recordings that wait ---
    *(
        situation("user_3: why {open}", *advises, place=f"case:{case}", before=(f"user_3: upload {file}",), fills=fills,
                  stays=BY_ITSELF)
        for case, file, fills, advises in (
            ("OneBox-serial-0", "input.yml", {"ProbeA": "left_0"}, ("associate",)),
            ("wrong-animal", "wrong.yml", {"Noise4Sam_g0_imec0": "npx_1_18408403232"}, ("withdraw", "associate")),
            ("swapped-association", "in.yml", {}, ("associate",)),
            ("serial-of-another-probe", "input.yml", {}, ("associate",)),
            ("meta-txt-one-of-two", "input.yml", {}, ("work", "settle")),
            ("crashed-acquisition", "in.yml", {}, ("work", "settle")),
            ("glx-days-renamed-as-triggers", "input.yml", {}, ("withdraw", "settle")),
            ("oe-crash-second-experiment", "input.yml", {}, ("work", "settle")),
        )
    ),
]  # fmt: skip

DONE_ELSEWHERE = {
    "create-archive": "tests/analysis/test_archives.py::test_a_redaction_is_found_and_its_file_is_written_anew",
    "rename-subject": (
        "tests/changes/test_renamed_subjects.py::test_name_that_leads_to_another_subject_is_taken_only_by_who_says_so"
    ),
    "reset-second-factor": "tests/server/test_no_secret_is_kept.py::test_no_secret_is_kept_where_it_need_not_be",
    "sign-in": "tests/remote/test_signing_in.py::test_whoever_was_invited_joins_is_known_and_goes",
}
"""What is advised where a server is asked, or only in what a terminal shows: tests of their own do it."""
