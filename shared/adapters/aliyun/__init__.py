"""The vendor's cloud services, over the vendor's own clients: the only place that imports them.

Every module loads its client when the first call needs it, not when it is imported itself.
"""
