"""A judged set of questions in Chinese and English, over fictitious cards."""
