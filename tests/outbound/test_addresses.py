"""Which URLs are taken, and which IP addresses count as public."""

from __future__ import annotations

import functools
import ipaddress
from urllib.parse import urlsplit

import httpcore
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authio.outbound import MESSAGES, Outbound, OutboundRefused, is_public


@functools.cache  # reading the system's trust store takes its time
def client(allow: frozenset[str] = frozenset()) -> Outbound:
    return Outbound(allow=allow)


def judge(url: str, *, allow: frozenset[str] = frozenset()) -> str:
    """The rebuilt URL, or the code of its refusal."""
    try:
        return client(allow).check(url)
    except OutboundRefused as refused:
        return refused.code


@pytest.mark.parametrize(
    ("url", "rebuilt"),
    [
        ("https://idp.acme.example/metadata", None),
        ("https://idp.acme.example:8443/saml/metadata?x=1&y=2", None),
        (
            "https://sso.acme.example:9031/pf/federation_metadata.ping?PartnerSpId=https%3A%2F%2Fsp.example%2Fm",
            None,
        ),
        ("https://IDP.Acme.Example:443/Path", "https://idp.acme.example/Path"),
        ("HTTPS://idp.acme.example", "https://idp.acme.example/"),
        ("https://idp.acme.example?x", "https://idp.acme.example/?x"),
        ("https://idp.acme.example/a?b#c", "https://idp.acme.example/a?b"),
        ("https://idp.acme.example/größe?q={1}", "https://idp.acme.example/gr%C3%B6%C3%9Fe?q=%7B1%7D"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
        ("https://bu\u0308cher.example/", "https://xn--bcher-kva.example/"),
        ("https://xn--strae-oqa.example/", None),
        ("https://a_b.acme.example/", None),
        ("https://8.8.8.8/m", None),
        ("https://[2606:4700:0:0::1111]:8443/m", "https://[2606:4700::1111]:8443/m"),
        ("https://1password.example/", None),
        ("https://4.example/", None),
    ],
)
def test_SEC_31_an_address_is_rebuilt_from_its_parts(url: str, rebuilt: str | None) -> None:
    assert judge(url) == (rebuilt or url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "idp.acme.example/saml/metadata",
        "//idp.acme.example/",
        "https:/idp.acme.example/",
        "https:idp.acme.example",
        "https://",
        "https:///path",
        "https://?x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ftp://idp.acme.example/",
        "gopher://idp.acme.example/",
        "data:text/xml,<a/>",
        # blanks, control characters, backslashes
        " https://idp.acme.example/",
        "https://idp.acme.example/m\n",
        "https://idp.acme.example/m\r\nHost: x",
        "https://idp.acme.example/a b",
        "https://idp.acme.example/a\tb",
        "https://idp.acme.example/\x00",
        "https://idp.acme.example/\x7f",
        "https://idp.acme.example/\u200b",
        "https://idp.acme.example/\u2028",
        "https://idp.acme.example/\ud800",
        "https://idp.ac\tme.example/",
        "https://idp.acme.example\\@10.0.0.1/",
        "https://idp.acme.example/a\\b",
        "https:\\\\idp.acme.example\\",
        # user-info
        "https://user@idp.acme.example/",
        "https://user:password@idp.acme.example/",
        "https://@idp.acme.example/",
        "https://idp.acme.example:443@10.0.0.1/",
        # ports
        "https://idp.acme.example:/",
        "https://idp.acme.example:0/",
        "https://idp.acme.example:0443/",
        "https://idp.acme.example:65536/",
        "https://idp.acme.example:99999999999/",
        "https://idp.acme.example:x/",
        "https://idp.acme.example:+443/",
        "https://idp.acme.example:٤٤٣/",
        # names
        "https://idp..example/",
        "https://.example/",
        "https://idp.acme.example./",
        "https://-idp.example/",
        "https://idp-.example/",
        "https://idp,acme.example/",
        "https://idp%2eacme.example/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
        "https://idp.acme.example/" + "a" * 2048,
        "https://idp.acme.example/#" + "a" * 2048,
        "https://idp.acme.example/" + "ü" * 400,
        # IPv4 in the forms that resolvers take and people do not
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.0.0.1./",
        "https://08.8.8.8/",
        "https://8.8.8.08/",
        "https://8.8.8/",
        "https://134744072/",
        "https://8.8.8.0x8/",
        "https://8.8.8.8.8/",
        "https://256.8.8.8/",
        "https://idp.0x/",
        "https://idp.1/",
        # IPv6
        "https://[::1/",
        "https://::1/",
        "https://[]/",
        "https://[::1]x/",
        "https://[::g]/",
        "https://[1::2::3]/",
        "https://[2606:4700::1111%eth0]/",
        "https://[2606:4700::1111%25eth0]/",
        "https://[v1.a]/",
        "https://[8.8.8.8]/",
        # names that turn into others
        "https://ｌocalhost/",
        "https://127。0。0。1/",
        "https://１２７.0.0.1/",
        "https://①②⑦.0.0.1/",
        "https://idp.acme.example\uff0f@x/",
        "https://idp.acme.example\u2100x/",
        "https://straße.example/",
        "https://βόλος.example/",
        "https://lo\u00adcalhost/",
        "https://a\u200db.example/",
        "https://xn--bcher-kva.bücher.ⅷ.example/",
        "https://" + "ü" * 300 + ".example/",
    ],
)
def test_SEC_31_what_is_not_plainly_a_web_address_is_refused(url: str) -> None:
    assert judge(url) == "bad_url"


