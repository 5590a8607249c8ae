"""The page Requests: one person's request, from the name to what is said afterwards."""
