//! The path table.
