"""`leadx outcomes`: figures of the public face as tables for people, CSV for spreadsheets and SVG for a page."""
