"""Stores and invocation for one machine: a folder, a SQLite file, this process.

They keep the limits of the cloud services they stand in for, so that what works on a laptop is not
refused after deployment.
"""
