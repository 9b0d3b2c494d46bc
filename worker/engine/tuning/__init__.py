"""Training, compressing and exporting models: specs in, model folders and a log of numbers out."""
