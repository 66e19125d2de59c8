"""OpenID Connect provider for the Voter's Cabinet and the office: authorization code with PKCE, and nothing else.

The protocol is Authlib's; what is ours is storage, strictness, and the sign-in without cookies (docs/adr/0021, 0023).
"""
