"""The browser app: it draws and parses, and decides nothing."""
