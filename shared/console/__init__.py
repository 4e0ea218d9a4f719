"""The console: an HTTP request in, a page out. It reads, and writes nothing.

access.py      who is let in
routes.py      which page a path names
answers.py     status, headers and body, as every answer has them
files.py       pictures and raw answers, as they lie in the archive
answering.py   all of it, for one request
"""
