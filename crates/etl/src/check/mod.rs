//! Checks of rows and tables, and what they say about the quality of a source.
