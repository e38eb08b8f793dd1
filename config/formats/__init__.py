"""How languages write numbers where Django has no rules of its own."""
