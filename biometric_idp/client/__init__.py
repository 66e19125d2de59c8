"""The voter's side of issuance: wallet, requests, combination of answers."""
