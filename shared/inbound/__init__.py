"""What comes in: messages to notifications. Bytes in, typed values out.

No I/O, no clock. `toolkit.triggers` and `toolkit.events` know how Function Compute and MNS wrap a body;
`notifications` knows what the media products put into it.
"""
