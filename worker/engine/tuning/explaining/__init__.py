"""Why a model answered as it did: what each word of the question added to the answer."""
