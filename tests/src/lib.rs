//! Tests that need a built keylane: flow, contract and escape suites.
