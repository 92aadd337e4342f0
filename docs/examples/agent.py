"""An agent for streamgauge: counts the lines on its standard input, and streams the count once a second.

    pip install grpcio
    tail -F app.log | python3 agent.py localhost:4317 [MEMBER_ID]

It speaks docs/protocol.md, whose rules the comments name; the numbers of the fields are in proto/streamgauge/v1/telemetry_stream.proto.
"""
import os, queue, random, socket, sys, threading, time
import grpc

METHOD = "/streamgauge.v1.TelemetryStream/Connect"
INCARNATION, BEGAN = os.urandom(16), time.monotonic()
lines, last_report, ended = 0, 0, threading.Event()

def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

def zigzag(n):
    return 2 * n if n >= 0 else -2 * n - 1

def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value

def fields(data):  # {number: its last value} of a message that holds varints and length-delimited fields only
    found, at = {}, 0
    def take():
        nonlocal at
        n = shift = 0
        while data[at] > 127:
            n, shift, at = n | (data[at] & 127) << shift, shift + 7, at + 1
        n, at = n | data[at] << shift, at + 1
        return n
    while at < len(data):
        tag = take()
        value = take()
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        found[tag >> 3] = value
    return found

def speak(member, inbox):  # what goes out on one stream, in order; numbers, bases and times all belong to that stream
    global last_report
    boot = open("/proc/sys/kernel/random/boot_id").read().strip() if os.path.exists("/proc") else ""
    resource = field(1, "service.instance.id") + field(2, field(1, member))
    yield field(2, field(1, 1) + field(2, member) + field(3, INCARNATION) + field(4, boot) + field(5, resource)
                + field(8, time.time_ns() // 1000) + field(11, 1000))  # Hello
    last_report = max(last_report, fields(inbox.get(timeout=10)[2]).get(2, 0))  # Welcome: report numbers go on above its last_report
    metric = field(1, 1) + field(3, "log.lines") + field(4, "{line}") + field(6, 1) + field(7, 1) + field(8, 1)  # a monotonic sum of ints
    epoch = field(1, 1) + field(2, INCARNATION) + field(3, zigzag(int((BEGAN - time.monotonic()) * 1e6)))  # began before Welcome came
    yield field(3, field(3, metric) + field(4, epoch) + field(5, field(1, 1) + field(3, 1) + field(6, 1)))  # Define: series 1
    base = t1 = d1 = 0
    while True:
        is_last, now, value = ended.is_set(), time.time_ns() // 1000, lines
        column = varint(2 * zigzag(value - base)) if value != base else b""  # mode 0: whole numbers, a token of the difference
        last_report += 1
        yield field(1, field(2, zigzag(now - t1 - d1)) + field(3, column)) + field(7, last_report)  # Report: the second difference of times
        base, d1, t1 = value, now - t1 if t1 else 0, now
        if is_last:
            yield field(6, field(1, last_report))  # Goodbye; the collector acknowledges, and ends the stream
            return
        ended.wait(1)
        while not inbox.empty():
            if instruct := inbox.get().get(4):  # each Instruct is answered: only drain (5) is known here
                told = fields(instruct)
                yield field(5, field(1, told[1]) + (b"" if 5 in told else field(2, "this agent does not know the instruction")))
                if 5 in told:
                    return  # half-close; the next stream follows

def read():
    global lines
    for _ in sys.stdin.buffer:
        lines += 1
    ended.set()

def main(address, member=socket.gethostname()):
    threading.Thread(target=read, daemon=True).start()
    delay, is_done = 0.5, False
    while not is_done:
        inbox = queue.Queue()
        with grpc.insecure_channel(address) as channel:
            try:
                for message in channel.stream_stream(METHOD)(speak(member, inbox)):
                    content, delay = fields(message), 0.5
                    inbox.put(content)
                    if 3 in content:  # Refuse: why is its field 4
                        print("refused:", fields(content[3]).get(4, b"").decode(), file=sys.stderr)
                    is_done = ended.is_set() and fields(content.get(1, b"")).get(1) == last_report  # Ack of the last report
            except grpc.RpcError as error:
                print(f"{error.code().name}: {error.details()}; connecting again", file=sys.stderr)
        if not is_done:  # nothing gathers meanwhile but the count itself
            time.sleep(random.uniform(0.5, 1) * delay)
            delay = min(2 * delay, 30)

if __name__ == "__main__":
    main(*sys.argv[1:])
