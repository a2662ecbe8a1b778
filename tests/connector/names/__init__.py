"""Names of companies, made by public rules before the matcher was written, and how they are found written."""
