//! The States Language: syntax, check, data flow, step. Pure.
