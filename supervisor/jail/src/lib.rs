//! The steps that make a process harmless, in order.
