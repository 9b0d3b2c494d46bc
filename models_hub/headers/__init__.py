"""Bounded parsers of what files of models say of themselves: nothing here reads more than a header, or trusts it."""
