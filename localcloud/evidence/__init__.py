"""A server of evidence pictures on the loopback interface: well-behaved, slow, lying or hostile.

`answers` says how a file is served, `pictures` draws some, `server` is the socket.
"""
