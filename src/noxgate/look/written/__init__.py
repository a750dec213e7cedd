"""How reports write a text that they quote."""
