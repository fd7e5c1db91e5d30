"""What services say of themselves, put together."""
