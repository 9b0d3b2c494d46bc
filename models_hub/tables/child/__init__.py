"""Reads files of rows that are not trusted. Runs as a program of its own, which models_hub.tables.reading starts.

It gets one JSON request on standard input, tells how far it is as lines of JSON on standard output, and leaves one
SQLite file behind. Nothing here imports Django.
"""
