//! The token vocabulary.
