"""What the Hugging Face wire asks about scores."""