@pytest.mark.parametrize("url", ["http://idp.acme.example/metadata", "http://10.0.0.1/", "HTTP://localhost/"])
def test_SEC_31_plain_http_is_refused(url: str) -> None:
    assert judge(url) == "insecure_url"


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/metadata",
        "https://localhost/metadata",
        "https://LOCALHOST:8443/",
        "https://idp.localhost/",
        "https://[::1]/metadata",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://255.255.255.255/",
        "https://168.63.129.16/",
    ],
)
def test_SEC_31_private_literals_are_refused_without_asking_anybody(url: str) -> None:
    assert judge(url) == "private_address"


@pytest.mark.parametrize(
    ("pair", "url"),
    [
        ("localhost:6544", "http://localhost:6544/hook"),
        ("localhost:6544", "https://LOCALHOST:6544/"),
        ("127.0.0.1:80", "http://127.0.0.1/"),
        ("[::1]:6544", "http://[0::1]:6544/"),
        ("Localhost:443", "https://localhost/"),
    ],
)
def test_SEC_35_an_allowed_pair_may_be_private_and_plain(pair: str, url: str) -> None:
    assert judge(url, allow=frozenset({pair})).startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://localhost:6545/", "insecure_url"),
        ("https://localhost:65440/", "private_address"),
        ("https://127.0.0.1:6544/", "private_address"),
        ("http://a.localhost:6544/", "insecure_url"),
        ("http://localhost/", "insecure_url"),
        ("ftp://localhost:6544/", "bad_url"),
        ("http://user@localhost:6544/", "bad_url"),
    ],
)
def test_SEC_35_an_allowed_pair_allows_nothing_beside_it(url: str, code: str) -> None:
    assert judge(url, allow=frozenset({"localhost:6544"})) == code


def test_SEC_36_a_refusal_says_fixed_words_only() -> None:
    with pytest.raises(OutboundRefused) as caught:
        client().check("https://secret.example:0/token")
    assert str(caught.value) == caught.value.message == MESSAGES["bad_url"]
    assert "secret" not in repr(caught.value)


WORDS = "https http 127.0.0.1 localhost ::1 8.8.8.8 idp.example xn-- 443 0x7f ü ß ℂ %25 %00 // \u200d \n"
PIECES = st.sampled_from([*WORDS.split(" "), *":/\\@?#[]%.。- "])


@given(
    st.one_of(
        st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join),
        st.lists(PIECES | st.text(max_size=3), max_size=12).map(lambda pieces: "https://" + "".join(pieces)),
    )
)
@example("https://idp.example/%zz")
@example("https://idp.example/[x]?a=[1]")
def test_SEC_31_every_parser_reads_a_rebuilt_address_alike(url: str) -> None:
    try:
        rebuilt = client().check(url)
    except OutboundRefused:
        return
    assert client().check(rebuilt) == rebuilt
    assert rebuilt.isascii()
    assert rebuilt.isprintable()
    assert " " not in rebuilt
    theirs, other = urlsplit(rebuilt), httpcore.URL(rebuilt)
    assert theirs.scheme == "https"
    assert theirs.username is None
    assert theirs.hostname == other.host.decode().strip("[]")
    assert theirs.port == other.port
    assert theirs.fragment == ""


