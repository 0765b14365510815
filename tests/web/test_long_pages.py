"""Long pages travel packed, where a browser takes that."""

from tests.serving import Server
from tests.web.conftest import joined


def test_a_long_page_is_packed_for_who_takes_it_and_says_the_same(server: Server) -> None:
    browser = joined(server, "user_2").client

    packed = browser.get("/help/docs/all")
    plain = browser.get("/help/docs/all", headers={"accept-encoding": "identity"})
    short = browser.get("/people/invitations")

    assert packed.headers["content-encoding"] == "gzip" and packed.headers["vary"] == "accept-encoding"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.text == plain.text
    assert "content-encoding" not in plain.headers and "content-encoding" not in short.headers
