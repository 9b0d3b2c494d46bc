"""Families of models that answer: each module has `answer(task, spec, settings, questions, progress) -> Answers`."""
