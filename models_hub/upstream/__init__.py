"""Another hub as its clients see it: the API, git over HTTP and LFS, asked by one strict HTTP client."""
