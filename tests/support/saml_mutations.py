"""Signed messages damaged at random: some changes mean nothing, most of them do, and nobody says which."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable

from lxml import etree

Mutation = Callable[[bytes, random.Random], bytes]

_TAG = re.compile(rb"<[A-Za-z][^<>]*>")
_TEXT = re.compile(rb">([^<>]+)<")
_ATTRIBUTE = re.compile(rb"""\s([A-Za-z:]+)="([^"]*)\"""")
_WORDS = (
    b"mallory@evil.example",
    b"_assertion-1",
    b"_response-1",
    b"#_assertion-1",
    b"",
    b" ",
    b"2.0",
    b"admins",
    b"http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    b"http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
)


def mutated(xml: bytes, chance: random.Random) -> bytes:
    """*xml* with one to three changes."""
    for _ in range(chance.randint(1, 3)):
        try:
            xml = chance.choice(MUTATIONS)(xml, chance)
        except (ValueError, IndexError, etree.XMLSyntaxError):
            continue
    return xml


def _flipped(xml: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(xml))
    return xml[:at] + bytes([xml[at] ^ (1 << chance.randrange(8))]) + xml[at + 1 :]


def _cut(xml: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(xml))
    return xml[:at] + xml[at + chance.randint(1, 40) :]


def _repeated(xml: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(xml))
    piece = xml[at : at + chance.randint(1, 60)]
    return xml[:at] + piece + xml[at:]


def _text(xml: bytes, chance: random.Random) -> bytes:
    found = chance.choice(list(_TEXT.finditer(xml)))
    return xml[: found.start(1)] + chance.choice(_WORDS) + xml[found.end(1) :]


def _value(xml: bytes, chance: random.Random) -> bytes:
    found = chance.choice(list(_ATTRIBUTE.finditer(xml)))
    return xml[: found.start(2)] + chance.choice(_WORDS) + xml[found.end(2) :]


def _attribute_gone(xml: bytes, chance: random.Random) -> bytes:
    found = chance.choice(list(_ATTRIBUTE.finditer(xml)))
    return xml[: found.start()] + xml[found.end() :]


# -- changes that mean nothing, if they are made where nothing depends on the very letters --------------


def _reference(xml: bytes, chance: random.Random) -> bytes:
    """One letter written as a character reference."""
    found = chance.choice(list(_TEXT.finditer(xml)))
    at = chance.randrange(found.start(1), found.end(1))
    written = f"&#{xml[at]};" if chance.random() < 0.5 else f"&#x{xml[at]:X};"
    return xml[:at] + written.encode() + xml[at + 1 :]


def _other_quotes(xml: bytes, chance: random.Random) -> bytes:
    found = chance.choice(list(_ATTRIBUTE.finditer(xml)))
    return xml[: found.start(2) - 1] + b"'" + found[2] + b"'" + xml[found.end(2) + 1 :]


def _blank_in_a_tag(xml: bytes, chance: random.Random) -> bytes:
    found = chance.choice(list(_TAG.finditer(xml)))
    end = found.end() - (2 if found[0].endswith(b"/>") else 1)
    return xml[:end] + chance.choice((b" ", b"\n", b"\t")) + xml[end:]


def _spelt_out(xml: bytes, chance: random.Random) -> bytes:
    """An empty element with an end tag of its own."""
    found = chance.choice([tag for tag in _TAG.finditer(xml) if tag[0].endswith(b"/>")])
    name = re.split(rb"[\s/]", found[0][1:])[0]
    return xml[: found.end() - 2] + b"></" + name + b">" + xml[found.end() :]


def _unused_namespace(xml: bytes, chance: random.Random) -> bytes:
    found = chance.choice(list(_TAG.finditer(xml)))
    end = found.end() - (2 if found[0].endswith(b"/>") else 1)
    return xml[:end] + b' xmlns:unused="urn:unused"' + xml[end:]


def _blank_in_text(xml: bytes, chance: random.Random) -> bytes:
    found = chance.choice(list(_TEXT.finditer(xml)))
    at = chance.randint(found.start(1), found.end(1))
    return xml[:at] + chance.choice((b" ", b"\n", b"\r\n", b"&#13;")) + xml[at:]


def _blank_between(xml: bytes, chance: random.Random) -> bytes:
    at = chance.choice([found.start() for found in re.finditer(rb"><", xml)]) + 1
    return xml[:at] + chance.choice((b" ", b"\n")) + xml[at:]


# -- changes of the tree ------------------------------------------------------------------------------


def _tree(change: Callable[[list[etree._Element], random.Random], None]) -> Mutation:
    def mutation(xml: bytes, chance: random.Random) -> bytes:
        root = etree.fromstring(xml)
        change(list(root.iter("*")), chance)
        written: bytes = etree.tostring(root)
        return written

    return mutation


def _moved(elements: list[etree._Element], chance: random.Random) -> None:
    one, other = chance.choice(elements[1:]), chance.choice(elements)
    other.insert(chance.randint(0, len(other)), one)


def _copied(elements: list[etree._Element], chance: random.Random) -> None:
    one, other = copy.deepcopy(chance.choice(elements)), chance.choice(elements)
    other.insert(chance.randint(0, len(other)), one)


def _dropped(elements: list[etree._Element], chance: random.Random) -> None:
    one = chance.choice(elements[1:])
    one.getparent().remove(one)


def _swapped(elements: list[etree._Element], chance: random.Random) -> None:
    parent = chance.choice([element for element in elements if len(element) > 1])
    parent.append(parent[chance.randrange(len(parent) - 1)])


def _renamed(elements: list[etree._Element], chance: random.Random) -> None:
    chance.choice(elements).tag = chance.choice(elements).tag


def _identified(elements: list[etree._Element], chance: random.Random) -> None:
    name = chance.choice(("ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id", "{urn:x}ID"))
    chance.choice(elements).set(name, chance.choice(("_assertion-1", "_response-1", "_x")))


def _around(elements: list[etree._Element], chance: random.Random) -> None:
    """One element with a copy of itself for its parent, the id changed or not."""
    one = chance.choice(elements[1:])
    wrapper = copy.deepcopy(one)
    if wrapper.get("ID") and chance.random() < 0.5:
        wrapper.set("ID", "_x")
    one.addprevious(wrapper)
    wrapper.insert(chance.randint(0, len(wrapper)), one)


MUTATIONS: tuple[Mutation, ...] = (
    _flipped,
    _cut,
    _repeated,
    _text,
    _value,
    _attribute_gone,
    _reference,
    _reference,
    _other_quotes,
    _other_quotes,
    _blank_in_a_tag,
    _blank_in_a_tag,
    _spelt_out,
    _spelt_out,
    _unused_namespace,
    _unused_namespace,
    _blank_in_text,
    _blank_between,
    *map(_tree, (_moved, _copied, _dropped, _swapped, _renamed, _identified, _around)),
)
