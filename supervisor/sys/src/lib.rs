//! The only package that calls libc: thin, one unsafe operation each, owned descriptors in and out.
