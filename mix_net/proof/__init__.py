"""The arguments of Bayer and Groth (Eurocrypt 2012), one file each (docs/spec/08-mixing.md)."""
