//! What the shared definitions promise, held against the kernel, the build and the documents.

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod document;
#[cfg(test)]
mod lane;
#[cfg(test)]
mod network;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod switches;
