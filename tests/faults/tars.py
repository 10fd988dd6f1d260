"""Tar files that harm: names that lead elsewhere, members that are no files, sizes that are none."""

from __future__ import annotations

from pathlib import Path

BLOCK, END = 512, bytes(1024)


def header(name: bytes = b"a.jpg", size: bytes = b"00000000000\0", kind: bytes = b"0", link: bytes = b"") -> bytes:
    """Returns a ustar header with the right checksum, whatever it says."""
    block = bytearray(BLOCK)
    block[: len(name)] = name
    block[100:124] = b"0000644\0" + 2 * b"0000000\0"
    block[124:136] = size
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = b"ustar\x0000"
    block[148:156] = 8 * b" "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def long_name(kind: bytes, data: bytes) -> bytes:
    """Returns a GNU or pax header that names the member behind it."""
    return header(b"long", b"%011o\0" % len(data), kind) + data + bytes(-len(data) % BLOCK)


def refused() -> dict[str, tuple[bytes, str]]:
    """Returns tars that must not be read, with what the error says."""
    return {
        "a character device": (header(kind=b"3") + END, "no regular file"),
        "a named pipe": (header(kind=b"6") + END, "no regular file"),
        "a hard link": (header(kind=b"1", link=b"/etc/passwd") + END, "no regular file"),
        "a symbolic link": (header(kind=b"2", link=b"/etc/passwd") + END, "no regular file"),
        "a sparse file": (header(kind=b"S") + END, "no regular file"),
        "a member of 8 GiB in a kilobyte": (header(size=b"77777777777\0") + END, "truncated"),
        "a size in base 256": (header(size=b"\x80" + 11 * b"\xff") + END, "no octal size"),
        "a size of spaces": (header(size=b"           \0") + END, "no octal size"),
        "a name that is no UTF-8": (header(b"\xff\xfe.jpg") + END, "a name that is no UTF-8"),
        "a GNU name that is no UTF-8": (long_name(b"L", b"\xff\xfe\0") + header() + END, "is no UTF-8"),
        "a pax name that is no UTF-8": (long_name(b"x", b"11 path=\xff\xfe\n") + header() + END, "is no UTF-8"),
        "a pax length of 5,000 digits": (long_name(b"x", 5000 * b"9" + b" path=x") + header() + END, "is damaged"),
        "a pax length that goes on behind": (long_name(b"x", b"99 path=x\n") + header() + END, "is damaged"),
        "no end marker": (header(), "truncated"),
        "half a header": (header()[:300], "cut off"),
    }


def names_that_lead_elsewhere() -> list[bytes]:
    """Returns member names that would be written outside a folder by who unpacks them."""
    return [b"../../escaped.jpg", b"/escaped.jpg"]


def write_sparse(path: Path, size: int = 2 * 10**11) -> None:
    """Writes a tar that claims to end in far more zeros than memory holds; it takes a kilobyte of disk."""
    with path.open("wb") as file:
        file.write(header() + END)
        file.truncate(size)
