"""What the page of a file shows of it: one module for each kind of content, chosen in `choosing`."""
