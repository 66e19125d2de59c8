"""Identity provider, registrar and credential issuers: who may vote, and anonymous credentials for them."""
