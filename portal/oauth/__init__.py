"""Signing in to other programs with an account here: OAuth 2 and OpenID Connect, as far as clients use them."""
