"""Imitations of the vendor's services for a laptop and for tests; never deployed.

They are judged by the vendor's own clients, never only by ours, and listen on the loopback interface
alone. `shared` and `functions` know nothing of them.
"""
