"""An online transparency log in a database: entries, tiles, signed heads, cosignatures of log witnesses by HTTP."""
