"""The Hugging Face Hub's wire for its clients: shapes of requests and answers only; every rule is a verb elsewhere."""
