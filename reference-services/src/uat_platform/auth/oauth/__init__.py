"""OAuth 2.1 and OpenID Connect: letting programs in, with the leave of people or in their own name."""
