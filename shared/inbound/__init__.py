"""What comes in: trigger events to messages, messages to notifications. Bytes in, typed values out.

No I/O, no clock. `triggers` knows how Function Compute and MNS wrap a body, `notifications` knows
what the media products put into it.
"""
