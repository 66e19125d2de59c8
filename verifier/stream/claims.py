"""What the office says of every ballot and challenge: the dispositions; docs/spec/07-counting.md section 7.1."""

from __future__ import annotations

COUNTED, SUPERSEDED, CHALLENGED = 0, 1, 2
MALFORMED, CREDENTIAL, SIGNATURE, PROOF, DUPLICATE, SEQUENCE, OPENING, EXCESS = range(16, 24)
#: Stands for a byte that the blob does not have.
MISSING = 255

REASONS = {
    MALFORMED: "malformed",
    CREDENTIAL: "credential",
    SIGNATURE: "signature",
    PROOF: "proof",
    DUPLICATE: "duplicate",
    SEQUENCE: "sequence",
    OPENING: "opening",
    EXCESS: "excess",
}
NAMES = {COUNTED: "counted", SUPERSEDED: "superseded", CHALLENGED: "challenged"} | {
    byte: f"rejected ({reason})" for byte, reason in REASONS.items()
}

BALLOT_CLAIMS = frozenset({COUNTED, SUPERSEDED, MALFORMED, CREDENTIAL, SIGNATURE, PROOF, DUPLICATE, SEQUENCE})
CHALLENGE_CLAIMS = frozenset({CHALLENGED, MALFORMED, CREDENTIAL, SIGNATURE, PROOF, DUPLICATE, OPENING, EXCESS})
#: Claims under which an entry must not be well-formed or must carry an invalid credential, signature or proof.
DEFECTIVE = frozenset({MALFORMED, CREDENTIAL, SIGNATURE, PROOF})
#: Entries that are not rejected.
ACCEPTED = frozenset({COUNTED, SUPERSEDED, CHALLENGED})
#: Entries whose pads and commitments no later entry may repeat: an opening that was one too many is public as well.
RESERVING = ACCEPTED | {EXCESS}
#: Entries that opened their ballot in public.
OPENED = frozenset({CHALLENGED, EXCESS})

#: The check that a failure of an accepted entry is reported under.
CHECK_OF_REASON = {
    "malformed": "ballots.encoding",
    "credential": "ballots.credential",
    "signature": "ballots.signature",
    "proof": "ballots.proof",
    "opening": "challenges.opening",
}