# First and last address of each range in which no public host lives, from IANA's registries of
# special-purpose addresses; written as ranges so as to share nothing with the code under test.
CLOSED_V4 = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("168.63.129.16", "168.63.129.16"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.31.196.0", "192.31.196.255"),
    ("192.52.193.0", "192.52.193.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("192.175.48.0", "192.175.48.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "255.255.255.255"),
]
CLOSED_V6 = [
    ("::", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff"),  # unspecified, loopback, mapped, compatible
    ("64:ff9b:0:0:0:1::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),  # local NAT64, discard, reserved
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),  # Teredo, benchmarks, ORCHID
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),  # unassigned, ULA, link-local, multicast
]
NAT64 = int(ipaddress.IPv6Address("64:ff9b::"))
RANGES_V4 = [(int(ipaddress.IPv4Address(a)), int(ipaddress.IPv4Address(b))) for a, b in CLOSED_V4]
RANGES_V6 = [(int(ipaddress.IPv6Address(a)), int(ipaddress.IPv6Address(b))) for a, b in CLOSED_V6]


def open_v4(number: int) -> bool:
    return not any(first <= number <= last for first, last in RANGES_V4)


def open_v6(number: int) -> bool:
    if number >> 32 == NAT64 >> 32:
        return open_v4(number & 0xFFFFFFFF)
    return not any(first <= number <= last for first, last in RANGES_V6)


def near(ranges: list[tuple[int, int]], *, bits: int) -> st.SearchStrategy[int]:
    """Any number, with a liking for the insides and the borders of the ranges."""
    top = 2**bits - 1
    borders = sorted({n for pair in ranges for end in pair for n in (end - 1, end, end + 1) if 0 <= n <= top})
    inside = st.sampled_from(ranges).flatmap(lambda pair: st.integers(*pair))
    return st.one_of(st.sampled_from(borders), inside, st.integers(0, top))


V4 = near(RANGES_V4, bits=32)
V6 = near(RANGES_V6, bits=128) | V4.map(lambda number: NAT64 | number)


@given(V4)
def test_SEC_31_IPv4_addresses_are_judged_as_the_reference_table_says(number: int) -> None:
    assert is_public(str(ipaddress.IPv4Address(number))) == open_v4(number)


@given(V6)
def test_SEC_31_IPv6_addresses_are_judged_as_the_reference_table_says(number: int) -> None:
    assert is_public(str(ipaddress.IPv6Address(number))) == open_v6(number)


@pytest.mark.parametrize("ends", RANGES_V4)
def test_SEC_31_each_IPv4_range_is_closed_to_its_borders(ends: tuple[int, int]) -> None:
    for number in (ends[0] - 1, ends[0], ends[1], ends[1] + 1):
        if 0 <= number < 2**32:
            assert is_public(str(ipaddress.IPv4Address(number))) == open_v4(number)


@pytest.mark.parametrize("ends", RANGES_V6)
def test_SEC_31_each_IPv6_range_is_closed_to_its_borders(ends: tuple[int, int]) -> None:
    for number in (ends[0] - 1, ends[0], ends[1], ends[1] + 1):
        if 0 <= number < 2**128:
            assert is_public(str(ipaddress.IPv6Address(number))) == open_v6(number)


@given(V4.map(ipaddress.IPv4Address) | V6.map(ipaddress.IPv6Address))
def test_SEC_31_nothing_is_public_that_the_standard_library_calls_private(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public(str(ip)) and int(ip) >> 32 != NAT64 >> 32:
        assert ip.is_global
        assert not any((ip.is_multicast, ip.is_reserved, ip.is_unspecified, ip.is_link_local))


EMBEDDINGS = {
    "mapped": lambda v4: 0xFFFF << 32 | v4,
    "compatible": lambda v4: v4,
    "translated": lambda v4: 0xFFFF << 48 | v4,
    "NAT64": lambda v4: NAT64 | v4,
    "local NAT64": lambda v4: int(ipaddress.IPv6Address("64:ff9b:1::")) | v4,
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80 | 1,
    "Teredo server": lambda v4: 0x20010000 << 96 | v4 << 64,
    "Teredo client": lambda v4: 0x20010000 << 96 | 0x08080808 << 64 | (v4 ^ 0xFFFFFFFF),
}


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@given(V4.filter(lambda number: not open_v4(number)))
def test_SEC_31_a_private_address_stays_private_inside_IPv6(embedding: str, v4: int) -> None:
    ip = ipaddress.IPv6Address(EMBEDDINGS[embedding](v4))
    assert not is_public(str(ip))
    assert judge(f"https://[{ip}]/") == "private_address"


@pytest.mark.parametrize(
    "text", ["", "localhost", "8.8.8.8.", "8.8.8", "fe80::1%eth0", "2606:4700::1111%1", "0x8.8.8.8"]
)
def test_SEC_31_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)
