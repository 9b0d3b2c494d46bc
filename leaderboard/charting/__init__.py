"""Pictures of boards as numbers that templates draw: places are shares of the width and height, in per cent."""
