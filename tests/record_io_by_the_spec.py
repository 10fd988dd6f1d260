"""RecordIO once more, written from the format's description alone and word by word: what our codec is held against."""

import struct

MAGIC = 0xCED7230A


def records(data):
    """Yields offset and payload of each record of a file's bytes; any oddity is an assertion."""
    at = 0
    while at < len(data):
        offset, payload = at, b""
        while True:
            magic, word = struct.unpack("<II", data[at : at + 8])
            kind, length = word >> 29, word & 0x1FFFFFFF
            assert magic == MAGIC
            assert kind in ((0, 1) if at == offset else (2, 3))
            assert at + 8 + length <= len(data)
            payload += data[at + 8 : at + 8 + length]
            at += 8 + length
            if kind in (0, 3):
                break
            assert length % 4 == 0
            payload += struct.pack("<I", MAGIC)
        padding = data[at : at + -at % 4]
        assert padding == bytes(-at % 4)
        at += len(padding)
        yield offset, payload


def encode(payload):
    """Returns a record, looking at each aligned word of the payload as the reference writer does."""
    whole_words = len(payload) // 4 * 4
    cuts = [at for at in range(0, whole_words, 4) if payload[at : at + 4] == struct.pack("<I", MAGIC)]
    record, begin = b"", 0
    for number, cut in enumerate(cuts):
        kind = 1 if number == 0 else 2
        record += struct.pack("<II", MAGIC, kind * 2**29 + cut - begin) + payload[begin:cut]
        begin = cut + 4
    kind = 3 if cuts else 0
    record += struct.pack("<II", MAGIC, kind * 2**29 + len(payload) - begin) + payload[begin:]
    return record + bytes(-len(record) % 4)


def image(payload):
    """Returns label, key and encoded image of an image record as PyTorch trainers unpack it."""
    flag, label, key, _ = struct.unpack("<IfQQ", payload[:24])
    if flag:
        label = struct.unpack("<f", payload[24:28])[0]
    return label, key, payload[24 + 4 * flag :]


def index(text):
    """Returns key and offset of each line of a train.idx."""
    return [tuple(map(int, line.split("\t"))) for line in text.splitlines()]
