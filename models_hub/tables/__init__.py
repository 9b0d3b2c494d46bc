"""Files of rows: found as splits of a data set, read once by a child process, then paged, searched and counted.

`child/` is a program of its own that reads the hostile bytes and writes a file of rows; it knows no Django. The rest
keeps those files by the digest of what they were made of and answers from them.
"""
