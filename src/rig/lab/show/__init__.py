"""What a person is shown: progress, tables, pictures, videos, the report."""
