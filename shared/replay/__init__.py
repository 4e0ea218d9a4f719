"""Stored raw answers, normalized again: by a newer normalizer each gives a new version beside the old one.

No vendor is asked, and nobody is told unless that is wanted.
"""
