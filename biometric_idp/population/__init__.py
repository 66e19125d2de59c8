"""The population register behind one interface, and the signed voter lists that are imported from it."""
