"""Little data: which rows without an answer a person should look at first, and their answers on the way back."""
