"""Signed notes and keys that others published; the checkpoints are in published/, as they came.

PETER and ENOCH: the tests of golang.org/x/mod/sumdb/note. SUM_GOLANG_ORG: tree heads of Go's checksum
database under its well-known key. BEHIND_THE_SOFA: the example of https://c2sp.org/tlog-cosignature. ARCHE: a
checkpoint of a Certificate Transparency log, signed by its log key, by an RFC 6962 key (type 0x05, which is
unknown here) and by four public witnesses.
"""

from pathlib import Path


def published(name: str) -> str:
    return (Path(__file__).parent / "published" / f"{name}.txt").read_bytes().decode()


PETER_SIGNING_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_TEXT = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.
"""
PETER_LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ="
)
PETER_WITH_LONG_KEY = "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="
PETER_OF_UNKNOWN_KIND = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

SUM_GOLANG_ORG = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUM_GOLANG_ORG_HEADS = [published("sum.golang.org-6476701"), published("sum.golang.org-19777102")]

BEHIND_THE_SOFA = published("behind-the-sofa")
BEHIND_THE_SOFA_COSIGNED_AT_S = 1679315147

ARCHE = published("arche2025h1")
ARCHE_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
ARCHE_WITNESSES = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
]
ARCHE_COSIGNED_AT_S = 1779573024
