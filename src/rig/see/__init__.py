"""What a representation holds of any images: fitted, judged, and shown on one page."""
