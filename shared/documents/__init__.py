"""Documents of strangers: walked without losing a leaf, addressed by pointers.

They are decoded by `toolkit.strict_json` and `toolkit.xml_tree`. A decoded document is a `Tree`: dicts,
lists, text, booleans and None. A JSON number is kept as its source text (`NumberText`), so that JSON and
XML of the same answer are the same tree but for that type, and so that no digit of a score is ever lost.
"""
