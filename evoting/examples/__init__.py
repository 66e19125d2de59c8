"""Elections to try the system with. ``kyrgyz2021`` is built on published results; what is synthetic is marked so."""
