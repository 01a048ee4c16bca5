"""A small store in Python, and the conformance protocol around it: a worked example.

    npm run conformance -- --exec "python3 docs/examples/small_store.py"

One append-only file. Every entry is its kind, its numbers and a CRC-32 over both. Appends wait in memory until `flush`
writes them, with the head of every stream, and calls fsync. Recovery reads entries until one is not whole, and cuts the
file there. An epoch, counted up by every opening, keeps sequence numbers apart that a crash made possible twice.

An argument makes it wrong in one way, to see what the judge says:

    --nack-leaves-cursor        revert forgets what was pending, and the next read goes on behind it
    --acknowledge-takes-all     acknowledging some of what is pending acknowledges all of it
    --torn-record-accepted      recovery does not look at checksums
"""

import json
import os
import struct
import sys
import zlib

BODY = struct.Struct("<BIQI")  # kind, stream, time in ms (or the head), bits
CHECKSUM = struct.Struct("<I")
ENTRY_BYTES = BODY.size + CHECKSUM.size
RECORD, HEAD, EPOCH = 1, 2, 3


class Refused(Exception):
    """An expected refusal: its text is the code."""


class Stream:
    def __init__(self):
        self.records = []  # (bits, time in ms, epoch); the index is the sequence number
        self.head = 0
        self.read = 0


def entry(kind, stream, number, bits):
    body = BODY.pack(kind, stream, number, bits)
    return body + CHECKSUM.pack(zlib.crc32(body))


class SmallStore:
    def __init__(self, path, streams, wrong):
        self.path = path
        self.count = streams
        self.wrong = wrong
        self.open()

    def open(self):
        self.streams = [Stream() for _ in range(self.count)]
        self.epoch = 0
        self.unwritten = []
        self.file = open(self.path, "a+b")
        self.file.seek(0)
        whole = 0
        while True:
            data = self.file.read(ENTRY_BYTES)
            if not self.take(data):
                break
            whole += ENTRY_BYTES
        self.file.truncate(whole)
        for stream in self.streams:
            stream.read = stream.head
        self.epoch += 1
        self.write([entry(EPOCH, 0, self.epoch, 0)])

    def take(self, data):
        """Takes one entry of the file. False: it is not whole, so nothing behind it counts."""
        if "--torn-record-accepted" in self.wrong:
            if len(data) < BODY.size:
                return False
        elif len(data) < ENTRY_BYTES or CHECKSUM.unpack(data[BODY.size :])[0] != zlib.crc32(data[: BODY.size]):
            return False
        kind, stream, number, bits = BODY.unpack(data[: BODY.size])
        if kind == RECORD:
            self.streams[stream].records.append((bits, number, self.epoch))
        elif kind == HEAD:
            self.streams[stream].head = number
        elif kind == EPOCH:
            self.epoch = number
        return True

    def write(self, entries):
        self.file.write(b"".join(entries))
        self.file.flush()
        os.fsync(self.file.fileno())

    def append(self, stream, bits, time_ms):
        self.unwritten.append(entry(RECORD, stream, time_ms, bits))
        records = self.streams[stream].records
        records.append((bits, time_ms, self.epoch))
        return len(records) - 1

    def read(self, stream, most):
        at = self.streams[stream]
        first = at.read
        at.read = min(len(at.records), first + most)
        return [
            {"bits": bits, "timeMs": time_ms, "sequence": first + i, "epoch": epoch}
            for i, (bits, time_ms, epoch) in enumerate(at.records[first : at.read])
        ]

    def acknowledge(self, stream, n):
        at = self.streams[stream]
        if n > at.read - at.head:
            raise Refused("BOUNDS_VIOLATION")
        at.head = at.read if "--acknowledge-takes-all" in self.wrong else at.head + n

    def revert(self, stream):
        at = self.streams[stream]
        if "--nack-leaves-cursor" not in self.wrong:
            at.read = at.head

    def discard(self, stream, n):
        at = self.streams[stream]
        if n > len(at.records) - at.head:
            raise Refused("BOUNDS_VIOLATION")
        at.head += n
        at.read = max(at.read, at.head)

    def flush(self):
        heads = [entry(HEAD, i, stream.head, 0) for i, stream in enumerate(self.streams)]
        self.write(self.unwritten + heads)
        self.unwritten = []

    def crash(self):
        """Power fails in the middle of writing: of what waits, all but the end of its first entry is lost."""
        if self.unwritten:
            torn = bytearray(self.unwritten[0])
            torn[-6:] = bytes(6)
            self.file.write(torn)
            self.file.flush()
        self.file.close()

    def inspect(self):
        return [{"head": s.head, "read": s.read, "appended": len(s.records)} for s in self.streams]


def answer(store, request, wrong):
    """Does what the request asks. Returns the store to go on with and what the answer says beside ok."""
    op = request["op"]
    if op == "init":
        if store is not None and not store.file.closed:
            store.file.close()
        store = SmallStore(os.path.join(request["storage"], "log"), len(request["streams"]), wrong)
        return store, {
            "protocol": 1,
            "name": "small store in Python",
            "durable": True,
            "supports": ["revert", "discard", "flush", "crash", "inspect"],
        }
    if op == "append":
        return store, {"sequence": store.append(request["stream"], request["bits"], request["timeMs"])}
    if op == "read":
        return store, {"records": store.read(request["stream"], request["max"])}
    if op == "acknowledge":
        store.acknowledge(request["stream"], request["n"])
    elif op == "revert":
        store.revert(request["stream"])
    elif op == "discard":
        store.discard(request["stream"], request["n"])
    elif op == "flush":
        store.flush()
    elif op == "crash":
        store.crash()
    elif op == "recover":
        store.open()
    elif op == "inspect":
        return store, {"streams": store.inspect()}
    else:
        raise Refused("UNSUPPORTED")
    return store, {}


def main(wrong):
    store = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            store, says = answer(store, request, wrong)
            reply = {"id": request["id"], "ok": True, **says}
        except Refused as refused:
            reply = {"id": request["id"], "ok": False, "code": str(refused)}
        print(json.dumps(reply, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
